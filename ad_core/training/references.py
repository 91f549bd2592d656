"""The classical detectors that are fitted with every run, on the same rows, and shown beside it."""

from collections.abc import Sequence
from time import perf_counter
from types import MethodType
from typing import cast

import numpy as np
import pandas as pd

from ad_core.data.item_set import ItemSet, Split
from ad_core.data.reservoir import drawn_items
from ad_core.methods.reference import REFERENCES, fitting_rows
from ad_core.progress import Report
from ad_core.training.fit import fit_reference
from ad_core.types import Modality

SHOWN: dict[Modality, tuple[str, ...]] = {
    Modality.IMAGE: (
        "isolation_forest",
        "nearest_neighbours",
        "principal_components",
        "patch_nearest_neighbours",
        "patch_gaussian",
    ),
    Modality.SENSOR: (
        "isolation_forest",
        "nearest_neighbours",
        "mahalanobis",
        "principal_components",
        "spectral_residual",
        "seasonal_naive",
    ),
}
"""Kinds of data that not all installed references suit; tables are shown beside all of them."""

MOST_ITEMS: dict[Modality, int] = {Modality.TABLE: 100_000, Modality.SENSOR: 100_000, Modality.IMAGE: 2_000}
"""Of more items a random sample is scored by the references."""


def references_for(modality: Modality) -> tuple[str, ...]:
    """Names of the classical detectors that a run of this kind of data is shown beside."""
    return SHOWN.get(modality) or tuple(REFERENCES.names(modality))


def classical_scores(
    item_set: ItemSet, split: Split, seed: int, report: Report, names: Sequence[str] | None = None
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Scores of the references, led back to the rows, and the seconds that each took.

    They are fitted on every item that may teach, early-stop and calibration items included: the comparison must be hard
    on the method, and references are not calibrated.

    Args:
        names: which ones; None = all that a run of this kind of data is shown beside.

    Returns:
        `row_id` and a score column per reference, NaN where a row was not in the sample; seconds by reference.
    """
    most = MOST_ITEMS[item_set.shape.modality]
    index = drawn_items(np.arange(len(item_set)), most, seed)
    if len(index) < len(item_set):
        report.say(f"The classical detectors score a random sample of {most:,} of {len(item_set):,} items.")
    every = np.sort(np.concatenate([split.fit, split.early_stop, split.calibration]))
    teaching = Split(every, every[:0], every[:0])
    wanted = list(names or references_for(item_set.shape.modality))
    scores: dict[str, np.ndarray] = {}
    seconds: dict[str, float] = {}
    for alike in _seeing_the_same(wanted):
        found, took = _scored_together(alike, item_set, teaching, index, seed, report)
        scores, seconds = scores | found, seconds | took
    table, scored = item_set.rows[["row_id"]].reset_index(drop=True), item_set.only(index)
    for name in wanted:
        table[name] = scored.reduce(scores[name])
    return table, {name: seconds[name] for name in wanted}


def _seeing_the_same(names: Sequence[str]) -> list[list[str]]:
    """The references grouped by what they see of an item: that is made once for each group."""
    groups: dict[object, list[str]] = {}
    for name in names:
        groups.setdefault(cast(MethodType, REFERENCES.get(name).vectors).__func__, []).append(name)
    return list(groups.values())


def _scored_together(
    names: Sequence[str], item_set: ItemSet, teaching: Split, index: np.ndarray, seed: int, report: Report
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Scores of the items at these positions by each reference, and its seconds, each with all of what is shared."""
    modality, began = item_set.shape.modality, perf_counter()
    rows = fitting_rows(REFERENCES.get(names[0]), item_set, teaching.fit, seed)
    shared, own = perf_counter() - began, dict.fromkeys(names, 0.0)
    models, scores = {}, {name: np.empty(len(index)) for name in names}
    for name in names:
        report.check()
        began = perf_counter()
        models[name] = fit_reference(name, {}, item_set, teaching, seed, report, rows)
        own[name] += perf_counter() - began
    done = 0
    for batch in item_set.batches(index, item_set.items_at_a_time):
        report.check()
        began = perf_counter()
        vectors = models[names[0]].reference.vectors(batch.x, modality)
        shared += perf_counter() - began
        for name, model in models.items():
            began = perf_counter()
            scores[name][done : done + len(vectors)] = model.reference.score(vectors)
            own[name] += perf_counter() - began
        done += len(vectors)
        report.step(done / len(index))
    return scores, {name: shared + took for name, took in own.items()}
