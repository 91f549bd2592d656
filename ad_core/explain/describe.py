"""An attribution in the user's own terms: columns and cells, boxes in an image, a channel during a time.

Each modality has one function; all return the same line for a part: `row_id`, `part`, `value`, `expected`,
`expected_low`, `expected_high`, `attribution`, `method`, `delta`, and its region or times in the item.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ad_core.data.dataset import Dataset
from ad_core.data.item_set import ItemSet
from ad_core.detector.detector import Detector
from ad_core.explain import attribution as explanation
from ad_core.explain.window import Window
from ad_core.types import Modality, PartKind

ROUNDING = 1e-6
"""Relative precision of a value that was stored as a 32-bit float."""


@dataclass
class Explained:
    """Explanations of some rows, ready for a run folder or a file."""

    parts: pd.DataFrame
    """One line per row and part, see above; images add `y0, x0, y1, x1`, windows `channel, t0, t1`."""
    neighbours: pd.DataFrame
    """`row_id`, `rank`, `neighbour`, `distance`."""
    checks: pd.DataFrame
    """One line per row: `row_id`, `grade` and the measures behind it (see `faithfulness`), `method`, `baseline`."""
    maps: dict[str, np.ndarray]
    """Images: (height, width) anomaly map, as large as the image. Windows: (channel, time) attribution."""
    windows: dict[str, pd.DataFrame]
    """Recordings: `time`, per channel the actual value and, where the task predicts, `<channel> expected`."""


@dataclass(frozen=True)
class Attributed:
    """Some items with their attributions and the data that they come from."""

    detector: Detector
    dataset: Dataset
    item_set: ItemSet
    index: np.ndarray
    """(k,) positions of the items in the item set."""
    row_ids: list[str]
    x: Tensor
    """(k, *item)."""
    found: explanation.Attribution
    grids: Callable[[np.ndarray], np.ndarray]
    """Positions of items -> (m, y, x) anomaly maps; only called for images."""

    @property
    def rows(self) -> np.ndarray:
        """(k,) position in `item_set.rows` of the first row of each item."""
        return np.asarray(row_of_item(self.item_set)[self.index])

    def expected(self) -> np.ndarray | None:
        """(k, *item) the values that the model expected, of recordings given which one; None where it predicts none."""
        of_item = self.item_set.items
        names = of_item["entity"].iloc[self.index].astype(str).tolist() if "entity" in of_item else [None] * len(self.x)
        with torch.no_grad():
            values = self.detector.model.expected_of(self.x, names)
        return None if values is None else values.cpu().numpy()

    def expected_range(self) -> np.ndarray | None:
        """(2, k, *item): 5 % and 95 % quantile of what the model expected; None where it predicts no quantiles."""
        with torch.no_grad():
            found = self.detector.model.expected_range(self.x)
        return None if found is None else torch.stack(found).cpu().numpy()

    def is_watched(self, part: int) -> bool:
        """Whether a part is only watched for changes, and not learnt from."""
        limits = self.item_set.limits
        return limits is not None and part >= len(limits.learnt.parts.names)

    def is_idle(self, part: int, share: float) -> bool:
        """Whether a part is only watched for changes, and did not change."""
        return self.is_watched(part) and share == 0

    def line(self, i: int, part: str, value: str | None, attribution: float, **more: Any) -> dict[str, Any]:
        """One line of `Explained.parts`."""
        expected = {name: more.pop(name, None) for name in ("expected", "expected_low", "expected_high")}
        return {
            "row_id": self.row_ids[i],
            "part": part,
            "value": value,
            **expected,
            "attribution": attribution,
            "method": self.found.method,
            "delta": float(self.found.delta[i]),
            **more,
        }


def parts_of(work: Attributed, result: Explained) -> list[dict[str, Any]]:
    """Lines for these items, the largest attribution of each item first; adds maps and windows to the result."""
    describe = {Modality.TABLE: _columns, Modality.IMAGE: _boxes, Modality.SENSOR: _spans}
    return describe[work.detector.modality](work, result)


def row_of_item(item_set: ItemSet) -> np.ndarray:
    """(n,) position in `rows` of the first row of each item."""
    return np.asarray(item_set.row_of_sample()[item_set.items["start"].to_numpy()])


def whole_maps(item_set: ItemSet, rows: np.ndarray, grids: Callable[[np.ndarray], np.ndarray]) -> Iterator[np.ndarray]:
    """The anomaly map of each image at its own size, from all its pieces.

    Args:
        rows: positions in `item_set.rows`.
        grids: positions of items -> (m, y, x) maps; called once, for all pieces of all rows.
    """
    pieces = [item_set.pieces(int(row))[0] for row in rows]
    ends = np.cumsum([len(index) for index in pieces])
    for row, own in zip(rows, np.split(grids(np.concatenate(pieces)), ends[:-1]), strict=True):
        yield item_set.place(own, int(row))


def _columns(work: Attributed, result: Explained) -> list[dict[str, Any]]:  # noqa: ARG001
    parts, rows, expected, ranges = work.item_set.shape.parts, work.rows, work.expected(), work.expected_range()
    lines = []
    for i in range(len(work.row_ids)):
        shares = explanation.by_part(work.item_set.shape, work.found.values[i])
        for part in np.argsort(-np.abs(shares), kind="stable"):
            if work.is_idle(int(part), shares[part]):
                continue
            name = parts.names[part]
            value = _text(work.dataset.data[name].iloc[rows[i]]) if name in work.dataset.data else None
            own = None if ranges is None else ranges[:, i]
            if expected is not None:
                instead = _expected(work.detector, int(part), expected[i], own)
            elif work.is_watched(int(part)):
                usual = work.detector.reader.expected_in_units(int(part), np.zeros((1, 1)))
                instead = {"expected": _text(usual[0])}
            else:
                instead = {}
            lines.append(work.line(i, parts.names[part], value, float(shares[part]), **instead))
    return lines


def _expected(detector: Detector, part: int, expected: np.ndarray, own: np.ndarray | None) -> dict[str, str | None]:
    """What the model expected in a column given the others, in the user's units; for numbers with a 5 % to 95 % range.

    Args:
        own: (2, feature), the range that the model predicts; without it, its errors on held-out rows give the range.
    """
    parts = detector.reader.shape.parts
    entries = parts.entries(part)
    values = [expected[entries]]
    if own is not None and parts.kinds[part] is PartKind.NUMBER:
        values += list(own[:, entries])
    elif detector.residuals is not None and parts.kinds[part] is PartKind.NUMBER:
        # the first entry is the value; whether it is missing, or the hour of a date, is as expected
        first = np.eye(len(entries))[0]
        values += [values[0] + first * residual[entries] for residual in detector.residuals]
    found = detector.reader.expected_in_units(part, np.stack(values))
    texts = [_text(v) for v in _without_noise(found)]
    return dict(zip(("expected", "expected_low", "expected_high"), texts, strict=False))


def _without_noise(values: list[str | float]) -> list[str | float]:
    """Numbers that differ from 0 by no more than the rounding error of the largest one become 0."""
    largest = max((abs(v) for v in values if isinstance(v, float)), default=0.0)
    return [0.0 if isinstance(v, float) and abs(v) < ROUNDING * largest else v for v in values]


def _boxes(work: Attributed, result: Explained) -> list[dict[str, Any]]:
    """Lines for boxes of images; adds the map of each image, the model's own where it has one."""
    lines, maps = [], whole_maps(work.item_set, work.rows, work.grids)
    for i, (row_id, found) in enumerate(zip(work.row_ids, maps, strict=True)):
        result.maps[row_id] = found
        index, places = work.item_set.pieces(int(work.rows[i]))
        own = places[int(np.flatnonzero(index == work.index[i])[0])]
        for box in explanation.boxes(work.found.values[i], (own.height, own.width)):
            share = box.pop("attribution")
            box = {side: at + (own.top if side[0] == "y" else own.left) for side, at in box.items()}
            lines.append(work.line(i, f"y {box['y0']}-{box['y1']}, x {box['x0']}-{box['x1']}", None, share, **box))
    return lines


def _spans(work: Attributed, result: Explained) -> list[dict[str, Any]]:
    expected, lines, names = work.expected(), [], work.item_set.shape.parts.names
    for i, row_id in enumerate(work.row_ids):
        window, labels = _window(work, i, None if expected is None else expected[i])
        result.windows[row_id] = window
        result.maps[row_id] = explanation.by_part_over_time(work.item_set.shape, work.found.values[i])
        for span in explanation.spans(work.item_set.shape, work.found.values[i], window["time"].to_numpy()):
            if work.is_idle(names.index(span["channel"]), span["attribution"]):
                continue
            share, channel = span.pop("attribution"), labels[span["channel"]]
            inside = window["time"].between(span["t0"], span["t1"])
            part = f"{channel}, {_clock(span['t0'])} to {_clock(span['t1'])}"
            instead = _text(window.loc[inside, f"{channel} expected"].mean()) if expected is not None else None
            value = _text(window.loc[inside, channel].mean())
            lines.append(work.line(i, part, value, share, expected=instead, **span | {"channel": channel}))
    return lines


def _window(work: Attributed, i: int, expected: np.ndarray | None) -> tuple[pd.DataFrame, dict[str, str]]:
    """The window with what was expected of it, and the label of each channel in its columns."""
    window = Window.of(work.detector.reader, work.dataset, work.item_set, int(work.index[i]))
    values, labels, follows = work.x[i].cpu().numpy(), {}, work.detector.model.level_followers
    table = {"time": window.times.to_numpy()}
    for c, channel in enumerate(work.item_set.shape.parts.names):
        label = labels[channel] = window.label(c)
        table[label] = window.actual(c, values[c])
        if expected is not None:
            table[f"{label} expected"] = window.expected(c, expected[c], follows_level=c in follows)
    return pd.DataFrame(table), labels


def _clock(time: Any) -> str:
    """A time stamp without the zeros that numpy appends; numbers as they are."""
    return str(pd.Timestamp(time)) if isinstance(time, np.datetime64 | pd.Timestamp) else f"{time:g}"


def _text(value: Any) -> str | None:
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)
