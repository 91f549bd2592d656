"""The classical detectors that every run is compared with, fitted on the same rows."""

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter
from types import MethodType
from typing import cast

import numpy as np
import pandas as pd

from ad_core.data.item_set import Split
from ad_core.data.reservoir import drawn_items
from ad_core.methods.reference import REFERENCES, fitting_rows
from ad_core.training.fit import fit_reference
from ad_core.training.fit_inputs import Fit
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
"""The references for kinds of data that not all of them suit; tables are compared with all."""

MOST_ITEMS: dict[Modality, int] = {Modality.TABLE: 100_000, Modality.SENSOR: 100_000, Modality.IMAGE: 2_000}
"""Maximum number of items that the references score; of more, a random sample is scored."""


def references_for(modality: Modality) -> tuple[str, ...]:
    """Names of the classical detectors that a run of this kind of data is compared with."""
    return SHOWN.get(modality) or tuple(REFERENCES.names(modality))


def classical_scores(fit: Fit, names: Sequence[str] | None = None) -> tuple[pd.DataFrame, dict[str, float]]:
    """Scores of the rows by each reference, and the seconds that each took.

    They are fitted on all training items, including the early-stop and calibration items. References need neither, and
    the comparison shall not favour the method.

    Args:
        names: of the references; None = all for this kind of data.

    Returns:
        `row_id` and a score column per reference, NaN for rows outside the sample; seconds by reference.
    """
    item_set, split, most = fit.item_set, fit.split, MOST_ITEMS[fit.modality]
    index = drawn_items(np.arange(len(item_set)), most, fit.seed)
    if len(index) < len(item_set):
        fit.report.say(f"The classical detectors score a random sample of {most:,} of {len(item_set):,} items.")
    every = np.sort(np.concatenate([split.fit, split.early_stop, split.calibration]))
    fit = replace(fit, split=Split(every, every[:0], every[:0]))
    wanted = list(names or references_for(fit.modality))
    scores: dict[str, np.ndarray] = {}
    seconds: dict[str, float] = {}
    for group in _with_equal_vectors(wanted):
        found, took = _scored_together(group, fit, index)
        scores, seconds = scores | found, seconds | took
    table, scored = item_set.rows[["row_id"]].reset_index(drop=True), item_set.only(index)
    for name in wanted:
        table[name] = scored.reduce(scores[name])
    return table, {name: seconds[name] for name in wanted}


def _with_equal_vectors(names: Sequence[str]) -> list[list[str]]:
    """The references grouped by their input vectors, which are computed once per group."""
    groups: dict[object, list[str]] = {}
    for name in names:
        groups.setdefault(cast(MethodType, REFERENCES.get(name).vectors).__func__, []).append(name)
    return list(groups.values())


def _scored_together(
    names: Sequence[str], fit: Fit, index: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Scores of the items at these positions by each reference, and its seconds, including those of shared work."""
    item_set, began = fit.item_set, perf_counter()
    rows = fitting_rows(REFERENCES.get(names[0]), item_set, fit.split.fit, fit.seed)
    shared, own = perf_counter() - began, dict.fromkeys(names, 0.0)
    models, scores = {}, {name: np.empty(len(index)) for name in names}
    for name in names:
        fit.report.check()
        began = perf_counter()
        models[name] = fit_reference(name, fit, rows=rows)
        own[name] += perf_counter() - began
    done = 0
    for batch in item_set.batches(index, item_set.items_at_a_time):
        fit.report.check()
        began = perf_counter()
        vectors = models[names[0]].reference.vectors(batch.x, fit.modality)
        shared += perf_counter() - began
        for name, model in models.items():
            began = perf_counter()
            scores[name][done : done + len(vectors)] = model.reference.score(vectors)
            own[name] += perf_counter() - began
        done += len(vectors)
        fit.report.step(done / len(index))
    return scores, {name: shared + took for name, took in own.items()}
