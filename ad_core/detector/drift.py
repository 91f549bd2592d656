"""Whether a guarantee about alerts holds for a new file: only while its rows are like the calibration rows.

A p-value is the probability that a normal row scores so high, where normal means: like the calibration rows. If a new
file as a whole differs, its scores still rank its rows, but nothing is guaranteed. If only some rows differ, such as
those of a shop that was never seen, the guarantee is void for these rows alone.

Three things are compared: each column with its histogram of the training rows; the levels of categories; and, for the
rows that these leave, the scores with those of the calibration rows (see `score_shift`).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ad_core.alerts.calibration import Calibration
from ad_core.data.dataset import Column, ColumnKind, Dataset, Role, Schema
from ad_core.data.histograms import ColumnHistogram, histograms_of
from ad_core.data.item_set import ItemSet
from ad_core.data.profiling import drift_from
from ad_core.data.reservoir import drawn_items
from ad_core.detector.drift_gate import Gate
from ad_core.detector.score_shift import HIGH, many_high, score_shift
from ad_core.errors import DataError
from ad_core.types import Modality

if TYPE_CHECKING:
    from ad_core.detector.detector import Detector

MOST_ROWS = 200_000
"""Maximum number of rows on either side; of more rows a random sample is compared."""

LEAST_USUAL, FEWEST_USUAL = 0.1, 20
"""Minimum share and number of rows that don't score high for a comparison without those that do."""

MEASURES = ("brightness", "contrast", "sharpness")
"""Measures by which images are compared."""


def histograms_of_training(dataset: Dataset, usual: np.ndarray | None = None) -> tuple[ColumnHistogram, ...] | None:
    """What `gate` compares new data with; None for images, which are compared with the detector's normal images.

    Args:
        usual: (rows,) bool, see `usual_rows`; None = not known.
    """
    if dataset.modality is Modality.IMAGE:
        return None
    at = drawn_items(np.flatnonzero(dataset.is_training), MOST_ROWS, 0)
    return histograms_of(dataset.data.iloc[at], dataset.schema, None if usual is None else usual[at])


def usual_rows(score: np.ndarray, calibration: Calibration) -> np.ndarray:
    """(rows,) bool: rows without a score, or with one below the 75 % quantile of the calibration."""
    return np.asarray(~(score > np.quantile(calibration.scores, 1 - HIGH)))


def of_columns(histograms: Sequence[ColumnHistogram], new: pd.DataFrame, usual: np.ndarray | None = None) -> Gate:
    """Compare tables or recordings column by column.

    Args:
        histograms: of the rows that the detector was trained and calibrated on.
        new: the rows of the new file, in order.
        usual: (rows,) bool: rows that don't score high. A column that only the others have moved shows anomalies, and
            no drift. None = not known.
    """
    return _judged(histograms, new, _never_seen(histograms, new), usual)


def of_images(normals: np.ndarray, item_set: ItemSet, usual: np.ndarray | None = None) -> Gate:
    """Compare images by their brightness, contrast and sharpness.

    Args:
        normals: (m, channel, y, x) in 0..1, training images.
        usual: (rows,) bool, as in `of_columns`.
    """
    index = drawn_items(np.arange(len(item_set)), 2000, 0)
    old = pd.DataFrame(_measures(normals), columns=MEASURES)
    new = pd.DataFrame(
        np.concatenate(
            [_measures(item_set.take(part).numpy()) for part in np.array_split(index, max(1, len(index) // 64))]
        ),
        columns=MEASURES,
    )
    is_usual = None if usual is None else np.isin(index, item_set.items_within(usual))
    found = _judged(histograms_of(old, _measured_schema()), new, np.full(len(new), "", dtype=object), is_usual)
    return replace(found, outside=np.full(len(item_set.rows), "", dtype=object))


def gate(
    detector: "Detector", new: Dataset, scores: pd.DataFrame, item_set: ItemSet, trained: Dataset | None = None
) -> Gate:
    """Compare a new file with the training data, and its scores with those of the calibration rows.

    Args:
        scores: of rows of the new data, with `used_for` where training rows are marked: they are not compared.
        item_set: of the new data.
        trained: the data set that the detector was trained on; needed only where its bundle holds no histograms.

    Returns:
        Its `outside` runs parallel to the scores.

    Raises:
        DataError: a score belongs to no row of the new data.
    """
    at = pd.Index(new.rows["row_id"]).get_indexer(scores["row_id"])
    if (at < 0).any():
        raise DataError(
            f"{(at < 0).sum():,} of {len(at):,} scores belong to no row of {new.name!r}. Give the data that they are "
            "of."
        )
    score = scores["score"].to_numpy(dtype=np.float64)
    usual = usual_rows(score, detector.calibration)
    found = _of_data(detector, new.data.iloc[at], (item_set, at), usual, trained)
    if found.state == "withdrawn":
        return found
    covered = _covered(scores, item_set.rows["sample"].to_numpy()[at] // item_set.span, found.outside, item_set.span)
    if (shift := score_shift(covered, detector.calibration)) is not None:
        return replace(found, state="withdrawn", shift=shift)
    high = many_high(covered, detector.calibration)
    return found if high is None else replace(found, state="watch" if found.state == "same" else found.state, high=high)


def _of_data(
    detector: "Detector",
    data: pd.DataFrame,
    items: tuple[ItemSet, np.ndarray],
    usual: np.ndarray,
    trained: Dataset | None,
) -> Gate:
    """The comparison without the scores' own; `items` are the new items, and the positions of the compared rows."""
    item_set, at = items
    if detector.modality is Modality.IMAGE and len(item_set):
        of_all = np.zeros(len(item_set.rows), dtype=bool)
        of_all[at] = usual
        return replace(of_images(detector.normals.x.numpy(), item_set, of_all), outside=_nowhere(len(at)))
    histograms = detector.histograms
    if histograms is None and trained is not None:
        histograms = histograms_of_training(trained)
    if histograms is None:
        return Gate("unknown", drift_from((), data), _nowhere(len(at)))
    return of_columns(histograms, data, usual)


def _nowhere(rows: int) -> np.ndarray:
    return np.full(rows, "", dtype=object)


def _covered(scores: pd.DataFrame, block: np.ndarray, outside: np.ndarray, span: int) -> np.ndarray:
    """(k,) scores of the new rows that are covered so far; of recordings the highest of each block."""
    score = scores["score"].to_numpy(dtype=np.float64)
    covered = np.isfinite(score) & (outside == "")
    if "used_for" in scores:
        covered &= (scores["used_for"] == "").to_numpy()
    if span > 1:
        return np.asarray(pd.Series(score[covered]).groupby(block[covered]).max())
    return np.asarray(score[covered])


def _judged(
    histograms: Sequence[ColumnHistogram], new: pd.DataFrame, outside: np.ndarray, usual: np.ndarray | None
) -> Gate:
    """The verdict on all columns; a column that only rows outside or rows with high scores have moved is watched."""
    strange = outside != ""
    columns = drift_from(histograms, _sample(new))
    moved = set(columns.loc[columns["verdict"] == "act", "column"])
    if moved:
        rest = ~strange if not strange.all() else np.ones(len(new), dtype=bool)
        kept = rest if usual is None else rest & usual
        by_usual = usual is not None and kept.sum() >= max(FEWEST_USUAL, LEAST_USUAL * rest.sum())
        rest = kept if by_usual else rest
        of_rest = columns if rest.all() else drift_from(histograms, _sample(new[rest]), usual=by_usual)
        still = set(of_rest.loc[of_rest["verdict"] == "act", "column"])
        columns["verdict"] = columns["verdict"].where(~columns["column"].isin(moved - still), "watch")
        if still:
            return Gate("withdrawn", columns, outside)
    if strange.any():
        return Gate("withdrawn for some rows", columns, outside)
    return Gate("watch" if "watch" in set(columns["verdict"]) else "same", columns, outside, by_high=bool(moved))


def _sample(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.iloc[drawn_items(np.arange(len(rows)), MOST_ROWS, 0)]


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
