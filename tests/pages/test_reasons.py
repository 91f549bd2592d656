"""The Reasons page, the filter by a part, and the grades in the table of alerts."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ad_core.review.reports import run_report
from ad_core.storage import results
from ad_core.storage.store import RunRecord, Store
from pages._ui.alerts.report_button import gathered
from tests.pages.conftest import write_image_run, write_sensor_run

Open = Callable[..., AppTest]
CHECKED = {
    "named": 1.0,
    "drop": 0.9,
    "drop_random": 0.1,
    "p": 0.05,
    "agreement": 1.0,
    "stability": 1.0,
    "gap": 0.0,
    "second_method": "feature_ablation",
    "method": "occlusion",
    "baseline": "nearest",
}


@pytest.fixture
def judged(table_run: RunRecord, store: Store) -> RunRecord:
    """Twelve alerts with reasons."""
    give_reasons(store, table_run)
    return table_run


def give_reasons(store: Store, run: RunRecord) -> None:
    """Twelve alerts; seven raised by the amount, five by the hour, of which one failed its check."""
    folder = store.folder(run.id)
    scores = results.table(folder, "scores").sort_values("score", ascending=False, ignore_index=True)
    scores["p_value"] = np.where(np.arange(len(scores)) < 12, 0.001, 0.9)
    scores["time"] = pd.date_range("2026-01-01", periods=len(scores))
    results.publish(folder, "scores", scores)
    lines, grades = [], []
    for i, row in enumerate(scores["row_id"].head(12)):
        by_amount = 0.9 if i < 7 else 0.2
        grades.append({"row_id": row, "grade": "weak" if i else "supported", **CHECKED})
        for part, share in (("amount", by_amount), ("hour", 1 - by_amount)):
            lines.append({"row_id": row, "part": part, "attribution": share, "value": "9", "expected": "1"})
    grades[-1]["grade"] = "not supported"
    explained = pd.DataFrame(lines).assign(method="occlusion", delta=0.0, expected_low=None, expected_high=None)
    results.publish(folder, "explanations", explained)
    results.publish(folder, "checks", pd.DataFrame(grades))


def texts(test: AppTest) -> str:
    return "\n".join(e.value for e in (*test.markdown, *test.caption, *test.info))


def listed(test: AppTest) -> pd.DataFrame:
    return next(d.value for d in test.dataframe if "percentile" in d.value)


def test_what_drives_all_alerts_is_told_with_what_was_left_out(judged: RunRecord, open_page: Open) -> None:
    test = open_page("investigate/reasons.py", run=judged.id)

    assert not test.exception
    assert "11 of 12 alerts are counted. Left out: 1 with an explanation that failed the check." in texts(test)
    assert "These alerts are driven mainly by *amount* (65 %) and *hour* (35 %)." in texts(test)
    table = next(d.value for d in test.dataframe if "mean share" in d.value)
    assert table["column"].tolist() == ["amount", "hour"]
    assert table["mean share"].tolist() == pytest.approx(
        [100 * (7 * 0.9 + 4 * 0.2) / 11, 100 * (7 * 0.1 + 4 * 0.8) / 11]
    )
    assert table["first in"].tolist() == ["Show 7 alerts", "Show 4 alerts"]
    assert "2 of 2 values" in texts(test)  # the two groups


def test_alerts_are_told_apart_by_a_column_and_over_time(judged: RunRecord, open_page: Open) -> None:
    by_column = open_page("investigate/reasons.py", run=judged.id, apart_by="By a column", segment="shop")
    over_time = open_page("investigate/reasons.py", run=judged.id, apart_by="Over time")

    assert not by_column.exception
    assert next(box for box in by_column.selectbox if box.label == "Column").value == "shop"
    assert "Mean share for each value, with the number of alerts in brackets. 2 of 2 values" in texts(by_column)
    assert not over_time.exception
    assert "Number of alerts in each of 24 intervals of equal length, divided by the share of each column." in texts(
        over_time
    )


def test_without_a_time_column_the_page_says_so(judged: RunRecord, store: Store, open_page: Open) -> None:
    folder = store.folder(judged.id)
    results.publish(folder, "scores", results.table(folder, "scores").drop(columns="time"))

    test = open_page("investigate/reasons.py", run=judged.id, apart_by="Over time")

    assert not test.exception
    assert "no time column" in texts(test)


@pytest.mark.parametrize("left", ["no explanations", "all failed", "no checks"])
def test_where_nothing_counts_a_sentence_says_why(judged: RunRecord, store: Store, open_page: Open, left: str) -> None:
    folder = store.folder(judged.id)
    if left == "no explanations":
        (folder / "explanations.parquet").unlink()
    if left == "all failed":
        results.publish(folder, "checks", results.table(folder, "checks").assign(grade="not supported"))
    else:
        (folder / "checks.parquet").unlink()

    test = open_page("investigate/reasons.py", run=judged.id)

    expected = {
        "no explanations": "None of 12 alerts has been explained yet.",
        "all failed": "Of 12 alerts none has an explanation that passed the faithfulness check",
        "no checks": "The explanations of 12 alerts could not be checked",
    }[left]
    assert not test.exception
    assert expected in texts(test)
    assert not test.dataframe
    offered = [button.label for button in test.button if button.label.startswith("Explain")]
    assert offered == (["Explain 12 more alerts"] if left == "no explanations" else [])


def test_the_highest_alerts_without_an_explanation_are_explained_by_one_click(
    judged: RunRecord, store: Store, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = store.folder(judged.id)
    explained = results.table(folder, "explanations")
    missing = results.ranked(store, judged.id)["row_id"][[2, 5]].tolist()
    results.publish(folder, "explanations", explained[~explained["row_id"].isin(missing)])
    monkeypatch.setattr("ad_core.jobs.queue.start_next", lambda _: [])  # it stays queued
    test = open_page("investigate/reasons.py", run=judged.id)

    next(button for button in test.button if button.label == "Explain 2 more alerts").click().run()

    assert not test.exception
    assert store.runs(kind="explain", parent=judged.id)[0].config == {"row_ids": missing}
    assert "More alerts are being explained" in texts(test)
    assert "2 not explained yet" in texts(test)


def test_a_single_alert_is_told_without_what_would_need_more(judged: RunRecord, store: Store, open_page: Open) -> None:
    folder = store.folder(judged.id)
    scores = results.table(folder, "scores")
    results.publish(folder, "scores", scores.assign(p_value=np.where(np.arange(len(scores)) < 1, 0.001, 0.9)))

    test = open_page("investigate/reasons.py", run=judged.id)

    assert not test.exception
    assert "There is one alert, and its explanation passed the faithfulness check." in texts(test)
    assert "Differences are shown from 2 counted alerts on." in texts(test)
    assert "Too few alerts for intervals." in texts(test)


def test_without_alerts_there_is_nothing_to_sum_up(judged: RunRecord, store: Store, open_page: Open) -> None:
    folder = store.folder(judged.id)
    results.publish(folder, "scores", results.table(folder, "scores").assign(p_value=0.9))

    test = open_page("investigate/reasons.py", run=judged.id)

    assert not test.exception
    assert "there is no feature importance to compute" in texts(test)


def test_a_link_shows_the_alerts_that_a_part_raises_most(judged: RunRecord, open_page: Open) -> None:
    test = open_page("investigate/alerts.py", run=judged.id, mainly="hour")
    unknown = open_page("investigate/alerts.py", run=judged.id, mainly="nonsense")

    assert not test.exception
    assert len(listed(test)) == 5
    assert set(listed(test)["reasons"]) == {"hour, amount"}
    assert not unknown.exception
    assert len(listed(unknown)) == 120


def test_each_explained_alert_shows_its_grade(judged: RunRecord, store: Store, open_page: Open) -> None:
    grades = listed(open_page("investigate/alerts.py", run=judged.id))["grade"]
    (store.folder(judged.id) / "checks.parquet").unlink()
    unchecked = listed(open_page("investigate/alerts.py", run=judged.id))["grade"]
    (store.folder(judged.id) / "explanations.parquet").unlink()
    none = listed(open_page("investigate/alerts.py", run=judged.id))

    assert grades.head(12).tolist() == ["✓ supported", *["~ weak"] * 10, "✗ not supported"]
    assert grades[12:].isna().all()
    assert unchecked.dropna().unique().tolist() == ["– not checked"]
    assert "grade" not in none


def test_images_are_summed_up_by_fields_of_the_picture(store: Store, tmp_path: Path, open_page: Open) -> None:
    run = write_image_run(store, tmp_path)
    folder = store.folder(run.id)
    results.publish(folder, "checks", pd.DataFrame([{"row_id": "p11.png", "grade": "weak", **CHECKED}]))
    scores = results.table(folder, "scores")
    results.publish(folder, "scores", scores.assign(p_value=np.where(scores["row_id"] == "p11.png", 0.025, 0.9)))

    test = open_page("investigate/reasons.py", run=run.id)
    pictures = open_page("investigate/alerts.py", run=run.id, mainly="lower right")

    assert not test.exception
    assert "The scores of this image come mainly from:" in texts(test)
    assert (
        next(d.value for d in test.dataframe)["image field"].iloc[0] == "lower right"
    )  # its only box ends the picture
    assert "1 of 1 image shown" in texts(pictures)


def test_channels_of_a_recording_are_its_parts(store: Store, recording_file: Path, open_page: Open) -> None:
    run = write_sensor_run(store, recording_file)
    folder = store.folder(run.id)
    peak = results.table(folder, "events")["row_id_peak"].iloc[0]
    results.publish(folder, "checks", pd.DataFrame([{"row_id": peak, "grade": "supported", **CHECKED}]))

    test = open_page("investigate/reasons.py", run=run.id)

    assert not test.exception
    assert "This event is driven mainly by *pressure \\[bar\\]* (100 %)." in texts(test)


def test_the_report_of_the_page_follows_the_threshold_that_is_looked_at(judged: RunRecord, open_page: Open) -> None:
    test = open_page("investigate/alerts.py", run=judged.id)

    assert not test.exception
    assert [b.proto.label for b in test.get("download_button")][-2:] == ["Report", "Report as JSON"]
    facts, shown = gathered(judged.id)
    assert facts["counts"]["alerts"] == 12
    assert "&quot;" not in run_report.to_json(facts)
    assert "not supported" in run_report.to_html(facts, shown)
