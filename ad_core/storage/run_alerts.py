"""Which rows of a stored run are alerts, by the rule in force."""

from typing import TYPE_CHECKING

from ad_core.alerts.threshold import Alerts, Rule, apply, rule_in_force
from ad_core.storage import results, saved_thresholds
from ad_core.storage.run_calibration import calibration_of, calibration_rows_of

if TYPE_CHECKING:
    from ad_core.storage.store import Store


def rule_of(store: "Store", run_id: str) -> Rule:
    """The rule in force for a run: the one saved for its detector, else the default for its calibration.

    Raises:
        StoreError: the run does not exist.
    """
    return rule_in_force(saved_thresholds.current(store, run_id), results.smallest_p(store, run_id))


def alerts_of(store: "Store", run_id: str, rule: Rule | None = None) -> Alerts:
    """What a rule does to a run, its rows as in `results.ranked`.

    Args:
        rule: None = the rule in force.

    Raises:
        StoreError: the run does not exist, or has no scores yet.
        BundleError: the detector is gone or damaged.
        DataError: the rule has a segment that is not known.
    """
    rows = results.ranked(store, run_id)
    folder = store.folder(results.detector_run(store, run_id).id) / "bundle"
    known = calibration_rows_of(folder)
    return apply(rule or rule_of(store, run_id), rows, calibration_of(store, run_id), known)
