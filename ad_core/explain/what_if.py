"""What if: the scores that a row of a table would have with other values in some of its cells."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pandas as pd
import torch

from ad_core.alerts.calibration import severity
from ad_core.data.dataset import Dataset
from ad_core.data.readers.table import Table
from ad_core.data.tables.allowed_values import Allowed, allowed_in
from ad_core.detector.bundle_io import ELSEWHERE
from ad_core.detector.detector import Detector
from ad_core.errors import DataError
from ad_core.explain.counterfactual.words import Description, described
from ad_core.types import Modality

AS_IT_IS = "as it is"
RESCORED = "as it is (scored anew: the detector is of an older version, so the score in the list differs)"
"""For a row whose out-of-bag score the detector can't repeat: all lines are then scored in the same way."""


def what_if(
    detector: Detector, dataset: Dataset, row_id: str, tries: Sequence[Mapping[str, Any]], begin: float | None = None
) -> pd.DataFrame:
    """Score a row as it is, and with other values.

    A training row gets its score without itself, and its changed copies are not compared with it either.

    Args:
        tries: for each try column -> value, as texts or as in the data.
        begin: score from which on the row is an alert, where that is known; see `alerts.boundary`.

    Returns:
        A line for the row and one per try: `try` (AS_IT_IS or RESCORED, or the change), `score`, `percentile`,
        `p_value`, `severity`, `alert` (None where it is not known), `note` (why there is no score, else "").

    Raises:
        DataError: the data are not a table, the row or a column does not exist, or a column can't have a value.
    """
    allowed = editable(detector, dataset)
    changes = [checked(allowed, one) for one in tries]
    _check_there(detector, dataset, {name for one in changes for name in one})
    at = position(dataset, row_id)
    detector.reader.match(only_row(dataset, at))  # raises where the detector needs more than these data have
    copies, cells = _copies(dataset, at, changes), dataset.data.iloc[at]
    scored, is_kept = _scored(detector, copies)
    scored = scored[["score", "percentile", "p_value", "note"]]
    scored.insert(0, "try", [AS_IT_IS if is_kept else RESCORED, *(in_words(cells, one) for one in changes)])
    scored["severity"] = severity(scored["p_value"], scored["percentile"], detector.calibration.smallest_p)
    scored["alert"] = None if begin is None else scored["score"] >= begin
    return scored


def editable(detector: Detector, dataset: Dataset) -> dict[str, Allowed]:
    """The allowed values of each column that the detector uses, by name.

    Raises:
        DataError: the data are not a table, or lack a column.
    """
    if detector.modality is not Modality.TABLE:
        raise DataError(
            f"Cells can be changed in tables only; these data are {detector.modality} data. "
            "What would make an image or a recording normal is found without editing."
        )
    return allowed_in(cast(Table, detector.reader).codes, dataset.data)


def checked(allowed: Mapping[str, Allowed], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes, converted to values of their columns.

    Raises:
        DataError: there is no such column, or it can't have a value.
    """
    if not changes:
        raise DataError("Nothing is changed. Give at least one column another value.")
    for name in changes:
        if name not in allowed:
            close = difflib.get_close_matches(name, allowed, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else f"There is: {', '.join(list(allowed)[:10])}."
            raise DataError(f"The detector uses no column {name!r}. {hint}")
    return {name: allowed[name].read(value) for name, value in changes.items()}


def _check_there(detector: Detector, dataset: Dataset, names: set[str]) -> None:
    """Raise a DataError where a changed column is empty in these data, so that its values are filled in."""
    item_set = detector.reader.item_set(only_row(dataset, 0))
    filled = [name for part in item_set.absent if (name := item_set.shape.parts.names[part]) in names]
    if filled:
        raise DataError(
            f"Column {filled[0]!r} is empty in these data and is filled in from similar training rows, so a row can't "
            f"be scored with another value in it. Change other columns."
        )


def position(dataset: Dataset, row_id: str) -> int:
    """Position of a row in the data.

    Raises:
        DataError: there is no such row.
    """
    found = np.flatnonzero((dataset.rows["row_id"] == row_id).to_numpy())
    if not len(found):
        raise DataError(f"There is no row {row_id!r} in {dataset.name}. Check its id.")
    return int(found[0])


def only_row(dataset: Dataset, at: int, times: int = 1) -> Dataset:
    """A data set of one row, repeated `times` times."""
    chosen = [at] * times
    rows, data = (table.iloc[chosen].reset_index(drop=True) for table in (dataset.rows, dataset.data))
    return replace(dataset, data=data, rows=rows, is_training=dataset.is_training[chosen])


def in_words(cells: pd.Series, changes: Mapping[str, Any]) -> str:
    """Such as `amount 9,200 → 12.5, shop fuel → food`."""
    return described([Description(name, value=cells[name], to=value) for name, value in changes.items()])


def _scored(detector: Detector, copies: Dataset) -> tuple[pd.DataFrame, bool]:
    """As `Detector.score` returns it, for a row and changed copies of it; and whether the first has its own score."""
    item_set = detector.matched_items(copies)
    x = item_set.take(np.arange(len(item_set))).to(detector.device)
    made_of = detector.sources(item_set, np.arange(min(1, len(item_set))))
    with torch.no_grad():
        scores = detector.model.score_copies(x, made_of.copies(torch.zeros(len(x), dtype=torch.int64, device=x.device)))
    item_scores = scores.cpu().double().numpy()
    found, alike = (one.scored_rows(item_set, item_scores) for one in (detector, replace(detector, out_of_bag=None)))
    is_kept = np.allclose(found["score"], alike["score"], rtol=ELSEWHERE, equal_nan=True)
    return (found, True) if is_kept else (alike, False)


def _copies(dataset: Dataset, at: int, changes: Sequence[Mapping[str, Any]]) -> Dataset:
    """The row itself, and a changed copy for each set of changes; only the first keeps its id."""
    copies = only_row(dataset, at, 1 + len(changes))
    data = copies.data.copy()
    for name in {name for one in changes for name in one}:
        cells = data[name].astype("object").tolist()
        for line, one in enumerate(changes, start=1):
            cells[line] = one.get(name, cells[line])
        data[name] = pd.Series(cells, dtype="object").infer_objects()
    rows = copies.rows.copy()
    rows["row_id"] = [rows["row_id"].iloc[0], *(f"changed {i}" for i in range(1, len(rows)))]
    return replace(copies, data=data, rows=rows)
