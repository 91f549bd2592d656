"""Swim lanes of events, the whole event on Explain, and earlier events like a chosen one."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from ad_core.alerts.rule import Rule
from ad_core.review.reports import run_report
from ad_core.storage import results, saved_thresholds, verdicts
from ad_core.storage.store import RunRecord, Store
from pages._ui.alerts import swim_lanes
from tests.pages.conftest import write_sensor_run
from tests.pages.test_reasons import CHECKED

Open = Callable[..., AppTest]


@pytest.fixture
def several(store: Store, recording_file: Path) -> RunRecord:
    """A recording with four events."""
    run = write_sensor_run(store, recording_file)
    give_events(store, run)
    return run


def give_events(store: Store, run: RunRecord) -> None:
    """Four events: the last is like the first, by its channels; the second is not, and the third failed its check."""
    folder = store.folder(run.id)
    first = results.table(folder, "events").iloc[0]
    scores = results.table(folder, "scores").assign(score=1.0, p_value=0.9)
    lines, parts, grades = [], [], []
    shares = ((3.0, 1.0), (0.0, 2.0), (3.0, 1.0), (6.0, 2.0))
    for number, (at, (pressure, flow)) in enumerate(zip((200, 400, 600, 1030), shares, strict=True)):
        peak = scores["row_id"][at]
        scores.loc[at - 20 : at + 20, ["score", "p_value"]] = [at - 1.0, 0.025]
        scores.loc[at, "score"] = float(at)
        edges = {"start": at - 20, "peak": at, "end": at + 20}
        lines.append(
            {
                **first,
                **{name: scores["time"][i] for name, i in edges.items()},
                "row_id_peak": peak,
                "duration": 40.0,
                "peak_score": float(at),
            }
        )
        same = {"row_id": peak, "method": "x", "delta": 0.0, "t0": scores["time"][at], "t1": scores["time"][at]}
        parts += [
            {**same, "part": f"{channel}, a to b", "channel": channel, "attribution": value}
            for channel, value in (("pressure [bar]", pressure), ("flow [l/s]", flow))
        ]
        grades.append({"row_id": peak, "grade": "not supported" if number == 2 else "weak", **CHECKED})
    events = pd.DataFrame(lines).sort_values("peak_score", ascending=False, ignore_index=True)
    results.publish(folder, "events", events)
    results.publish(folder, "scores", scores)
    results.publish(folder, "explanations", pd.DataFrame(parts))
    results.publish(folder, "checks", pd.DataFrame(grades))
    window = pd.DataFrame({"time": scores["time"][1000:1064], "pressure [bar]": 1.0, "flow [l/s]": 2.0})
    (folder / "maps").mkdir()
    window.to_parquet(folder / "maps" / f"{results.safe_name(scores['row_id'][1030])}.parquet", index=False)
    verdicts.give(store, run.id, [scores["row_id"][200]], "data_error", author="Ada")


def captions(test: AppTest) -> str:
    return "\n".join(caption.value for caption in test.caption)


def test_events_stand_on_lanes_above_their_list(several: RunRecord, open_page: Open) -> None:
    test = open_page("investigate/alerts.py", run=several.id)

    assert not test.exception
    assert "4 of 4 events, each from start to end with its peak." in captions(test)


def events_shown(test: AppTest) -> tuple[int, int]:
    """The number above the list, and the lines of the list."""
    metric = next(int(metric.value) for metric in test.metric if metric.label == "Events")
    return metric, len(next((d.value for d in test.dataframe if "peak_score" in d.value), ()))


def test_events_follow_the_rule_that_is_looked_at_on_all_pages(
    several: RunRecord, store: Store, open_page: Open
) -> None:
    row = results.table(store.folder(several.id), "events")["row_id_peak"].iloc[-1]  # the peak of 200
    test = open_page("investigate/alerts.py", run=several.id)
    assert events_shown(test) == (4, 4)

    test = open_page("investigate/alerts.py", run=several.id, rule="Score", cut="500")

    assert not test.exception
    assert events_shown(test) == (2, 2)
    assert "alerts by the rule “from score 500 on”" in captions(test)
    test.switch_page("investigate/review.py").run()
    assert not test.exception
    assert "**0 of 2** reviewed" in str(test.get("progress")[0].proto.text)
    test.session_state["row"] = row
    test.switch_page("investigate/explain.py").run()
    assert not test.exception
    assert "Peak of the event" not in captions(test)
    test.switch_page("investigate/reasons.py").run()
    assert not test.exception
    assert "of 2 events" in "\n".join(part.value for part in test.markdown)


def test_events_follow_the_saved_rule_on_all_pages_and_in_the_report(
    several: RunRecord, store: Store, open_page: Open
) -> None:
    rule = Rule(kind="score", value=1000)
    saved_thresholds.save(store, several.id, rule, name="high", reason="", author="Ada")

    alerts, review = (open_page(f"investigate/{page}.py", run=several.id) for page in ("alerts", "review"))

    assert not alerts.exception
    assert events_shown(alerts) == (1, 1)
    assert "**0 of 1** reviewed" in str(review.get("progress")[0].proto.text)
    facts, shown = run_report.gather(store, several.id)
    assert (facts["counts"]["events"], len(shown)) == (1, 1)


def test_where_no_time_stamp_is_an_alert_there_is_no_event(several: RunRecord, open_page: Open) -> None:
    test = open_page("investigate/alerts.py", run=several.id, rule="Score", cut="5000")

    assert not test.exception
    assert events_shown(test) == (0, 0)
    assert "No time stamp is an alert by this rule, so there is no event." in test.info[0].value


def test_a_single_event_needs_no_lanes(store: Store, recording_file: Path, open_page: Open) -> None:
    test = open_page("investigate/alerts.py", run=write_sensor_run(store, recording_file).id)

    assert not test.exception
    assert "each from start to end" not in captions(test)


def test_the_filter_by_a_channel_reaches_the_events(several: RunRecord, open_page: Open) -> None:
    test = open_page("investigate/alerts.py", run=several.id, mainly="flow [l/s]")

    assert not test.exception
    assert len(next(d.value for d in test.dataframe if "peak_score" in d.value)) == 1


def test_a_click_chooses_an_event_and_taking_a_mark_off_chooses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict = {"run": "r1", "row": ""}
    monkeypatch.setattr(st, "session_state", state)

    swim_lanes._pick()
    untouched = state["row"]
    state["lanes-r1"] = {"selection": {"points": [{"customdata": ["peak 7", "about"]}]}}
    swim_lanes._pick()
    first = state["row"]
    state |= {"row": "chosen in the table", "lanes-r1": {"selection": {"points": []}}}
    swim_lanes._pick()

    assert (untouched, first, state["row"]) == ("", "peak 7", "chosen in the table")


def test_earlier_events_like_it_are_listed_with_what_was_said(
    several: RunRecord, store: Store, open_page: Open
) -> None:
    row = results.table(store.folder(several.id), "events")["row_id_peak"].iloc[0]

    test = open_page("investigate/explain.py", run=several.id, row=row)

    assert not test.exception
    table = next(d.value for d in test.dataframe if "similarity" in d.value)
    assert table["similarity"].tolist() == pytest.approx([100.0])
    assert table["verdict"].tolist() == ["⚠ Data error"]
    assert table["lasts"].tolist() == ["40 s"]
    assert "1 event of 2 earlier ones" in captions(test)  # the third failed its check


def test_of_a_single_channel_the_course_tells_what_is_alike(several: RunRecord, store: Store, open_page: Open) -> None:
    folder = store.folder(several.id)
    explained = results.table(folder, "explanations")
    results.publish(folder, "explanations", explained[explained["channel"] == "pressure [bar]"].assign(attribution=1.0))
    events = results.table(folder, "events").sort_values("peak", ignore_index=True)
    step, bump = np.repeat([0.0, 1.0], 32), np.exp(-(((np.arange(64) - 20) / 4) ** 2))
    for row, course in zip(events["row_id_peak"], (5 + 3 * np.roll(bump, 9), step, bump, bump), strict=True):
        window = pd.DataFrame({"time": range(64), "pressure [bar]": course})
        window.to_parquet(folder / "maps" / f"{results.safe_name(row)}.parquet", index=False)

    test = open_page("investigate/explain.py", run=several.id, row=events["row_id_peak"].iloc[-1])

    assert not test.exception
    table = next(d.value for d in test.dataframe if "similarity" in d.value)
    assert table["peak"].iloc[0] == events["peak"].iloc[0]
    assert table["similarity"].iloc[0] > 90
    assert "Similarity by the signal of the channel" in captions(test)


def test_the_first_event_has_none_before_it(several: RunRecord, store: Store, open_page: Open) -> None:
    row = results.table(store.folder(several.id), "events")["row_id_peak"].iloc[-1]

    test = open_page("investigate/explain.py", run=several.id, row=row)

    assert not test.exception
    assert "No earlier event has an explanation that passed the faithfulness check." in captions(test)


def test_the_whole_event_can_be_seen(several: RunRecord, store: Store, open_page: Open) -> None:
    row = results.table(store.folder(several.id), "events")["row_id_peak"].iloc[0]

    event = open_page("investigate/explain.py", run=several.id, row=row, around="Whole event")
    recording = open_page("investigate/explain.py", run=several.id, row=row, around="Whole recording")

    assert not event.exception
    assert "2 of 2 channels, 121 time stamps, downsampled" in captions(event)  # 40 s before, 41 of it, 40 after
    assert "2 of 2 channels, 1,200 time stamps, downsampled" in captions(recording)


def test_durations_are_told_in_the_unit_that_there_is() -> None:
    assert swim_lanes.lasts(41, rows=True) == "42 rows"
    assert swim_lanes.lasts(7.25, rows=False) == "7.25 s"
    assert swim_lanes.lasts(3700, rows=False) == "1 h 1 min"
