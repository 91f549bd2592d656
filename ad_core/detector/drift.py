"""Whether a guarantee about alerts holds for a new file: only while its rows are like the calibration rows.

A p-value is the probability that a normal row scores so high, where normal means: like the calibration rows. If a new
file as a whole differs, its scores still rank its rows, but nothing is guaranteed. If only some rows differ, such as
those of a shop that was never seen, the guarantee is void for these rows alone.

Three things are compared: each column with its histogram of the training rows; the levels of categories; and, for the
rows that these leave, the scores with those of the calibration rows (see `score_shift`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from ad_core.data.dataset import Column, ColumnKind, Dataset, Role, Schema
from ad_core.data.histograms import ColumnHistogram, histograms_of
from ad_core.data.item_set import ItemSet
from ad_core.data.profiling import WHOLLY, drift, drift_from
from ad_core.data.reservoir import drawn_items
from ad_core.detector.score_shift import VERY_HIGH, ScoreShift, many_high, score_shift
from ad_core.types import Modality

if TYPE_CHECKING:
    from ad_core.detector.detector import Detector

State = Literal["same", "watch", "withdrawn", "withdrawn for some rows", "unknown"]

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
    """Unknown: nothing is known of the training data, so only the scores were compared."""
    columns: pd.DataFrame
    """As `profiling.drift` gives them."""
    outside: np.ndarray
    """(rows,) str: why nothing is guaranteed for this row by itself, else ""."""
    shift: ScoreShift | None = None
    """The shift of the scores, where there is one."""
    high: float | None = None
    """See `score_shift.many_high`."""

    @property
    def withdrawn(self) -> np.ndarray:
        """(rows,) str: why nothing is guaranteed for this row, by itself or as one of this file, else ""."""
        if self.state != "withdrawn":
            return self.outside
        return np.where(self.outside == "", self._reason, self.outside)

    @property
    def sentence(self) -> str:
        """What the comparison means for the alerts."""
        if self.high is None or self.state == "withdrawn":
            return self._of_state
        remark = (
            f"{self.high:.0%} of the rows score higher than {1 - VERY_HIGH:.0%} of the calibration rows do. If not all "
            "of these are anomalies, normal rows score higher than before, and the guarantee does not hold."
        )
        return remark if self.state == "watch" and not self._moved else f"{self._of_state} {remark}"

    @property
    def _of_state(self) -> str:
        count = int((self.outside != "").sum())
        if self.state == "withdrawn":
            clocks = [repr(line.column) for line in self._away if line.kind == ColumnKind.DATE]
            without = f", or without {' and '.join(clocks)}," if clocks else ""
            return (
                f"{self._reason} Scores still rank the rows, but no error rate is guaranteed. Train on newer rows"
                f"{without} to have a guarantee again."
            )
        if self.state == "withdrawn for some rows":
            rows, them = ("row holds", "it") if count == 1 else ("rows hold", "them")
            return (
                f"{count:,} {rows} values that were never seen. No error rate is guaranteed among {them}. In no "
                "single column, nor in their scores, do the other rows differ much from those that the detector was "
                "calibrated with."
            )
        if self.state == "watch":
            return (
                f"These data differ a little from those that the detector was calibrated with, most in {self._moved}. "
                "The realised error rates may differ somewhat from the guaranteed ones."
            )
        if self.state == "unknown":
            return (
                "Whether these data are like those that the detector was calibrated with could not be checked column "
                "by column: the detector is of an older version. Train it again to have the check."
            )
        return (
            "In every single column, and in their scores, these data are like those that the detector was calibrated "
            "with."
        )

    @property
    def _away(self) -> list[Any]:
        """Lines of the columns that lie beyond the range of the training rows as a whole."""
        return [line for line in self.columns.itertuples() if line.verdict == "act" and line.outside > WHOLLY]

    @property
    def _moved(self) -> str:
        moved = self.columns.loc[self.columns["verdict"] != "stable", "column"].tolist()
        return ", ".join(moved[:NAMED]) + (f" and {len(moved) - NAMED} more" if len(moved) > NAMED else "")

    @property
    def _reason(self) -> str:
        """Why nothing is guaranteed for the whole file."""
        if away := self._away:
            named = ", ".join(f"{line.column!r} ({line.outside:.0%} of its values)" for line in away[:NAMED])
            more = f" and {len(away) - NAMED} more" if len(away) > NAMED else ""
            return f"Beyond the range of the training rows lies {named}{more}."
        if "act" in set(self.columns["verdict"]):
            return f"These data differ from those that the detector was calibrated with, most in {self._moved}."
        return "" if self.shift is None else self.shift.sentence

    def facts(self) -> dict[str, Any]:
        """JSON-able, for a run's summary."""
        lines = self.columns.head(LISTED).to_dict("records")
        return {
            "state": self.state,
            "sentence": self.sentence,
            "columns": lines,
            "rows": int((self.outside != "").sum()),
        }


def histograms_of_training(dataset: Dataset) -> tuple[ColumnHistogram, ...] | None:
    """What `gate` compares new data with; None for images, which are compared with the detector's normal images."""
    if dataset.modality is Modality.IMAGE:
        return None
    data = dataset.data[dataset.is_training]
    return histograms_of(data.iloc[drawn_items(np.arange(len(data)), MOST_ROWS, 0)], dataset.schema)


def of_columns(histograms: Sequence[ColumnHistogram], new: pd.DataFrame) -> Gate:
    """Compare tables or recordings column by column.

    Args:
        histograms: of the rows that the detector was trained and calibrated on.
        new: the rows of the new file, in order.
    """
    outside = _never_seen(histograms, new)
    columns = drift_from(histograms, new.iloc[drawn_items(np.arange(len(new)), MOST_ROWS, 0)])
    return Gate(_state(columns, histograms, new, outside), columns, outside)


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
    return Gate(_state(columns, histograms_of(old, schema), new, nowhere), columns, nowhere)


def gate(
    detector: "Detector", new: Dataset, scores: pd.DataFrame, item_set: ItemSet, trained: Dataset | None = None
) -> Gate:
    """Compare a new file with the training data, and its scores with those of the calibration rows.

    Args:
        scores: of the new data, with `used_for` where training rows are marked: they are not compared.
        item_set: of the new data.
        trained: the data set that the detector was trained on; needed only where its bundle holds no histograms.
    """
    found = _of_data(detector, new, item_set, trained)
    if found.state == "withdrawn":
        return found
    covered = _compared(scores, item_set, found.outside)
    if (shift := score_shift(covered, detector.calibration)) is not None:
        return replace(found, state="withdrawn", shift=shift)
    high = many_high(covered, detector.calibration)
    return found if high is None else replace(found, state="watch" if found.state == "same" else found.state, high=high)


def _of_data(detector: "Detector", new: Dataset, item_set: ItemSet, trained: Dataset | None) -> Gate:
    if detector.modality is Modality.IMAGE and len(item_set):
        return of_images(detector.normals.x.numpy(), item_set)
    histograms = detector.histograms
    if histograms is None and trained is not None:
        histograms = histograms_of_training(trained)
    if histograms is None:
        nothing = drift_from((), new.data)
        return Gate("unknown", nothing, np.full(len(new), "", dtype=object))
    return of_columns(histograms, new.data)


def _compared(scores: pd.DataFrame, item_set: ItemSet, outside: np.ndarray) -> np.ndarray:
    """(k,) scores of the new rows that are covered so far; of recordings the highest of each block."""
    score = scores["score"].to_numpy(dtype=np.float64)
    covered = np.isfinite(score) & (outside == "")
    if "used_for" in scores:
        covered &= (scores["used_for"] == "").to_numpy()
    if item_set.span > 1:
        block = item_set.rows["sample"].to_numpy()[covered] // item_set.span
        return np.asarray(pd.Series(score[covered]).groupby(block).max())
    return np.asarray(score[covered])


def _state(
    columns: pd.DataFrame, histograms: Sequence[ColumnHistogram], new: pd.DataFrame, outside: np.ndarray
) -> State:
    verdicts = set(columns["verdict"])
    strange = outside != ""
    if "act" in verdicts:
        rest = drift_from(histograms, new[~strange]) if strange.any() and not strange.all() else columns
        return "withdrawn" if "act" in set(rest["verdict"]) else "withdrawn for some rows"
    if strange.any():
        return "withdrawn for some rows"
    return "watch" if "watch" in verdicts else "same"


def _never_seen(histograms: Sequence[ColumnHistogram], new: pd.DataFrame) -> np.ndarray:
    """(rows,) str: the first category of each row that no training row has."""
    found = np.full(len(new), "", dtype=object)
    for histogram in histograms:
        if histogram.name in new:
            values = new[histogram.name]
            first = histogram.never_seen(values) & (found == "")
            found[first] = [f"{histogram.name} {value!s} was never seen" for value in values[first]]
    return found


def _measures(x: np.ndarray) -> np.ndarray:
    """(n, channel, y, x) in 0..1 -> (n, 3)."""
    grey = x.mean(1)
    edges = np.abs(np.diff(grey, axis=1)).mean((1, 2)) + np.abs(np.diff(grey, axis=2)).mean((1, 2))
    return np.stack([grey.mean((1, 2)), grey.std((1, 2)), edges], axis=1)


def _measured_schema() -> Schema:
    return Schema(columns=tuple(Column(name=name, role=Role.FEATURE, kind=ColumnKind.NUMBER) for name in MEASURES))
