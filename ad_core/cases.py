"""From a detector and its data to explained cases: which items stand for a row, and their explanations in the user's own terms."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch

from ad_core import explanation
from ad_core.detector import Detector
from ad_core.progress import Report
from ad_core.reader import Dataset
from ad_core.training import embed_items, score_items
from ad_core.types import Frame, Modality, PartKind

NEIGHBOURS = 5
"""So many nearest normal items are shown beside a case."""

ALERT_P, ALERT_PERCENTILE = 0.01, 99.0
"""A time stamp belongs to an event from this p-value on; where the calibration can't reach it, from this percentile on."""


@dataclass
class Explained:
    """Explanations of some cases, ready for a run folder or a file."""

    parts: pd.DataFrame
    """`row_id`, `part`, `value`, `expected`, `expected_low`, `expected_high`, `attribution`, `method`, `delta`; images add `y0, x0, y1, x1`, windows `channel, t0, t1`."""
    neighbours: pd.DataFrame
    """`row_id`, `rank`, `neighbour`, `distance`."""
    maps: dict[str, np.ndarray] = field(default_factory=dict)
    """Images: (height, width) anomaly map of the image's own size. Windows: (channel, time) attribution."""
    windows: dict[str, pd.DataFrame] = field(default_factory=dict)
    """Recordings: `time`, per channel the actual value and, where the task predicts, `<channel> expected`."""


def explain_top(
    detector: Detector,
    dataset: Dataset,
    top: int,
    method: str | None,
    report: Report,
    frame: Frame | None = None,
    item_scores: np.ndarray | None = None,
) -> Explained:
    """Explain the highest scores; in recordings the windows at the peaks of the highest events.

    Args:
        frame, item_scores: of this data set, where they are at hand.
    """
    frame = detector.frame(dataset) if frame is None else frame
    if item_scores is None:
        item_scores = score_items(detector.model, frame, np.arange(len(frame)), device=detector.device, report=report)
    scores = detector.scored_rows(frame, item_scores)
    if detector.modality is Modality.SENSOR:
        found = find_events(detector, scores, frame).nlargest(top, "peak_score")
        row_ids = found["row_id_peak"].tolist()
    else:
        row_ids = scores.dropna(subset="score").nlargest(top, "score")["row_id"].tolist()
    return explain_items(detector, dataset, frame, items_of_rows(frame, row_ids), row_ids, method, report)


def explain_items(
    detector: Detector,
    dataset: Dataset,
    frame: Frame,
    index: np.ndarray,
    row_ids: Sequence[str],
    method: str | None,
    report: Report,
    batch: int = 16,
) -> Explained:
    """Explain these items.

    Args:
        index: positions in the frame, one per row id.
        method: see `explanation.methods_for`; None = the model's best.

    Raises:
        ExplanationError: the model can't be explained by that method.
    """
    method = method or explanation.methods_for(detector.model)[0]
    parts: list[dict[str, Any]] = []
    neighbours: list[dict[str, Any]] = []
    result = Explained(pd.DataFrame(), pd.DataFrame())
    for begin in range(0, len(index), batch):
        report.check()
        chosen = np.asarray(index)[begin : begin + batch]
        names = list(row_ids)[begin : begin + batch]
        x = frame.take(chosen).to(detector.device)
        near, distance = _nearest(detector, frame, chosen, names)
        baseline = explanation.baseline_from(detector.normals.x, near).to(detector.device)
        found = explanation.explain(detector.model, frame.shape, x, baseline, method)
        for i, row_id in enumerate(names):
            neighbours += [
                {"row_id": row_id, "rank": rank + 1, "neighbour": detector.normals.row_ids[n], "distance": float(far)}
                for rank, (n, far) in enumerate(zip(near[i], distance[i], strict=True))
            ]
        describe = {Modality.TABLE: _table_parts, Modality.IMAGE: _image_parts, Modality.SENSOR: _window_parts}
        parts += describe[detector.modality](detector, dataset, frame, chosen, names, x, found, result)
        report.step(min(1.0, (begin + batch) / len(index)))
    result.parts = pd.DataFrame(parts)
    result.neighbours = pd.DataFrame(neighbours)
    return result


def items_of_rows(frame: Frame, row_ids: Sequence[str]) -> np.ndarray:
    """The item that stands for each row: itself, or the window whose middle is nearest.

    Raises:
        DataError: a row does not exist or has no item.
    """
    from ad_core.errors import DataError

    sample = pd.Series(frame.rows["sample"].to_numpy(), index=frame.rows["row_id"].to_numpy())
    start = frame.items["start"].to_numpy()
    found = []
    for row_id in row_ids:
        at = int(sample.get(row_id, -1))
        covering = np.flatnonzero((start <= at) & (at < start + frame.span))
        if at < 0 or not len(covering):
            raise DataError(f"Row {row_id!r} can't be explained: it does not exist in these data, or has no score.")
        found.append(covering[np.abs(start[covering] + frame.span // 2 - at).argmin()])
    return np.array(found, dtype=np.int64)


def find_events(detector: Detector, scores: pd.DataFrame, frame: Frame) -> pd.DataFrame:
    """Stretches of a recording whose time stamps are alerts, merged over gaps of at most two windows."""
    from ad_core.events import events

    calibration = detector.calibration
    threshold = calibration.threshold(ALERT_P)
    if not np.isfinite(threshold):
        threshold = float(np.percentile(calibration.scores, ALERT_PERCENTILE))
    return events(scores, threshold, merge_gap=2 * frame.span)


def anomaly_maps(detector: Detector, dataset: Dataset, report: Report) -> Iterator[tuple[str, np.ndarray]]:
    """For each readable image its row_id and a float32 (height, width) map of its own size.

    Raises:
        DataError: the data are no images.
    """
    from ad_core.errors import DataError

    if detector.modality is not Modality.IMAGE:
        raise DataError(f"Anomaly maps are made of images; these data are a {detector.modality}. Leave --maps out.")
    frame = detector.frame(dataset)
    rows = _row_of_item(frame)
    for begin in range(0, len(frame), 16):
        report.check()
        chosen = np.arange(begin, min(begin + 16, len(frame)))
        for item, grid in zip(chosen, _grids(detector, frame, chosen), strict=True):
            yield frame.rows["row_id"].iloc[rows[item]], frame.place(grid, rows[item])


def embedding_map(
    detector: Detector, frame: Frame, item_scores: np.ndarray, most: int, report: Report
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Two-dimensional places of the items: `row_id, x, y, pca_x, pca_y, score, percentile`, and how far to trust them."""
    from ad_core import embedding_map as maps

    index = np.arange(len(frame))
    if len(index) > most:
        highest = np.argsort(item_scores)[-most // 10 :]
        rest = np.random.default_rng(0).permutation(np.setdiff1d(index, highest))[: most - len(highest)]
        index = np.sort(np.concatenate([highest, rest]))
    embeddings = embed_items(detector.model, frame, index, device=detector.device)
    keep = np.argsort(item_scores[index])[-200:]
    placed = maps.project(embeddings, keep=keep, seed=0)
    report.check()
    coordinates, facts = placed.coordinates, placed.facts
    coordinates.insert(0, "row_id", frame.row_ids(index))
    coordinates["score"] = item_scores[index]
    coordinates["percentile"] = detector.calibration.percentile(item_scores[index])
    return coordinates, {**facts, "shown": len(index), "items": len(frame)}


def _nearest(detector: Detector, frame: Frame, index: np.ndarray, row_ids: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Nearest normals by embedding, leaving the row itself out where it is one of them."""
    embeddings = embed_items(detector.model, frame, index, device=detector.device)
    near, distance = explanation.nearest_normals(embeddings, detector.normals.embeddings.numpy(), NEIGHBOURS + 1)
    own = np.array([[detector.normals.row_ids[n] == row_id for n in line] for line, row_id in zip(near, row_ids, strict=True)])
    order = np.argsort(own, axis=1, kind="stable")[:, :NEIGHBOURS]
    return np.take_along_axis(near, order, 1), np.take_along_axis(distance, order, 1)


def _table_parts(detector, dataset, frame, index, row_ids, x, found, result):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """One line per column of the user's table, largest attribution first."""
    shape = frame.shape
    with torch.no_grad():
        expected = detector.model.expected(x)
    expected = None if expected is None else expected.cpu().numpy()
    rows = _row_of_item(frame)[index]
    lines = []
    for i, row_id in enumerate(row_ids):
        per_part = explanation.by_part(shape, found.values[i])
        for part in np.argsort(-np.abs(per_part), kind="stable"):
            name = shape.parts.names[part]
            lines.append(
                {
                    "row_id": row_id,
                    "part": name,
                    "value": _text(dataset.data[name].iloc[rows[i]]),
                    **_expected(detector, part, None if expected is None else expected[i]),
                    "attribution": float(per_part[part]),
                    "method": found.method,
                    "delta": float(found.delta[i]),
                }
            )
    return lines


def _expected(detector: Detector, part: int, expected: np.ndarray | None) -> dict[str, str | None]:
    """What the model expected of a column given the rest of the row, in the user's units, with a 5 % to 95 % range."""
    empty: dict[str, str | None] = {"expected": None, "expected_low": None, "expected_high": None}
    if expected is None:
        return empty
    entries = detector.reader.shape.parts.entries(part)
    in_units = detector.reader.expected_in_units  # type: ignore[attr-defined]
    middle = expected[entries]
    values = [middle]
    is_number = detector.reader.shape.parts.kinds[part] is PartKind.NUMBER
    if detector.residuals is not None and is_number:
        values += [middle + detector.residuals[0, entries], middle + detector.residuals[1, entries]]
    texts = [_text(v) for v in in_units(part, np.stack(values))]
    return dict(zip(empty, texts, strict=False)) if len(texts) > 1 else {**empty, "expected": texts[0]}


def _image_parts(detector, dataset, frame, index, row_ids, x, found, result):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Boxes on the image's own size; the map is the model's own where it has one."""
    rows = _row_of_item(frame)[index]
    grids = _grids(detector, frame, index)
    lines = []
    for i, row_id in enumerate(row_ids):
        size = (int(frame.rows["height"].iloc[rows[i]]), int(frame.rows["width"].iloc[rows[i]]))
        result.maps[row_id] = frame.place(grids[i], rows[i])
        for box in explanation.boxes(found.values[i], size):
            part = f"y {box['y0']}-{box['y1']}, x {box['x0']}-{box['x1']}"
            lines.append({"row_id": row_id, "part": part, "value": None, **box, "method": found.method, "delta": float(found.delta[i])})
    return lines


def _window_parts(detector, dataset, frame, index, row_ids, x, found, result):  # type: ignore[no-untyped-def]
    """A channel and a span of time per line, largest attribution first."""
    with torch.no_grad():
        expected = detector.model.expected(x)
    lines = []
    for i, row_id in enumerate(row_ids):
        window = _window(detector, dataset, frame, int(index[i]), None if expected is None else expected[i].cpu().numpy())
        result.windows[row_id] = window
        result.maps[row_id] = found.values[i].astype(np.float32)
        for span in explanation.spans(frame.shape, found.values[i], window["time"].to_numpy()):
            inside = window.loc[(window["time"] >= span["t0"]) & (window["time"] <= span["t1"]), span["channel"]]
            part = f"{span['channel']}, {_clock(span['t0'])} to {_clock(span['t1'])}"
            value = _text(pd.to_numeric(inside, errors="coerce").mean())
            lines.append({"row_id": row_id, "part": part, "value": value, **span, "method": found.method, "delta": float(found.delta[i])})
    return lines


def _window(detector: Detector, dataset: Dataset, frame: Frame, item: int, expected: np.ndarray | None) -> pd.DataFrame:
    """The window in the user's own values and clock, with what was expected in the same units."""
    start = int(frame.items["start"].iloc[item])
    sample = frame.rows["sample"].to_numpy()
    first_row = pd.Series(np.arange(len(sample)), index=sample)
    first_row = first_row[~first_row.index.duplicated()]
    rows = first_row.reindex(range(start, start + frame.span)).to_numpy()
    window = pd.DataFrame({"time": frame.rows["time"].to_numpy()[rows.astype(int)]})
    for c, channel in enumerate(frame.shape.parts.names):
        learnt = detector.reader.channels[c]  # type: ignore[attr-defined]
        window[channel] = learnt.numbers(dataset.data[channel].iloc[rows.astype(int)])
        if expected is not None:
            window[f"{channel} expected"] = learnt.in_units(expected[c])
    return window


def _grids(detector: Detector, frame: Frame, index: np.ndarray) -> np.ndarray:
    """(k, y, x) anomaly maps: the model's own, else where the score's attribution against the nearest normal sits."""
    x = frame.take(index).to(detector.device)
    with torch.no_grad():
        own = detector.model.part_scores(x)
    if own is not None:
        return own.float().cpu().numpy()
    near, _ = _nearest(detector, frame, index, [""] * len(index))
    baseline = explanation.baseline_from(detector.normals.x, near).to(detector.device)
    method = explanation.methods_for(detector.model)[0]
    found = explanation.explain(detector.model, frame.shape, x, baseline, method)
    return explanation.heat(found.values)


def _row_of_item(frame: Frame) -> np.ndarray:
    """(n,) position in `rows` of the first row of each item."""
    sample = frame.rows["sample"].to_numpy()
    position = np.full(frame.samples, -1, dtype=np.int64)
    usable = np.flatnonzero(sample >= 0)[::-1]
    position[sample[usable]] = usable
    return position[frame.items["start"].to_numpy()]


def _clock(time: Any) -> str:
    """A time stamp without the zeros that numpy appends; plain numbers as they are."""
    return str(pd.Timestamp(time)) if isinstance(time, np.datetime64 | pd.Timestamp) else f"{time:g}"


def _text(value: Any) -> str | None:
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)) or value is pd.NA:
        return None
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)
