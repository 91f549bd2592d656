"""Provenance of a run's results: its data, detector and package versions."""

from typing import TYPE_CHECKING, Any

from ad_core.storage import bundle, results
from ad_core.storage.shown_paths import short_sources, without_folders

if TYPE_CHECKING:
    from ad_core.storage.store import Store


def origin(store: "Store", run_id: str) -> dict[str, Any]:
    """The provenance of a stored run: `run`, `data`, `detector`, `calibration`; without absolute paths.

    Raises:
        StoreError: the run does not exist.
        BundleError: its detector is gone or damaged.
    """
    run = store.run(run_id)
    training, record = results.detector_run(store, run_id), store.dataset(run.dataset_id)
    facts = results.facts(store, training.id)
    return {
        "run": {"id": run.id, "name": run.name, "kind": run.kind, "created": run.created},
        "data": {
            "name": record.name,
            "sources": short_sources(record.sources),
            "fingerprint": record.fingerprint,
            "rows": record.rows,
        },
        "detector": {
            "method": facts.get("method"),
            "preset": facts.get("preset"),
            "seed": facts.get("seed"),
            "settings": without_folders(facts.get("settings")),
            "training_rows": facts.get("training_rows"),
            "trained_on": facts.get("data"),
            "created": facts.get("created"),
            "versions": facts.get("versions"),
            "identity": bundle.identity(store.folder(training.id) / "bundle"),
        },
        "calibration": facts.get("calibration"),
    }
