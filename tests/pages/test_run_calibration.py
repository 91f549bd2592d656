"""What the p-values of a stored run come from: the same for pages, reports and commands, also without a bundle."""

import shutil

import numpy as np
import pytest

from ad_core.alerts.threshold import Rule, apply
from ad_core.errors import BundleError
from ad_core.storage import bundle, results
from ad_core.storage.run_alerts import alerts_of
from ad_core.storage.run_calibration import calibration_of
from ad_core.storage.store import RunRecord, Store
from pages._ui.shell import stored


@pytest.fixture
def old_run(store: Store, table_run: RunRecord) -> RunRecord:
    """A run whose bundle does not keep what calibrated it."""
    folder = store.folder(table_run.id) / "bundle"
    for file in folder.iterdir():
        file.unlink()
    bundle.write(folder, {}, {})
    return table_run


def test_where_the_bundle_keeps_none_the_rows_that_were_kept_apart_calibrate(store: Store, old_run: RunRecord) -> None:
    rows = results.ranked(store, old_run.id)
    kept_apart = rows.loc[rows["used_for"] == "calibration", "score"]

    found = calibration_of(store, old_run.id)

    np.testing.assert_array_equal(found.scores, np.sort(kept_apart))
    np.testing.assert_array_equal(stored.calibration(old_run.id).scores, found.scores)


def test_a_report_counts_alerts_by_the_calibration_that_pages_show(store: Store, old_run: RunRecord) -> None:
    rule = Rule(kind="p", value=0.03)

    reported = alerts_of(store, old_run.id, rule)

    shown = apply(rule, stored.ranked(old_run.id), stored.calibration(old_run.id), None)
    np.testing.assert_array_equal(reported.of_rows, shown.of_rows)
    assert 0 < reported.of_rows.sum() < len(reported.of_rows)


def test_a_run_that_knows_neither_has_an_empty_one(store: Store, old_run: RunRecord) -> None:
    folder = store.folder(old_run.id)
    scores = results.table(folder, "scores")
    results.publish(folder, "scores", scores.drop(columns="used_for"))

    assert calibration_of(store, old_run.id).n == 0


def test_without_a_bundle_the_rows_that_were_kept_apart_calibrate(store: Store, table_run: RunRecord) -> None:
    rows = results.ranked(store, table_run.id)
    shutil.rmtree(store.folder(table_run.id) / "bundle")

    found = calibration_of(store, table_run.id)

    np.testing.assert_array_equal(found.scores, np.sort(rows.loc[rows["used_for"] == "calibration", "score"]))


def test_a_damaged_calibration_is_never_replaced_silently(store: Store, table_run: RunRecord) -> None:
    folder = store.folder(table_run.id) / "bundle"
    file = next(file for file in folder.iterdir() if file.name.startswith("calibration."))
    file.write_bytes(file.read_bytes()[:-5])

    with pytest.raises(BundleError, match="checksum"):
        calibration_of(store, table_run.id)
