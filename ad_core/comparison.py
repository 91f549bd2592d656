"""The classical detectors that are fitted with every run, on the same rows, and shown beside it."""

from collections.abc import Sequence
from time import perf_counter

import numpy as np
import pandas as pd

from ad_core.progress import Report
from ad_core.reference import REFERENCES
from ad_core.training import fit_reference, score_items
from ad_core.types import Frame, Modality, Split

SHOWN: dict[Modality, tuple[str, ...]] = {
    Modality.IMAGE: ("isolation_forest", "nearest_neighbours"),
    Modality.SENSOR: (
        "isolation_forest", "nearest_neighbours", "mahalanobis", "principal_components", "spectral_residual",
        "seasonal_naive",
    ),
}  # fmt: skip
"""Kinds of data that not all installed references suit; tables are shown beside all of them."""

MOST_ITEMS = 100_000
"""Of more items a random sample is scored by the references."""


def references_for(modality: Modality) -> tuple[str, ...]:
    """Names of the classical detectors that a run of this kind of data is shown beside."""
    return SHOWN.get(modality) or tuple(REFERENCES.names(modality))


def compared(
    frame: Frame, split: Split, seed: int, report: Report, names: Sequence[str] | None = None
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Scores of the references, led back to the rows, and the seconds that each took.

    They are fitted on every item that may teach, early-stop and calibration items included: the comparison must be hard
    on the method, and references are not calibrated.

    Args:
        names: which ones; None = all that a run of this kind of data is shown beside.

    Returns:
        `row_id` and a score column per reference, NaN where a row was not in the sample; seconds by reference.
    """
    index = np.arange(len(frame))
    if len(index) > MOST_ITEMS:
        index = np.sort(np.random.default_rng(seed).choice(index, MOST_ITEMS, replace=False))
        report.say(f"The classical detectors score a random sample of {MOST_ITEMS:,} of {len(frame):,} items.")
    every = np.sort(np.concatenate([split.fit, split.early_stop, split.calibration]))
    teaching = Split(every, every[:0], every[:0])
    scored, seconds = frame.only(index), {}
    table = frame.rows[["row_id"]].reset_index(drop=True)
    for name in names or references_for(frame.shape.modality):
        report.check()
        began = perf_counter()
        model = fit_reference(name, {}, frame, teaching, seed, report)
        table[name] = scored.reduce(score_items(model, frame, index, report=report))
        seconds[name] = perf_counter() - began
    return table, seconds
