"""The row for which a counterfactual is searched: its item, normal items that provide values, and the user's terms."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ad_core.data.dataset import Dataset
from ad_core.data.item_set import ItemSet
from ad_core.data.tables.allowed_values import Allowed
from ad_core.detector.detector import Detector
from ad_core.errors import DataError
from ad_core.explain.counterfactual.search import MOST_PARTS, Found, Move
from ad_core.explain.counterfactual.words import Description
from ad_core.explain.explain import items_of_rows
from ad_core.explain.neighbours import nearest
from ad_core.explain.what_if import editable, only_row, position
from ad_core.explain.window import Window
from ad_core.types import Modality

DONORS = {Modality.TABLE: 24, Modality.SENSOR: 4, Modality.IMAGE: 6}
"""Number of normal items that provide values: the nearest by embedding. For tables and recordings the same number is
added of those that are nearest when the most different parts are left out: they differ in the unusual parts only.
"""


@dataclass(frozen=True)
class ChangedCase:
    """One row with its item."""

    detector: Detector
    dataset: Dataset
    item_set: ItemSet
    item: int
    row: int
    x: Tensor
    donors: Tensor
    donor_ids: list[str]
    allowed: dict[str, Allowed]
    """For tables: the values that each column can have, from all rows of the data."""


def case_of(detector: Detector, dataset: Dataset, row_id: str) -> ChangedCase:
    """Prepare the search for one row.

    Raises:
        DataError: the row does not exist or has no score, or the data lack a column.
    """
    at, allowed = position(dataset, row_id), {}
    if detector.modality is Modality.TABLE:
        allowed = editable(detector, dataset)
    if detector.modality is not Modality.SENSOR:  # a window consists of neighbouring rows, other items of one
        dataset, at = only_row(dataset, at), 0
    item_set = detector.item_set(dataset)
    if item_set.tiled:
        raise DataError(
            "What would make an image normal can't be found where images are cut into tiles. Train without "
            "reader.tile to find it."
        )
    if item_set.rows["sample"].iloc[at] < 0:
        raise DataError(f"Row {row_id!r} has no score, so nothing can make it normal: {item_set.rows['note'].iloc[at]}")
    index = items_of_rows(item_set, [row_id])
    x, normals, most = item_set.take(index)[0], detector.normals, DONORS[detector.modality]
    near = nearest(detector, item_set, index, most)[0][0].tolist()
    if detector.modality is not Modality.IMAGE:
        near += _alike_but_for_some(x, normals.x, item_set.shape.parts.of_entry)[:most].tolist()
    near = list(dict.fromkeys(near))
    donor_ids = [normals.row_ids[i] for i in near]
    return ChangedCase(detector, dataset, item_set, int(index[0]), at, x, normals.x[near], donor_ids, allowed)


def _alike_but_for_some(x: Tensor, normals: Tensor, of_entry: Sequence[int]) -> np.ndarray:
    """(m,) normals by their distance from an item, its MOST_PARTS most different parts left out."""
    by_entry = (normals - x).square().flatten(2).sum(2) if x.ndim > 1 else (normals - x).square()  # (m, entries)
    parts = max(of_entry) + 1
    of_part = torch.zeros(len(normals), parts).index_add_(1, torch.as_tensor(of_entry), by_entry)
    kept = of_part.sort(dim=1).values[:, : max(1, parts - MOST_PARTS)]
    return np.asarray(kept.sum(1).argsort(stable=True))


def described_moves(case: ChangedCase, moves: Sequence[Move]) -> list[Description]:
    """Changes in the user's terms, the largest first."""
    ordered = sorted(moves, key=lambda move: -move.cost)
    if case.detector.modality is Modality.TABLE:
        cells = case.dataset.data.iloc[0]
        return [Description(move.part, value=cells[move.part], to=move.to) for move in ordered]
    if case.detector.modality is Modality.IMAGE:
        return [_area(case, move) for move in ordered]
    times = _window(case).times
    return [
        Description(
            move.part,
            as_in=move.to["as_in"],
            t0=times.iloc[move.to["low"]],
            t1=times.iloc[move.to["high"] - 1],
        )
        for move in ordered
    ]


def _area(case: ChangedCase, move: Move) -> Description:
    """A region in pixels of the user's image."""
    size = [int(case.item_set.rows[side].iloc[case.row]) for side in ("height", "width")]
    y, x = (
        (low * full // item, -(-high * full // item))
        for (low, high), full, item in zip((move.to["y"], move.to["x"]), size, case.x.shape[1:], strict=True)
    )
    return Description(f"y {y[0]}-{y[1]}, x {x[0]}-{x[1]}", as_in=move.to["as_in"], y0=y[0], y1=y[1], x0=x[0], x1=x[1])


def changed_image(case: ChangedCase, changed: Tensor) -> np.ndarray:
    """A changed image in the size of the user's: (height, width), or (height, width, 3) uint8."""
    maps = [case.item_set.place(channel[None].numpy(), case.row) for channel in changed]
    pixels = np.stack(maps, axis=-1).clip(0, 1) * 255
    return np.asarray(pixels.round().astype(np.uint8)[..., 0] if len(maps) == 1 else pixels.round().astype(np.uint8))


def window(case: ChangedCase, changed: Tensor, found: Found) -> pd.DataFrame:
    """A changed window in the user's units: `time`, and for each changed channel its values and `<channel> changed`."""
    own = _window(case)
    table = {"time": own.times.to_numpy()}
    for c, name in enumerate(case.item_set.shape.parts.names):
        if name in found.parts:
            table[name] = own.in_units(c, case.x[c].numpy())
            table[f"{name} changed"] = own.in_units(c, changed[c].numpy())
    return pd.DataFrame(table)


def _window(case: ChangedCase) -> Window:
    return Window.of(case.detector.reader, case.dataset, case.item_set, case.item)
