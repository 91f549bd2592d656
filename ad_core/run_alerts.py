"""Which rows of a stored run are alerts, by the rule that was saved for its detector."""

from typing import TYPE_CHECKING

import numpy as np

from ad_core import bundle, results, thresholds
from ad_core.calibration import Calibration
from ad_core.threshold import Alerts, Rule, apply, default_rule

if TYPE_CHECKING:
    from ad_core.store import Store


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
    chosen = rule or thresholds.current(store, run_id) or default_rule(smallest if np.isfinite(smallest) else None)
    folder = store.folder(results.detector_run(store, run_id).id) / "bundle"
    table, facts = (bundle.part(folder, name) for name in ("calibration", "calibration_facts"))
    known = table is not None and facts is not None
    calibration = Calibration.from_frame(table, facts) if known else Calibration(np.zeros(0), np.zeros(0, dtype=bool))
    return apply(chosen, rows, calibration, bundle.part(folder, "calibration_rows"))
