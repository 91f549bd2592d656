"""The events of a stored run, made from its scores by the rule in force.

The published table `events` holds those of the rule that was in force when the run was scored. It is read for one
thing: which channels led, which is looked up only then.
"""

from typing import TYPE_CHECKING, Any

import pandas as pd

from ad_core.alerts.events import events, with_leads
from ad_core.alerts.threshold import Alerts
from ad_core.errors import DamagedError
from ad_core.storage import bundle, results
from ad_core.storage.run_alerts import alerts_of
from ad_core.types import Modality

if TYPE_CHECKING:
    from ad_core.storage.store import Store

MERGE_WINDOWS = 2.0
"""The setting of bundles that were written before it could be set."""


def events_of(
    store: "Store", run_id: str, alerts: Alerts | None = None, rows: pd.DataFrame | None = None
) -> pd.DataFrame | None:
    """The events of a run of recordings, highest peak first; None for other data.

    Args:
        alerts: of the rows; None = those of the rule in force.
        rows: as `results.ranked` gives them, where they are at hand.

    Returns:
        Columns of `alerts.events.events`, and `leading` and `leads` where these were published; they are missing for
        events with another peak than the published ones, and for all where the published ones are damaged.

    Raises:
        StoreError, BundleError, DataError: as `run_alerts.alerts_of`.
    """
    if store.dataset(store.run(run_id).dataset_id).modality != Modality.SENSOR:
        return None
    rows = results.ranked(store, run_id) if rows is None else rows
    alerts = alerts_of(store, run_id) if alerts is None else alerts
    found = events(rows, alerts.of_rows, merging(store, run_id)["merge_gap"])
    try:
        published = results.table(store.folder(run_id), "events")
    except DamagedError:  # the events themselves follow from the scores
        published = None
    return with_leads(found, published)


def merging(store: "Store", run_id: str) -> dict[str, Any]:
    """How alerts of a run are merged to events: `merge_gap` [rows] and `merge_windows`, the setting behind it.

    Runs of older versions have not kept it; theirs follows from the window of their detector.
    """
    kept = results.facts(store, run_id).get("events") or {}
    if "merge_gap" in kept:
        return {"merge_gap": int(kept["merge_gap"]), "merge_windows": float(kept.get("merge_windows", MERGE_WINDOWS))}
    folder = store.folder(results.detector_run(store, run_id).id) / "bundle"
    reader = (bundle.part(folder, "reader") if (folder / bundle.MANIFEST).exists() else None) or {}
    windows = float(reader.get("settings", {}).get("merge_windows", MERGE_WINDOWS))
    return {"merge_gap": round(windows * reader.get("facts", {}).get("window", 0)), "merge_windows": windows}
