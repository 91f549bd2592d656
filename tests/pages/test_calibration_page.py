"""The review of the highest calibration rows: confirmed by a person, left out on request, put back when taken back."""

from collections.abc import Callable

import numpy as np
from streamlit.testing.v1 import AppTest

from ad_core.alerts.calibration import Calibration
from ad_core.review import recalibration
from ad_core.storage import bundle, results, verdicts
from ad_core.storage.store import RunRecord, Store
from tests.pages.test_pages import button, texts

Open = Callable[..., AppTest]
PAGE = "investigate/calibration.py"


def test_the_highest_row_is_shown_with_its_values_and_two_answers(table_run: RunRecord, store: Store, open_page: Open):
    test = open_page(PAGE, run=table_run.id)

    assert not test.exception
    assert not test.error
    first = recalibration.review(store, table_run.id).queue["row_id"].iloc[0]
    assert f"**{first}**" in texts(test)
    assert len(test.dataframe[0].value) == 40
    assert test.dataframe[1].value["column"].tolist() == ["amount", "hour", "shop"]
    assert button(test, "Confirm as anomaly")
    assert button(test, "Keep")


def test_confirming_goes_on_to_the_next_and_changes_nothing_by_itself(
    table_run: RunRecord, store: Store, open_page: Open
):
    before = results.table(store.folder(table_run.id), "scores")
    queue = recalibration.review(store, table_run.id).queue["row_id"].tolist()
    test = open_page(PAGE, run=table_run.id)

    button(test, "Keep").click().run()  # type: ignore[attr-defined]
    button(test, "Confirm as anomaly").click().run()  # type: ignore[attr-defined]

    assert not test.exception
    said = verdicts.current(store, table_run.dataset_id)
    assert said[["row_id", "verdict"]].to_numpy().tolist() == [[queue[0], "normal"], [queue[1], "anomaly"]]
    assert f"**{queue[2]}**" in texts(test)
    assert "**1 row confirmed.** Without it alerts go from" in texts(test)
    assert results.table(store.folder(table_run.id), "scores").equals(before)


def test_the_confirmed_rows_are_left_out_on_request_and_come_back_when_taken_back(
    table_run: RunRecord, store: Store, open_page: Open
):
    folder = store.folder(table_run.id)
    test = open_page(PAGE, run=table_run.id)
    first = recalibration.review(store, table_run.id).queue["row_id"].iloc[0]
    button(test, "Confirm as anomaly").click().run()  # type: ignore[attr-defined]
    button(test, "Calibrate without the confirmed rows").click().run()  # type: ignore[attr-defined]

    assert not test.exception
    assert not test.error
    assert len(bundle.part(folder / "bundle", "calibration")) == 39
    assert results.summary(folder)["calibration"]["left_out"] == 1
    scores = results.table(folder, "scores")
    rest = scores.loc[(scores["used_for"] == "calibration") & (scores["row_id"] != first), "score"]
    np.testing.assert_array_equal(scores["p_value"], Calibration.fit(rest).p_value(scores["score"]))
    assert "Restore all rows" not in [b.label for b in test.button]

    verdicts.give(store, table_run.id, [first], verdicts.TAKEN_BACK, author="Ada")
    again = open_page(PAGE, run=table_run.id)
    button(again, "Restore all rows").click().run()  # type: ignore[attr-defined]

    assert len(bundle.part(folder / "bundle", "calibration")) == 40
    assert np.isclose(results.summary(folder)["calibration"]["smallest_p"], 1 / 41)


def test_a_run_without_its_bundle_says_so(table_run: RunRecord, store: Store, open_page: Open):
    (store.folder(table_run.id) / "bundle" / bundle.MANIFEST).unlink()

    test = open_page(PAGE, run=table_run.id)

    assert not test.exception
    assert "is not a detector bundle" in texts(test)
