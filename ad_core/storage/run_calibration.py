"""The calibration behind the p-values of a stored run."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ad_core.alerts.calibration import Calibration
from ad_core.alerts.calibration_rows import marked
from ad_core.alerts.threshold import USED_FOR
from ad_core.storage import bundle, results

if TYPE_CHECKING:
    from ad_core.storage.store import Store

REVIEW = "calibration_review"
"""The bundle part with the rows that a review left out of the calibration, the author and the time."""


def calibration_of(store: "Store", run_id: str) -> Calibration:
    """The calibration of the run's detector.

    If its bundle is gone or holds none, the calibration is fitted again to the scores of the training run's calibration
    rows; it is empty if these are not known either.

    Raises:
        StoreError: the run does not exist, or the scores of its training are gone.
        BundleError: the bundle is damaged.
    """
    training = results.detector_run(store, run_id)
    folder = store.folder(training.id)
    if (folder / "bundle" / bundle.MANIFEST).exists():
        frame, facts = (bundle.part(folder / "bundle", name) for name in ("calibration", "calibration_facts"))
        if frame is not None and facts is not None:
            return Calibration.from_frame(frame, facts)
    scores = calibration_scores(results.ranked(store, training.id), results.facts(store, training.id))
    known = np.zeros(0) if scores is None else scores[np.isfinite(scores)]
    return Calibration.fit(known) if len(known) else Calibration(known, np.zeros(0, dtype=bool))


def calibration_scores(rows: pd.DataFrame, facts: dict[str, Any]) -> np.ndarray | None:
    """Scores of the calibration rows of a training run; None if they are not known.

    An ensemble with cross-fitted scores is calibrated with all training rows.

    Args:
        rows: the run's score table.
        facts: the run's summary.
    """
    if "used_for" not in rows:
        return None
    kept_apart = (rows["used_for"] == "calibration").to_numpy()
    if ((facts.get("calibration") or {}).get("rows") or 0) > kept_apart.sum():
        kept_apart = rows["used_for"].isin(USED_FOR).to_numpy()
    return np.asarray(rows["score"].to_numpy()[kept_apart])


def calibration_rows_of(folder: Path) -> pd.DataFrame | None:
    """The calibration rows in a bundle, marked where a review left some out; None in bundles that don't have them.

    Raises:
        BundleError: the bundle is damaged.
    """
    return reviewed(bundle.part(folder, "calibration_rows"), bundle.part(folder, REVIEW))


def reviewed(rows: pd.DataFrame | None, review: Mapping[str, Any] | None) -> pd.DataFrame | None:
    """Calibration rows, marked as a review left them; older bundles have the ids in the review only."""
    return rows if rows is None or review is None or "left_out" in rows else marked(rows, review["left_out"])
