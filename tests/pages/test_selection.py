"""The search for a task on the Train page, and the stability of alerts, as an analyst meets them."""

from collections.abc import Callable

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ad_core.jobs import queue as jobs
from ad_core.storage.results import publish
from ad_core.storage.store import RunRecord, Store
from tests.pages.conftest import ROWS
from tests.pages.test_pages import button, chosen, texts
from tests.training.selection.test_ranking import found

Open = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs wait: what they do is tested elsewhere, and a worker would outlive the test."""
    monkeypatch.setattr(jobs, "start_next", lambda _store: [])


def searched(store: Store, dataset_id: str, rows: str = "unsure", **gaps: float) -> RunRecord:
    """A finished search, as its job leaves it."""
    outcome = found(gaps or {"autoencoder": 2.5, "deep_svdd": 0.5, "balanced": 1.0}, rows=rows)
    run = store.add_run(dataset_id, "recommend", {"training_rows": rows}, "which task")
    assert store.claim(run.id, 1, "never")
    store.finish(run.id, "done", summary={"recommendation": outcome.model_dump(mode="json")})
    return store.run(run.id)


def test_the_search_starts_with_what_the_form_says(table_run: RunRecord, store: Store, open_page: Open) -> None:
    test = open_page("model/train.py", data=table_run.dataset_id)
    test.selectbox(key="training-rows").set_value("clean").run()
    test.number_input(key="recommend-seeds").set_value(3).run()

    test.button(key="recommend").click().run()

    assert not test.exception
    run = store.runs(kind="recommend", dataset_id=table_run.dataset_id)[0]
    assert run.config["training_rows"] == "clean"
    assert run.config["plan"] == {"minutes": 10.0, "seeds": 3}
    assert "recommend" not in [b.key for b in test.button], "one search at a time"
    assert button(test, "Cancel")


def test_the_finding_is_a_sentence_a_chart_in_words_and_a_table(
    table_run: RunRecord, store: Store, open_page: Open
) -> None:
    searched(store, table_run.dataset_id)
    test = open_page("model/train.py", data=table_run.dataset_id)
    test.toggle(key="recommendation-table").set_value(True).run()

    assert not test.exception
    assert "Autoencoder suits best" in texts(test)
    assert "synthetic anomalies mislead" in texts(test)
    shown = next(frame.value for frame in test.dataframe if "seeds agree" in frame.value)
    assert list(shown["method"]) == ["Autoencoder", "Balanced", "Compactness"]
    assert shown["A number far out"].str.fullmatch(r"\d\.\d\d \[\d\.\d\d – \d\.\d\d\]").all()


def test_its_button_chooses_the_method(table_run: RunRecord, store: Store, open_page: Open) -> None:
    searched(store, table_run.dataset_id)
    test = open_page("model/train.py", data=table_run.dataset_id)

    test.button(key="take-autoencoder").click().run()

    assert not test.exception
    assert chosen(test) == ["choose-autoencoder"]


def test_clear_evidence_on_clean_rows_offers_auto_first(table_run: RunRecord, store: Store, open_page: Open) -> None:
    searched(store, table_run.dataset_id, rows="clean")
    test = open_page("model/train.py", data=table_run.dataset_id)
    takes = [b for b in test.button if str(b.key).startswith("take-")]

    assert [b.label for b in takes] == ["Choose Auto", "Choose Autoencoder"]
    takes[0].click().run()
    assert chosen(test) == ["choose-auto"]


def test_a_search_that_was_told_something_else_is_called_so(
    table_run: RunRecord, store: Store, open_page: Open
) -> None:
    searched(store, table_run.dataset_id, rows="unsure")
    same = open_page("model/train.py", data=table_run.dataset_id)
    before = texts(same)
    same.selectbox(key="training-rows").set_value("clean").run()

    assert "made with another answer about anomalies in the training rows" not in before
    assert "made with another answer about anomalies in the training rows" in texts(same)


def test_a_search_that_failed_says_why_and_can_be_repeated(table_run: RunRecord, store: Store, open_page: Open) -> None:
    run = store.add_run(table_run.dataset_id, "recommend", {}, "which task")
    assert store.claim(run.id, 1, "never")
    store.finish(run.id, "failed", error="Only 5 items can be held out.")
    test = open_page("model/train.py", data=table_run.dataset_id)

    assert "Only 5 items can be held out." in texts(test)
    assert test.button(key="recommend").label == "Compare again"


def test_a_search_is_no_run_with_scores(table_run: RunRecord, store: Store, open_page: Open) -> None:
    run = searched(store, table_run.dataset_id)
    offered = open_page("investigate/alerts.py")
    linked = open_page("model/train.py", run=run.id)

    assert f"offer-{run.id}" not in [b.key for b in offered.button]
    assert f"offer-{table_run.id}" in [b.key for b in offered.button]
    assert not linked.exception
    assert "Its result is shown on the Train page of its data set" in texts(linked)


def alerts_table(test: AppTest) -> pd.DataFrame:
    return next(frame.value for frame in test.dataframe if "percentile" in frame.value)


def test_alerts_say_how_often_they_survived(table_run: RunRecord, store: Store, open_page: Open) -> None:
    row_ids = [f"r{i}" for i in range(ROWS)]
    unusual = pd.Series(range(ROWS, 0, -1))  # the last row is the most unusual
    without_2 = unusual.mask(unusual == 2, ROWS)
    table = {"rank_without_1": unusual, "rank_without_2": without_2, "rank_without_5": unusual}
    publish(store.folder(table_run.id), "sensitivity", pd.DataFrame({"row_id": row_ids, **table}))

    test = open_page("investigate/alerts.py", run=table_run.id, alpha="0.05")

    assert not test.exception
    shown = alerts_table(test).set_index("row_id")["stable"]
    assert shown[f"r{ROWS - 1}"] == "3 of 3"
    assert shown[f"r{ROWS - 2}"] == "2 of 3"
    assert shown["r0":"r9"].isna().all(), "what is no alert has nothing to survive"
    assert "sensitivity" not in [b.key for b in test.button]


def test_a_button_starts_the_trainings(table_run: RunRecord, store: Store, open_page: Open) -> None:
    test = open_page("investigate/alerts.py", run=table_run.id)
    without = alerts_table(test)

    test.button(key="sensitivity").click().run()

    assert not test.exception
    assert "stable" not in without
    job = store.runs(kind="sensitivity")[0]
    assert (job.parent, job.dataset_id) == (table_run.id, table_run.dataset_id)
    assert "Retraining without suspicious rows" in texts(test) or "Cancel" in [b.label for b in test.button]
