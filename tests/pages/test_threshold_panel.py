"""The threshold on the Alerts page: rules say what they guarantee, links and saved rules hold, other pages follow."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ad_core.alerts.threshold import Rule
from ad_core.storage import bundle, results, saved_thresholds
from ad_core.storage.store import RunRecord, Store
from pages._ui.alerts.rule_words import MORE_RULES, RULE_AXES, RULE_VALUES, RULES
from tests.pages.conftest import write_sensor_run, write_table_run
from tests.pages.test_pages import button, texts

Open = Callable[..., AppTest]
ALERTS = "investigate/alerts.py"


def alerts(test: AppTest) -> int:
    return int(next(metric.value for metric in test.metric if metric.label == "Alerts").replace(",", ""))


def test_the_p_rule_stays_where_it_was_until_somebody_chooses(table_run: RunRecord, open_page: Open) -> None:
    test = open_page(ALERTS, run=table_run.id)

    assert not test.exception
    assert test.select_slider(key="alpha").value == 0.05  # 40 calibration rows: 0.01 can't be reached
    assert "so this rate is only indicative" in texts(test)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("False discovery rate", "All these rows were used for training or calibration"),
        ("Alert budget", "At most 20 alerts, the highest scores. Nothing is guaranteed"),
        ("Percentile", "Alerts score higher than 99 % of the calibration rows. Nothing is guaranteed"),
        ("Score", "A fixed score. Nothing is guaranteed"),
        ("More", "All these rows were used for training or calibration"),
    ],
)
def test_every_rule_says_what_it_promises(table_run: RunRecord, open_page: Open, rule: str, said: str) -> None:
    test = open_page(ALERTS, run=table_run.id, rule=rule)

    assert not test.exception
    assert not test.error
    assert said in texts(test)


def test_extreme_values_need_a_tail(table_run: RunRecord, open_page: Open) -> None:
    test = open_page(ALERTS, run=table_run.id, rule="More", more_rules="Extreme values")

    assert "a tail needs 20. Choose another rule." in texts(test)
    assert alerts(test) == 0


def test_a_budget_is_kept_by_the_list_and_the_other_pages(table_run: RunRecord, open_page: Open) -> None:
    test = open_page(ALERTS, run=table_run.id, rule="Alert budget", budget="7", alerts_only="true")

    assert alerts(test) == 7
    assert len(test.dataframe[-1].value) == 7
    test.switch_page("investigate/map.py").run()
    assert not test.exception
    assert "Diamonds are alerts: at most 7 alerts." in texts(test)


def test_moving_away_from_the_saved_rule_says_what_changes(table_run: RunRecord, store: Store, open_page: Open) -> None:
    rule = Rule(kind="budget", value=5)
    saved_thresholds.save(store, table_run.id, rule, name="five", reason="", author="Ada")
    test = open_page(ALERTS, run=table_run.id)
    assert alerts(test) == 5
    assert "Moving from" not in texts(test)

    test.number_input(key="budget").set_value(8).run()

    assert alerts(test) == 8
    assert "Moving from 5 to 8 alerts adds 3 rows with p" in texts(test)
    assert saved_thresholds.current(store, table_run.id) == rule


def test_a_threshold_is_saved_with_its_reason_and_found_again(
    table_run: RunRecord, store: Store, open_page: Open
) -> None:
    test = open_page(ALERTS, run=table_run.id, rule="Alert budget", budget="12")
    test.text_input(key="threshold-name").set_value("small team")
    test.text_area(key="threshold-reason").set_value("two people look")
    test.text_input(key="author").set_value("Ada")

    button(test, "Save").click().run()  # type: ignore[attr-defined]

    assert not test.exception
    line = saved_thresholds.history(store, table_run.id).iloc[0]
    assert (line["name"], line["reason"], line["author"]) == ("small team", "two people look", "Ada")
    assert saved_thresholds.current(store, table_run.id) == Rule(kind="budget", value=12)
    again = open_page(ALERTS, run=table_run.id)
    assert alerts(again) == 12
    assert again.number_input(key="budget").value == 12
    assert "Saved as “small team”." in texts(again)


def test_another_run_begins_with_its_own_rule(
    table_run: RunRecord, store: Store, tmp_path: Path, open_page: Open
) -> None:
    (tmp_path / "more").mkdir()
    other = write_table_run(store, tmp_path / "more")
    saved_thresholds.save(store, other.id, Rule(kind="percentile", value=90), name="ninety", reason="", author="Ada")
    test = open_page(ALERTS, run=table_run.id, rule="Alert budget", budget="7")

    test.session_state["run"] = other.id
    test.run()

    assert not test.exception
    assert test.number_input(key="percentile").value == 90
    test.session_state["run"] = table_run.id
    test.run()
    assert test.select_slider(key="alpha").value == 0.05


def test_links_of_earlier_versions_find_their_rule(table_run: RunRecord, store: Store, open_page: Open) -> None:
    rule = Rule(kind="budget", value=5)
    saved_thresholds.save(store, table_run.id, rule, name="five", reason="", author="Ada")

    share = open_page(ALERTS, run=table_run.id, rule="False share of alerts", fdr="20 %")
    alarms = open_page(ALERTS, run=table_run.id, rule="False alarms among normal rows", alpha="10 %")
    dependent = open_page(ALERTS, run=table_run.id, rule="More", more_rules="False share, dependent rows")

    assert not share.exception
    assert share.select_slider(key="fdr").value == 0.2
    assert alarms.select_slider(key="alpha").value == 0.1
    assert dependent.select_slider(key="any_fdr").value == 0.1
    alarms.select_slider(key="alpha").set_value(0.2).run()
    assert alarms.select_slider(key="alpha").value == 0.2


def test_a_recording_keeps_its_events_and_has_rules_too(store: Store, recording_file: Path, open_page: Open) -> None:
    run = write_sensor_run(store, recording_file)

    test = open_page(ALERTS, run=run.id, rule="Alert budget", budget="9")

    assert not test.exception
    assert alerts(test) <= 9


def test_every_kind_of_rule_has_its_words() -> None:
    kinds = set(Rule.model_fields["kind"].annotation.__args__)  # type: ignore[union-attr]

    assert set(RULES) - {"more"} | set(MORE_RULES) == kinds == set(RULE_VALUES) == set(RULE_AXES)


def test_recordings_can_have_thresholds_of_their_own(table_run: RunRecord, store: Store, open_page: Open) -> None:
    """Every other row is of pump b. A budget of 3 for each of the two is 6 alerts."""
    folder = store.folder(table_run.id)
    scores = results.table(folder, "scores").assign(entity=lambda rows: ["a", "b"] * (len(rows) // 2))
    results.publish(folder, "scores", scores)
    rows = scores.loc[scores["used_for"] == "calibration", ["row_id", "score", "entity"]]
    bundle.change(folder / "bundle", {"calibration_rows": rows})
    link = {"run": table_run.id, "rule": "Alert budget", "budget": "3"}

    together, apart = open_page(ALERTS, **link), open_page(ALERTS, **link, apart="true")

    assert not apart.exception
    assert not apart.error
    assert (alerts(together), alerts(apart)) == (3, 6)
    assert "Each entity has a threshold of its own." in texts(apart)


def test_a_saved_rule_whose_segment_is_gone_is_said_on_every_page(
    table_run: RunRecord, store: Store, open_page: Open
) -> None:
    rule = Rule(kind="p", value=0.05, segment="entity")
    saved_thresholds.save(store, table_run.id, rule, name="each", reason="", author="Ada")

    for page in ("investigate/map.py", "investigate/calibration.py"):
        test = open_page(page, run=table_run.id)

        assert not test.exception
        assert "There is no column 'entity' in the scores" in texts(test)
    panel = open_page(ALERTS, run=table_run.id)
    assert not panel.error
    assert "The saved threshold can't be kept here." in texts(panel)
    assert panel.select_slider(key="alpha").value == 0.05
