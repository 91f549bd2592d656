"""Verdicts in the app: the Review page, the buttons beside a case, one verdict on many rows, and their end."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ad_core.storage import verdicts
from ad_core.storage.store import RunRecord, Store
from pages._ui.review.review_progress import in_words
from pages._ui.verdicts.history import rule_in_words
from tests.pages.conftest import ROWS, write_image_run, write_sensor_run
from tests.pages.test_pages import button, texts

Open = Callable[..., AppTest]
REVIEW, ALERTS = "investigate/review.py", "investigate/alerts.py"
TOP = [f"r{ROWS - 1}", f"r{ROWS - 2}", f"r{ROWS - 4}"]
"""The rows with the highest scores; at 5 % six rows are alerts."""


def say(store: Store, run: RunRecord, word: str, *row_ids: str, author: str = "Ada") -> None:
    verdicts.give(store, run.id, row_ids, word, author=author)


def press(test: AppTest, label: str) -> AppTest:
    """Click the button of that label and look at the page again."""
    return button(test, label).click().run()  # type: ignore[attr-defined, no-any-return]


def done(test: AppTest) -> str:
    """What the bar says."""
    return str(test.get("progress")[0].proto.text)


def now(store: Store, run: RunRecord) -> dict[str, str]:
    lines = verdicts.current(store, run.dataset_id)
    return dict(zip(lines["row_id"], lines["verdict"], strict=True))


def test_a_verdict_is_kept_with_what_was_seen_and_the_next_alert_is_there(
    table_run: RunRecord, store: Store, open_page: Open
) -> None:
    test = open_page(REVIEW, run=table_run.id)
    assert test.subheader[0].value == TOP[0]
    assert "In the queue because it has the highest score not yet reviewed." in texts(test)
    assert "**0 of 6** reviewed" in done(test)

    test.text_input(key=f"tag-{TOP[0]}").set_value("lighting")
    test.text_input(key=f"note-{TOP[0]}").set_value("lamp 2")
    press(test, "Anomaly")

    assert not test.exception
    line = verdicts.current(store, table_run.dataset_id).iloc[0]
    assert (line["row_id"], line["verdict"], line["tag"], line["note"]) == (TOP[0], "anomaly", "lighting", "lamp 2")
    assert (line["threshold"]["kind"], line["threshold"]["value"]) == ("p", 0.05)
    assert line["score"] > 100
    assert test.subheader[0].value == TOP[1]
    assert test.session_state["row"] == TOP[1]
    assert test.text_input(key=f"tag-{TOP[1]}").value == ""


def test_each_button_has_its_key(table_run: RunRecord, open_page: Open) -> None:
    test = open_page(REVIEW, run=table_run.id)

    keys = {b.label: b.proto.shortcut for b in test.button if b.proto.shortcut}

    assert keys == {
        "Anomaly": "a",
        "Normal": "n",
        "Unsure": "u",
        "Data error": "d",
        "Seen before": "s",
        "Undo": "z",
        "Later": "right",
    }


def test_precision_is_told_with_its_interval_and_what_is_apart(
    table_run: RunRecord, store: Store, open_page: Open
) -> None:
    for word in ("Anomaly", "Normal", "Seen before"):
        test = press(open_page(REVIEW, run=table_run.id), word)

    assert done(test) == (
        "**3 of 6** reviewed · precision so far **50 %** (95 % interval 9 to 91 %): 1 anomaly, 1 normal; "
        "not counted: 1 seen before"
    )


def test_undo_brings_the_last_row_back_and_leaves_others_verdicts_alone(
    table_run: RunRecord, store: Store, open_page: Open
) -> None:
    test = press(open_page(REVIEW, run=table_run.id), "Normal")
    say(store, table_run, "anomaly", TOP[1], author="Bo")

    press(test, "Undo")

    assert now(store, table_run) == {TOP[1]: "anomaly"}
    assert test.subheader[0].value == TOP[0]
    assert press(test, "Undo").toast[-1].value.startswith("There is no verdict of")


def test_a_row_can_wait_until_later(table_run: RunRecord, store: Store, open_page: Open) -> None:
    test = press(open_page(REVIEW, run=table_run.id), "Later")

    assert test.subheader[0].value == TOP[1]
    assert "the 2nd highest score not yet reviewed" in texts(test)
    assert now(store, table_run) == {}


def test_what_was_said_beside_another_run_on_the_same_data_needs_no_review(
    table_run: RunRecord, store: Store, open_page: Open, tmp_path: Path
) -> None:
    other = store.add_run(table_run.dataset_id, "train", {}, "other")
    scores = (store.folder(table_run.id) / "scores.parquet").read_bytes()
    (store.folder(other.id) / "scores.parquet").write_bytes(scores)
    say(store, other, "normal", TOP[0])

    test = open_page(REVIEW, run=table_run.id)

    assert test.subheader[0].value == TOP[1]
    assert "**1 of 6** reviewed" in done(test)


def test_a_link_leads_to_its_row_while_that_waits(table_run: RunRecord, store: Store, open_page: Open) -> None:
    assert open_page(REVIEW, run=table_run.id, row=TOP[2]).subheader[0].value == TOP[2]

    say(store, table_run, "normal", TOP[2])

    assert open_page(REVIEW, run=table_run.id, row=TOP[2]).subheader[0].value == TOP[0]


def test_the_end_of_a_queue_is_said_and_undo_stays(table_run: RunRecord, store: Store, open_page: Open) -> None:
    test = open_page(REVIEW, run=table_run.id)
    for _ in range(6):
        press(test, "Unsure")

    assert not test.exception
    assert "Every row of this queue has a verdict (6 rows)" in texts(test)
    assert "**6 of 6** reviewed · no anomaly or normal verdict yet (not counted: 6 unsure)" in done(test)
    assert press(test, "Undo").subheader[0].value in now(store, table_run) or len(now(store, table_run)) == 5


def test_another_order_says_another_reason(table_run: RunRecord, open_page: Open) -> None:
    test = open_page(REVIEW, run=table_run.id)

    test.button_group(key="order").set_value("near").run()

    assert not test.exception
    assert "In the queue because it has the lowest score of an alert." in texts(test)
    assert "**0 of 12** reviewed" in done(test)


@pytest.mark.parametrize("kind", ["image", "sensor"])
def test_images_and_events_are_reviewed_too(
    kind: str, store: Store, tmp_path: Path, recording_file: Path, open_page: Open
) -> None:
    run = write_image_run(store, tmp_path, images=40) if kind == "image" else write_sensor_run(store, recording_file)

    test = open_page(REVIEW, run=run.id)

    assert not test.exception
    assert not test.error
    if kind == "sensor":
        assert "**0 of 1** reviewed" in done(test)  # one event, by its peak
    press(test, "Data error")
    assert list(now(store, run).values()) == ["data_error"]


def test_the_name_is_asked_once_for_all_pages(table_run: RunRecord, store: Store, open_page: Open) -> None:
    test = open_page(REVIEW, run=table_run.id, row=TOP[0])
    test.text_input(key="author").set_value(" Ada ").run()

    test.switch_page(ALERTS).run()
    press(test, "Normal")

    assert verdicts.current(store, table_run.dataset_id)["author"].tolist() == ["Ada"]


def test_a_verdict_that_is_repeated_is_written_once_and_a_changed_one_again(
    table_run: RunRecord, store: Store, open_page: Open
) -> None:
    test = open_page("investigate/explain.py", run=table_run.id, row=TOP[0])
    for label in ("Anomaly", "Anomaly", "Normal"):
        press(test, label)

    assert not test.exception
    assert verdicts.history(store, table_run.dataset_id)["verdict"].tolist() == ["anomaly", "normal"]
    assert "Verdict history (2)" in [box.label for box in test.expander]
    table = next(table.value for table in test.dataframe if "threshold then" in table.value)
    assert table["verdict"].tolist() == ["✓ Normal", "◆ Anomaly"]
    assert table["run"].tolist() == ["sales run"] * 2
    assert table["threshold then"].iloc[0].startswith("p ≤ 0.05, score ≥ ")


def test_alerts_show_verdicts_count_them_and_are_filtered_by_them(
    table_run: RunRecord, store: Store, open_page: Open
) -> None:
    say(store, table_run, "anomaly", TOP[0])
    say(store, table_run, "data_error", "r3")
    test = open_page(ALERTS, run=table_run.id)

    reviewed = next(metric.value for metric in test.metric if metric.label == "Reviewed")
    whole = test.dataframe[-1].value
    test.button_group(key=f"verdict-{table_run.id}").set_value(["data_error", "anomaly"]).run()
    some = test.dataframe[-1].value
    test.button_group(key=f"verdict-{table_run.id}").set_value(["none"]).run()

    assert reviewed == "1"  # r3 is no alert
    assert whole["verdict"].dropna().tolist() == ["◆ Anomaly", "⚠ Data error"]
    assert some["row_id"].tolist() == [TOP[0], "r3"]
    assert len(test.dataframe[-1].value) == ROWS - 2


def dialog_on_many_rows() -> None:
    import streamlit as st

    from pages._ui.verdicts.bulk import ask

    ask(st.session_state["run_id"], st.session_state["row_ids"])


def test_one_verdict_on_many_rows_says_first_what_it_changes(
    table_run: RunRecord, store: Store, open_page: Open
) -> None:
    say(store, table_run, "anomaly", "r110", "r111")
    say(store, table_run, "normal", "r112")
    before = now(store, table_run)
    test = AppTest.from_function(dialog_on_many_rows, default_timeout=30)
    test.session_state["run_id"], test.session_state["row_ids"] = table_run.id, [f"r{i}" for i in range(110, 120)]

    test.run().button_group(key="bulk-word").set_value("normal").run()
    said = texts(test)
    meanwhile = now(store, table_run)
    press(test, "Give verdict")

    assert (
        "This gives the verdict **Normal** to 10 rows, 2 of which have another verdict now; 1 has this verdict already."
        in said
    )
    assert meanwhile == before
    assert now(store, table_run) == {f"r{i}": "normal" for i in range(110, 120)}
    press(open_page(REVIEW, run=table_run.id), "Undo")
    assert now(store, table_run) == before


def test_nothing_is_said_of_many_rows_by_one_click(table_run: RunRecord, store: Store, open_page: Open) -> None:
    test = press(open_page(ALERTS, run=table_run.id), f"Verdict on these {ROWS} rows")

    assert button(test, "Give verdict").disabled  # type: ignore[attr-defined]
    assert now(store, table_run) == {}


def test_verdicts_of_a_file_are_added_once(table_run: RunRecord, store: Store, open_page: Open) -> None:
    test = open_page(REVIEW, run=table_run.id)
    test.session_state["exchange"] = True
    test.run()
    upload = test.file_uploader[0]

    upload.upload("said.csv", b"row_id,verdict\nr1,Anomly\n", "text/csv").run()
    press(test, "Import")
    assert "Did you mean 'anomaly'?" in test.error[0].value
    test.file_uploader[0].upload("said.csv", b"row_id,verdict\nr1,Anomaly\nr2,normal\n", "text/csv").run()
    press(test, "Import")

    assert now(store, table_run) == {"r1": "anomaly", "r2": "normal"}
    assert test.toast[-1].value == "2 verdicts were added, 0 there already."


def dialog_of_the_newest_data_set() -> None:
    from pages._ui.data.forget import confirm_forget
    from pages._ui.shell.stored import store

    if store().datasets():
        confirm_forget(store().datasets()[0])


def test_forgetting_data_says_how_many_verdicts_and_runs_go_with_them(table_run: RunRecord, store: Store) -> None:
    say(store, table_run, "anomaly", TOP[0])
    say(store, table_run, "normal", TOP[0], TOP[1])
    test = AppTest.from_function(dialog_of_the_newest_data_set, default_timeout=30).run()
    said, disabled = texts(test), button(test, "Remove").disabled  # type: ignore[attr-defined]

    test.checkbox[0].set_value(True).run()
    press(test, "Remove")

    assert disabled
    assert "1 run used it and would be deleted too." in said
    assert "3 verdicts on 2 rows would be deleted too." in said
    assert not store.datasets()


def test_data_are_not_forgotten_by_one_click(table_run: RunRecord, store: Store, open_page: Open) -> None:
    test = press(open_page("prepare/data.py"), "Remove")

    assert "**sales**, 120 rows." in texts(test)
    assert store.datasets()


def test_an_old_rule_is_told_as_it_was() -> None:
    assert rule_in_words({}) == ""
    assert rule_in_words({"kind": "percentile", "value": 95.0, "score": 3.2}) == "percentile ≥ 95, score ≥ 3.2"
    assert rule_in_words({"kind": "budget", "value": 50}) == "at most 50 alerts"


def test_a_single_hit_is_no_certainty() -> None:
    from ad_core.evaluation.precision import precision

    assert in_words(precision(["anomaly"])) == (
        "precision so far **100 %** (95 % interval 21 to 100 %): 1 anomaly, 0 normal"
    )
