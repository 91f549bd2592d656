"""Whether a guarantee about alerts holds for a new file: only while its rows are like the calibration rows.

A p-value is the probability that a normal row scores so high, where normal means: like the calibration rows. If a new
file as a whole differs, its scores still rank its rows, but nothing is guaranteed. If only some rows differ, such as
those of a shop that was never seen, the guarantee is void for these rows alone.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from ad_core.data.dataset import Column, ColumnKind, Dataset, Role, Schema
from ad_core.data.item_set import ItemSet
from ad_core.data.profiling import drift
from ad_core.data.reservoir import drawn_items
from ad_core.data.tables.values import coded, date_format
from ad_core.data.tables.watched_encoding import learn_watched
from ad_core.detector.detector import Detector
from ad_core.types import Modality

State = Literal["same", "watch", "withdrawn", "withdrawn for some rows"]

MOST_ROWS = 200_000
"""Maximum number of rows on either side; of more rows a random sample is compared."""

NAMED, LISTED = 3, 20
"""Maximum number of columns that the sentence names, and that are kept with the run."""

MEASURES = ("brightness", "contrast", "sharpness")
"""Measures by which images are compared."""


@dataclass(frozen=True)
class Gate:
    """How a new file compares with the training data."""

    state: State
    columns: pd.DataFrame
    """As `profiling.drift` gives them."""
    outside: np.ndarray
    """(rows,) str: why nothing is guaranteed for this row, else ""."""

    @property
    def sentence(self) -> str:
        """What the comparison means for the alerts."""
        moved = self.columns.loc[self.columns["verdict"] != "stable", "column"].tolist()
        named = ", ".join(moved[:NAMED]) + (f" and {len(moved) - NAMED} more" if len(moved) > NAMED else "")
        count = int((self.outside != "").sum())
        if self.state == "withdrawn":
            return (
                f"These data differ from those that the detector was calibrated with, most in {named}. Scores still "
                "rank the rows, but no error rate is guaranteed. Train on newer rows to have a guarantee again."
            )
        if self.state == "withdrawn for some rows":
            return (
                f"{count:,} rows hold values that were never seen. No error rate is guaranteed among them. In no "
                "single column do the other rows differ much from those that the detector was calibrated with."
            )
        if self.state == "watch":
            return (
                f"These data differ a little from those that the detector was calibrated with, most in {named}. The "
                "realised error rates may differ somewhat from the guaranteed ones."
            )
        return "In every single column these data are like those that the detector was calibrated with."

    def facts(self) -> dict[str, Any]:
        """JSON-able, for a run's summary."""
        lines = self.columns.head(LISTED).to_dict("records")
        return {
            "state": self.state,
            "sentence": self.sentence,
            "columns": lines,
            "rows": int((self.outside != "").sum()),
        }


def of_columns(reference: pd.DataFrame, new: pd.DataFrame, schema: Schema) -> Gate:
    """Compare tables or recordings column by column.

    Args:
        reference: the rows that the detector was trained and calibrated on.
        new: the rows of the new file, in order.
        schema: of the reference rows.
    """
    reference = reference.iloc[drawn_items(np.arange(len(reference)), MOST_ROWS, 0)]
    outside = _never_seen(reference, new, schema)
    known = new[outside == ""]
    columns = drift(reference, new.iloc[drawn_items(np.arange(len(new)), MOST_ROWS, 0)], schema)
    return Gate(_state(columns, reference, known, schema, outside), columns, outside)


def of_images(normals: np.ndarray, item_set: ItemSet) -> Gate:
    """Compare images by their brightness, contrast and sharpness.

    Args:
        normals: (m, channel, y, x) in 0..1, training images.
    """
    index = drawn_items(np.arange(len(item_set)), 2000, 0)
    old = pd.DataFrame(_measures(normals), columns=MEASURES)
    new = pd.DataFrame(
        np.concatenate(
            [_measures(item_set.take(part).numpy()) for part in np.array_split(index, max(1, len(index) // 64))]
        ),
        columns=MEASURES,
    )
    schema, nowhere = _measured_schema(), np.full(len(item_set.rows), "", dtype=object)
    columns = drift(old, new, schema)
    return Gate(_state(columns, old, new, schema, nowhere), columns, nowhere)


def gate(detector: Detector, trained: Dataset | None, new: Dataset, item_set: ItemSet) -> Gate | None:
    """Compare a new file with the training data; None where these can't be opened any more.

    Args:
        trained: the data set that the detector was trained on.
        item_set: of the new data.
    """
    if detector.modality is Modality.IMAGE:
        return of_images(detector.normals.x.numpy(), item_set) if len(item_set) else None
    if trained is None:
        return None
    return of_columns(trained.data[trained.is_training], new.data, trained.schema)


def _state(
    columns: pd.DataFrame, reference: pd.DataFrame, known: pd.DataFrame, schema: Schema, outside: np.ndarray
) -> State:
    verdicts = set(columns["verdict"])
    if "act" in verdicts:
        rest = drift(reference, known, schema) if (outside != "").any() and len(known) else columns
        return "withdrawn" if "act" in set(rest["verdict"]) else "withdrawn for some rows"
    if (outside != "").any():
        return "withdrawn for some rows"
    return "watch" if "watch" in verdicts else "same"


def _never_seen(reference: pd.DataFrame, new: pd.DataFrame, schema: Schema) -> np.ndarray:
    """(rows,) str: the first value of each row, of a category or of what never changed, that no reference row has."""
    found = np.full(len(new), "", dtype=object)
    for column in schema.columns:
        name = column.name
        if column.role not in (Role.FEATURE, Role.WATCHED) or name not in reference or name not in new:
            continue
        strange = _strange(column, reference[name], new[name])
        if strange is not None:
            first = strange & (found == "")
            found[first] = [f"{name} {value!s} was never seen" for value in new[name][first]]
    return found


def _strange(column: Column, reference: pd.Series, new: pd.Series) -> np.ndarray | None:
    """(rows,) bool: values that no reference row has; None for columns whose values vary without end."""
    never_changes = column.role is Role.WATCHED or (column.kind is ColumnKind.NUMBER and reference.nunique() <= 1)
    if never_changes:
        is_text = column.kind is ColumnKind.DATE and not pd.api.types.is_datetime64_any_dtype(reference)
        form = date_format(coded(reference).levels)[0] if is_text else None
        watched = learn_watched(column, reference, form)
        return None if watched is None else np.asarray(watched.encode(new)[:, 0] != 0)
    if column.kind not in (ColumnKind.CATEGORY, ColumnKind.BOOLEAN):
        return None
    values, known = coded(new), set(coded(reference).levels)
    return np.asarray(np.array([*(level not in known for level in values.levels), False])[values.codes])


def _measures(x: np.ndarray) -> np.ndarray:
    """(n, channel, y, x) in 0..1 -> (n, 3)."""
    grey = x.mean(1)
    edges = np.abs(np.diff(grey, axis=1)).mean((1, 2)) + np.abs(np.diff(grey, axis=2)).mean((1, 2))
    return np.stack([grey.mean((1, 2)), grey.std((1, 2)), edges], axis=1)


def _measured_schema() -> Schema:
    return Schema(columns=tuple(Column(name=name, role=Role.FEATURE, kind=ColumnKind.NUMBER) for name in MEASURES))
