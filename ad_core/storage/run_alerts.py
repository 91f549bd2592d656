"""Which rows of a stored run are alerts, by the rule that was saved for its detector."""

from typing import TYPE_CHECKING

import numpy as np

from ad_core.alerts.threshold import Alerts, Rule, apply, default_rule
from ad_core.storage import bundle, results, saved_thresholds
from ad_core.storage.run_calibration import calibration_of

if TYPE_CHECKING:
    from ad_core.storage.store import Store


def alerts_of(store: "Store", run_id: str, rule: Rule | None = None) -> Alerts:
    """What a rule does to a run, its rows as in `results.ranked`.

    Args:
        rule: None = the saved one; where none was saved, what suits the calibration.

    Raises:
        StoreError: the run does not exist, or has no scores yet.
        BundleError: the detector is gone or damaged.
        DataError: the rule has a segment that is not known.
    """
    rows = results.ranked(store, run_id)
    smallest = results.smallest_p(store, run_id)
    chosen = (
        rule or saved_thresholds.current(store, run_id) or default_rule(smallest if np.isfinite(smallest) else None)
    )
    folder = store.folder(results.detector_run(store, run_id).id) / "bundle"
    return apply(chosen, rows, calibration_of(store, run_id), bundle.part(folder, "calibration_rows"))
