"""Every page with a finished run, without one, and with a link that leads nowhere."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ad_core.data.sample_datasets import samples
from ad_core.storage import results, verdicts
from ad_core.storage.store import RunRecord, Store
from pages._ui.explain.explain_parts import _named
from pages._ui.shell import stored
from tests.pages.conftest import ROWS, write_image_run, write_sensor_run, write_table_run

Open = Callable[..., AppTest]

PAGES = {
    "prepare/data.py": "Data",
    "model/train.py": "Train",
    "model/runs.py": "Runs",
    "investigate/alerts.py": "Alerts",
    "investigate/map.py": "Map",
    "investigate/explain.py": "Explain",
    "investigate/review.py": "Review",
    "investigate/calibration.py": "Calibration",
    "operate/score_file.py": "Score file",
    "operate/evaluate.py": "Evaluate",
}


def texts(test: AppTest) -> str:
    """Everything that can be read on the page."""
    parts = [*test.markdown, *test.info, *test.error, *test.warning, *test.success, *test.caption]
    return "\n".join(str(part.value) for part in parts)


def button(test: AppTest, label: str) -> object:
    """The button of that label."""
    return next(b for b in test.button if b.label == label)


def test_home_shows_the_samples_and_that_nothing_leaves_the_machine(home: Path, open_page: Open) -> None:
    test = open_page()

    assert not test.exception
    assert sum(b.label.startswith("Open ") for b in test.button) >= 4
    assert "Your data stay on this machine" in texts(test)


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_installation_names_what_is_missing_and_offers_one_way_on(
    home: Path, open_page: Open, page: str
) -> None:
    test = open_page(page)

    assert not test.exception
    assert not test.error
    assert test.title[0].value == PAGES[page]
    assert test.info or page == "prepare/data.py"
    assert test.button


@pytest.mark.parametrize("page", [page for page in PAGES if page != "operate/evaluate.py"])
def test_every_page_shows_a_finished_run(table_run: RunRecord, open_page: Open, page: str) -> None:
    test = open_page(page, run=table_run.id, data=table_run.dataset_id, row=f"r{ROWS - 1}")

    assert not test.exception
    assert not test.error, test.error[0].value


def test_few_labels_are_called_an_anecdote_and_still_measured(table_run: RunRecord, open_page: Open) -> None:
    test = open_page("operate/evaluate.py", run=table_run.id)

    assert not test.exception
    assert [str(e.value) for e in test.error] == ["Only 5 labelled anomalies: too few for reliable metrics."]
    assert {m.label: m.value for m in test.metric}["AUROC"] == "1.000"
    assert "15 more labelled anomalies would halve that" in texts(test)
    assert "can't test its guarantees" in texts(test)


def test_anomalies_that_equal_a_normal_row_are_said(table_run: RunRecord, store: Store, open_page: Open) -> None:
    file = Path(store.dataset(table_run.dataset_id).sources[0])
    data = pd.read_csv(file)
    data.loc[ROWS - 2 :, ["amount", "hour", "shop"]] = data.loc[:1, ["amount", "hour", "shop"]].to_numpy()
    data.to_csv(file, index=False)

    test = open_page("operate/evaluate.py", run=table_run.id)

    assert not test.exception
    assert [str(w.value)[:54] for w in test.warning] == ["2 of 5 labelled anomalies equal a row labelled normal "]


def test_guarantee_are_judged_by_rows_that_neither_taught_nor_calibrate(
    table_run: RunRecord, store: Store, open_page: Open
) -> None:
    scores = results.table(store.folder(table_run.id), "scores")
    scores["used_for"] = np.where(np.arange(len(scores)) < 80, "fit", "")
    results.publish(store.folder(table_run.id), "scores", scores)

    test = open_page("operate/evaluate.py", run=table_run.id)

    assert not test.exception
    assert "None of 3 tested guarantees" in texts(test)
    assert "Tested with 40 rows that neither train nor calibrate the detector." in texts(test)


def test_verdicts_can_judge_where_there_is_no_label(table_run: RunRecord, store: Store, open_page: Open) -> None:
    verdicts.give(store, table_run.id, [f"r{ROWS - 1}", f"r{ROWS - 2}"], "anomaly", author="Ada")
    verdicts.give(store, table_run.id, ["r1", "r2", "r3"], "normal", author="Ada")

    test = open_page("operate/evaluate.py", run=table_run.id, truth="Verdicts")

    assert not test.exception
    assert {m.label: m.value for m in test.metric}["Labelled anomalies"] == "2"
    assert "rows that were reviewed" in texts(test)


def test_a_column_shows_where_the_ranking_works_less_well(table_run: RunRecord, open_page: Open) -> None:
    test = open_page("operate/evaluate.py", run=table_run.id, segment="shop")

    assert not test.exception
    assert test.dataframe[1].value["segment"].nunique() > 1


def test_labelled_events_are_counted_at_the_present_threshold(
    store: Store, recording_file: Path, open_page: Open
) -> None:
    run = write_sensor_run(store, recording_file)
    scores = results.table(store.folder(run.id), "scores")
    label = np.zeros(len(scores))
    label[100:120] = label[200:210] = 1
    scores["label"], scores["p_value"] = label, np.where(np.arange(len(scores)) == 105, 0.001, 0.9)
    results.publish(store.folder(run.id), "scores", scores)

    test = open_page("operate/evaluate.py", run=run.id)

    assert not test.exception
    assert "1 of 2 events have an alert" in texts(test)


def test_other_runs_stand_beside_the_scores(
    table_run: RunRecord, store: Store, tmp_path: Path, open_page: Open
) -> None:
    again = store.add_run(table_run.dataset_id, "train", {}, "again")
    results.publish(store.folder(again.id), "scores", results.table(store.folder(table_run.id), "scores"))
    store.claim(again.id, 1, "now")
    store.finish(again.id, "done", summary={"method": "rotation"})
    test = open_page("investigate/alerts.py", run=table_run.id)

    beside = next(m for m in test.multiselect if m.label == "Compare with other runs")
    beside.select(again.id).run()

    assert not test.exception
    name = f"again · rotation · {again.id}"
    shown = next(d.value for d in test.dataframe if name in d.value)
    assert shown[name].iloc[0] == 100


def test_two_runs_are_compared_row_by_row(table_run: RunRecord, store: Store, tmp_path: Path, open_page: Open) -> None:
    other = write_table_run(store, tmp_path)

    test = open_page("model/runs.py", run=table_run.id, beside=f"{other.name} · {other.id}")

    assert not test.exception
    assert "used the same data" in texts(test)
    assert "Rank correlation 1.00 over" in texts(test)
    assert "None: both runs have the same settings." in texts(test)


@pytest.mark.parametrize(
    "page",
    [
        "investigate/alerts.py",
        "investigate/map.py",
        "investigate/explain.py",
        "investigate/calibration.py",
        "model/train.py",
    ],
)
def test_a_link_to_a_run_that_is_gone_says_so(home: Path, open_page: Open, page: str) -> None:
    test = open_page(page, run="99")

    assert not test.exception
    assert "Run 99 does not exist (deleted?)." in texts(test)


def test_a_link_to_a_row_that_is_gone_says_so(table_run: RunRecord, open_page: Open) -> None:
    test = open_page("investigate/explain.py", run=table_run.id, row="nowhere")

    assert not test.exception
    assert "It may belong to another run" in texts(test)


def test_a_link_to_data_that_are_gone_says_so(home: Path, open_page: Open) -> None:
    test = open_page("prepare/data.py", data="99")

    assert "Data set 99 does not exist (deleted?)." in texts(test)


def test_the_case_is_told_in_a_sentence_with_what_was_expected(table_run: RunRecord, open_page: Open) -> None:
    test = open_page("investigate/explain.py", run=table_run.id, row=f"r{ROWS - 1}")

    told = texts(test)
    assert "*amount* 5000.0 (expected 35 to 66)" in told
    assert "completeness gap 0.001" in told
    assert "the nearest normal row, `r0`" in told


def test_text_of_the_users_data_is_never_taken_for_markup() -> None:
    from pages._ui.shell.words import plain

    assert plain("*a* [b](c) $x$") == r"\*a\* \[b\]\(c\) \$x\$"


def test_the_search_narrows_the_rows(table_run: RunRecord, open_page: Open) -> None:
    test = open_page("investigate/alerts.py", run=table_run.id, search="r11")

    assert "11 rows of 120 shown" in texts(test)


def test_alerts_only_keeps_the_rows_above_the_threshold(table_run: RunRecord, open_page: Open) -> None:
    test = open_page("investigate/alerts.py", run=table_run.id, alerts_only="true", alpha="0.05")

    shown = test.dataframe[-1].value if len(test.dataframe) else None
    assert shown is not None
    assert (shown["p_value"] <= 0.05 + 1e-9).all()  # p-values are quotients
    assert len(shown) < ROWS


def test_of_a_long_list_the_top_is_shown_where_rows_can_be_chosen(
    store: Store, tmp_path: Path, open_page: Open
) -> None:
    run = write_table_run(store, tmp_path, rows=10_500)

    test = open_page("investigate/alerts.py", run=run.id)
    top = len(test.dataframe[-1].value)
    test.toggle(key="whole-list").set_value(True).run()

    assert not test.exception
    assert top == 10_000
    assert "rows can't be selected in this view" in texts(test)


def test_choosing_a_row_makes_it_the_case_of_all_pages(table_run: RunRecord, open_page: Open) -> None:
    test = open_page("investigate/alerts.py", run=table_run.id)
    test.session_state[f"alerts-{table_run.id}"] = {"selection": {"rows": [1], "columns": [], "cells": []}}
    test.session_state["row"] = f"r{ROWS - 2}"

    test.switch_page("investigate/explain.py").run()

    assert test.subheader[0].value == f"r{ROWS - 2}"


def test_a_row_without_an_explanation_gets_a_button(table_run: RunRecord, open_page: Open) -> None:
    test = open_page("investigate/explain.py", run=table_run.id, row="r3")

    assert button(test, "Explain this row")


def test_images_are_shown_with_their_map(store: Store, tmp_path: Path, open_page: Open) -> None:
    run = write_image_run(store, tmp_path)

    test = open_page("investigate/explain.py", run=run.id, row="p11.png")

    assert not test.exception
    assert "Mainly because of the area" in texts(test)


def test_a_run_is_renamed_in_place(table_run: RunRecord, store: Store, open_page: Open) -> None:
    test = open_page("model/runs.py", run=table_run.id)

    next(field for field in test.text_input if field.label == "Name").set_value("better name").run()

    assert store.run(table_run.id).name == "better name"


def test_a_run_is_not_deleted_by_one_click(table_run: RunRecord, store: Store, open_page: Open) -> None:
    test = open_page("model/runs.py", run=table_run.id)

    button(test, "Delete").click().run()  # type: ignore[attr-defined]

    assert store.run(table_run.id)
    assert any("permanently" in box.label for box in test.checkbox)


def test_a_second_click_on_a_sample_finds_the_first_ones_data_set(home: Path, store: Store, open_page: Open) -> None:
    label = next(b.label for b in open_page().button if b.label.startswith("Open ") and b.label != "Open your own file")
    for _ in range(2):
        button(open_page(), label).click().run()  # type: ignore[attr-defined]

    assert len(store.datasets()) == 1


def test_the_training_form_offers_only_methods_that_fit_and_marks_one(
    table_run: RunRecord, store: Store, open_page: Open
) -> None:
    test = open_page("model/train.py", data=table_run.dataset_id)

    assert not test.exception
    labels = [b.label for b in test.button]
    assert labels.count("Chosen") == 1
    assert "Train" in labels
    assert "Rotation" not in texts(test)


def chosen(test: AppTest) -> list[str | None]:
    """Keys of the cards' buttons that say so."""
    return [b.key for b in test.button if b.label == "Chosen"]


def test_the_suggested_method_is_chosen_until_another_is(table_run: RunRecord, open_page: Open) -> None:
    test = open_page("model/train.py", data=table_run.dataset_id)
    first = chosen(test)

    test.button(key="choose-masked_cells").click().run()

    assert not test.exception
    assert first == ["choose-balanced"]
    assert chosen(test) == ["choose-masked_cells"]


def test_only_what_is_trained_in_steps_has_a_preset(table_run: RunRecord, open_page: Open) -> None:
    test = open_page("model/train.py", data=table_run.dataset_id)
    of_recipe = [widget.label for widget in test.button_group]

    test.button(key="choose-masked_cells").click().run()

    assert "Preset" not in of_recipe
    assert "this method is not trained in steps" not in texts(test)
    assert "Preset" in [widget.label for widget in test.button_group]


def test_a_puzzle_that_makes_no_sense_for_the_data_says_why_and_cannot_be_chosen(
    table_run: RunRecord, open_page: Open
) -> None:
    test = open_page("model/train.py", data=table_run.dataset_id)

    assert "**Jigsaw** · not for tables" in texts(test)
    assert "The order of a table's columns carries no meaning" in texts(test)
    assert "choose-jigsaw" not in [b.key for b in test.button]


def test_images_can_be_seen_through_another_encoder(store: Store, tmp_path: Path, open_page: Open) -> None:
    run = write_image_run(store, tmp_path)
    test = open_page("model/train.py", data=run.dataset_id)
    test.button(key="choose-rotation").click().run()
    usual, before = test.selectbox(key="encoder-rotation").value, texts(test)

    test.selectbox(key="encoder-rotation").set_value("vision_transformer").run()

    assert not test.exception
    assert usual == "residual_image"
    assert "Trained on your own images" in before
    assert "from a folder that you name" in texts(test)
    assert test.text_input(key="set-encoder-rotation-vision_transformer-folder").value == ""


def test_tables_choose_no_encoder(table_run: RunRecord, open_page: Open) -> None:
    test = open_page("model/train.py", data=table_run.dataset_id)
    test.button(key="choose-masked_cells").click().run()

    assert not [box.key for box in test.selectbox if str(box.key).startswith("encoder-")]


def test_classical_detectors_wait_behind_one_line(table_run: RunRecord, open_page: Open) -> None:
    test = open_page("model/train.py", data=table_run.dataset_id)

    box = next(box for box in test.expander if box.label.startswith("Classical detectors"))

    assert not box.proto.expanded
    assert "choose-isolation_forest" in [b.key for b in box.button]


def test_the_case_says_in_one_line_how_many_classical_detectors_agree(table_run: RunRecord, open_page: Open) -> None:
    odd = open_page("investigate/alerts.py", run=table_run.id, row=f"r{ROWS - 1}")
    usual = open_page("investigate/alerts.py", run=table_run.id, row="r3")

    line = next(caption for caption in odd.caption if "top 5 %" in caption.value)
    assert line.value == "2 of 2 classical detectors rank it in their top 5 %."
    assert "Isolation forest: 100.0" in line.proto.help
    assert "0 of 2 classical detectors rank it in their top 5 %." in texts(usual)


@pytest.mark.parametrize(
    ("each_without_itself", "counts"), [(True, ["120 rows", "120 rows"]), (False, ["60 rows", "40 rows"])]
)
def test_a_run_says_how_many_rows_it_was_really_calibrated_on(
    store: Store, tmp_path: Path, open_page: Open, each_without_itself: bool, counts: list[str]
) -> None:
    run = write_table_run(store, tmp_path, each_without_itself=each_without_itself)

    test = open_page("model/train.py", run=run.id)

    assert [metric.value for metric in test.metric if metric.label in ("Trained on", "Calibrated on")] == counts


def test_calibration_scores_are_those_kept_apart_or_all_that_teach(store: Store, tmp_path: Path) -> None:
    apart = write_table_run(store, tmp_path)
    together = write_table_run(store, tmp_path, each_without_itself=True)

    assert (
        (stored.ranked(apart.id)["used_for"] == "calibration").sum() == len(stored.calibration_scores(apart.id)) == 40
    )
    assert len(stored.calibration_scores(together.id)) == ROWS


def test_every_sample_can_be_opened_from_home(home: Path, open_page: Open) -> None:
    test = open_page()

    assert {f"Open {sample.title}" for sample in samples()} <= {b.label for b in test.button}


def test_a_value_that_should_be_missing_is_told_without_double_brackets() -> None:
    part = {"part": "TBG", "value": "9.3", "expected": "(missing)", "expected_low": "(missing)"}

    assert _named(part) == "*TBG* 9.3 (expected to be missing)"


def test_the_map_is_coloured_by_the_users_columns_and_says_when_their_file_is_gone(
    table_run: RunRecord, store: Store, open_page: Open
) -> None:
    test = open_page("investigate/map.py", run=table_run.id)
    offered = test.selectbox(key="map_colour").options
    coloured = test.selectbox(key="map_colour").set_value("data:shop").run()
    assert not coloured.exception
    assert not coloured.error

    Path(store.dataset(table_run.dataset_id).sources[0]).unlink()
    gone = open_page("investigate/map.py", run=table_run.id)
    assert not gone.error
    gone.selectbox(key="map_colour").set_value("data:shop").run()

    assert {"amount", "hour", "shop", "label"} <= set(offered)
    assert "id" not in offered
    assert not gone.exception
    assert "sales.csv" in gone.error[0].value


def test_ranges_that_do_not_teach_are_shown_where_data_are_recordings(
    store: Store, table_run: RunRecord, recording_file: Path, open_page: Open
) -> None:
    declared = {"time": "time", "exclude": [["2026-01-01T00:01:40", "2026-01-01T00:03:19"]]}
    record = store.add_dataset("pump", "sensor", [recording_file], declared, 1200, "0" * 64, {})
    test = open_page("prepare/data.py", data=record.id)

    assert not test.exception
    assert "Excluded times (1)" in [box.label for box in test.expander]
    assert "100 rows excluded from training and calibration" in texts(test)
    table = open_page("prepare/data.py", data=table_run.dataset_id)
    assert not [box for box in table.expander if box.label.startswith("Excluded times")]


def test_events_say_what_moved_first_by_which_rule_they_were_made_and_how_sure_edges_are(
    store: Store, recording_file: Path, open_page: Open
) -> None:
    test = open_page("investigate/alerts.py", run=write_sensor_run(store, recording_file).id)

    assert not test.exception
    events = next(table.value for table in test.dataframe if "leads" in table.value)
    assert events["leads"].tolist() == ["pressure [bar], 30 s before the peak"]
    assert (
        "1 event: alerts by the rule “false positive rate: p ≤ 0.05, about 5 % of normal rows become alerts by chance”"
        ", merged where at most 64 other time stamps lie between them (2 windows" in texts(test)
    )
    assert "Near the start and the end of a segment there are fewer windows" in texts(test)


def test_of_two_runs_with_one_name_the_chosen_one_stays(store: Store, tmp_path: Path, open_page: Open) -> None:
    first = write_table_run(store, tmp_path, rows=ROWS)
    second = write_table_run(store, tmp_path, rows=2 * ROWS)
    assert first.name == second.name

    for run, rows in ((first, ROWS), (second, 2 * ROWS)):
        test = open_page("investigate/alerts.py", run=run.id)
        test.toggle(key="alerts_only").set_value(True).run()

        assert not test.exception
        assert {m.label: m.value for m in test.metric}["Rows scored"] == str(rows)
        assert next(box for box in test.selectbox if box.label == "Run").options == [
            f"{second.name} · {second.id}",
            f"{first.name} · {first.id}",
        ]


def test_a_column_that_may_hold_labels_is_asked_about_before_anything_is_trained(
    store: Store, tmp_path: Path, open_page: Open
) -> None:
    data = pd.DataFrame({"a": np.arange(60.0) ** 2, "target": [1, 2, 1] * 20})
    data.to_csv(tmp_path / "lines.csv", index=False)
    record = store.add_dataset("lines", "table", [str(tmp_path / "lines.csv")], {}, 60, "", {})

    test = open_page("prepare/data.py", data=record.id)
    assert "Column 'target' may hold true labels (1 in 40 rows, 2 in 20 rows)" in texts(test)
    assert "2 columns: 1 used (1 number); not decided 'target'; none left out." in texts(test)
    assert button(test, "Use these settings").disabled
    assert "Say on the Data page what target holds" in texts(open_page("model/train.py", data=record.id))

    button(test, "Train on it").click()
    test.run()
    assert not test.exception
    assert "2 columns: 2 used (2 numbers); none left out." in texts(test)
    assert not button(test, "Use these settings").disabled
