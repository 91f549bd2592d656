"""Rules: whom they alert, what they expect to be false, and that no sentence guarantees what does not hold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from ad_core.alerts.calibration import Calibration
from ad_core.alerts.calibration_rows import calibrated, marked
from ad_core.alerts.threshold import Rule, alerts, apply, critical_values, rule_in_force
from ad_core.errors import DataError, SettingsError

EVERY_KIND = [
    ("p", 0.01),
    ("fdr", 0.1),
    ("fdr_dependent", 0.1),
    ("budget", 20),
    ("percentile", 99),
    ("score", 3.0),
    ("tail", 0.001),
]
EMPTY = Calibration(np.zeros(0), np.zeros(0, dtype=bool))


def rows_of(scores, calibration: Calibration, used_for="", **more) -> pd.DataFrame:
    scores = np.asarray(scores, dtype=float)
    return pd.DataFrame(
        {
            "row_id": [f"r{i}" for i in range(len(scores))],
            "score": scores,
            "p_value": calibration.p_value(scores),
            "percentile": calibration.percentile(scores) if len(calibration.scores) else np.nan,
            "used_for": used_for,
            **more,
        }
    )


@pytest.fixture(scope="module")
def usual() -> Calibration:
    return Calibration.fit(np.random.default_rng(0).normal(size=2000))


@pytest.fixture(scope="module")
def new(usual) -> pd.DataFrame:
    """1,960 normal rows and 40 far out, none of which taught."""
    rng = np.random.default_rng(1)
    return rows_of(np.r_[rng.normal(size=1960), rng.normal(5, 1, 40)], usual)


def test_the_p_rule_alerts_every_row_with_a_small_p_and_expects_its_share_of_all_rows(usual, new):
    found = apply(Rule(kind="p", value=0.01), new, usual)

    assert (found.of_rows == (new["p_value"] <= 0.01)).all()
    assert found.guarantee.expected == pytest.approx(20)
    assert found.guarantee.holds
    assert found.sentence.startswith(
        "If all 2,000 rows were normal, about 20 of them would become alerts by chance (false positive rate 1 %)."
    )


@pytest.mark.parametrize(("kind", "method"), [("fdr", "bh"), ("fdr_dependent", "by")])
def test_the_false_share_is_controlled_as_scipy_does(usual, new, kind, method):
    found = apply(Rule(kind=kind, value=0.2), new, usual)

    expected = false_discovery_control(new["p_value"], method=method) <= 0.2
    assert (found.of_rows == expected).all()
    assert found.count == expected.sum()
    if found.count:
        assert found.guarantee.expected == pytest.approx(0.2 * found.count)
        assert found.score == new.loc[expected, "score"].min()


def test_alerts_under_fdr_say_how_many_are_expected_to_be_false(usual, new):
    found = apply(Rule(kind="fdr", value=0.1), new, usual)

    assert found.sentence.startswith(f"Of these {found.count} alerts at most ")
    assert found.guarantee.holds


def test_the_realised_false_share_stays_below_the_guaranteed_one_on_average():
    """200 draws of 300 calibration and 300 new rows, a tenth of these shifted by 4; within 2 standard errors."""
    rng, shares = np.random.default_rng(3), []
    for _ in range(200):
        calibration = Calibration.fit(rng.normal(size=300))
        new = rows_of(np.r_[rng.normal(size=270), rng.normal(4, 1, 30)], calibration)
        alert = apply(Rule(kind="fdr", value=0.2), new, calibration).of_rows
        shares.append(alert[:270].sum() / max(alert.sum(), 1))

    assert np.mean(shares) <= 0.2 + 2 * np.std(shares) / np.sqrt(200)
    assert np.mean(shares) > 0.1  # and it is used: a rule that alerts nobody would pass too


def test_with_too_few_calibration_rows_the_sentence_says_how_many_alerts_it_would_take(new):
    calibration = Calibration.fit(np.random.default_rng(0).normal(size=99))

    found = apply(Rule(kind="fdr", value=0.1), rows_of(new["score"], calibration), calibration)

    assert found.count == 0
    assert found.guarantee.expected == 0
    assert found.sentence == (
        "No alert: with 99 calibration rows the smallest p is 0.01, and for a false discovery rate of 10 % at "
        "least 200 of 2,000 rows must be alerts together."
    )
    assert not found.guarantee.holds


def test_so_many_alerts_are_indeed_the_fewest_that_can_pass():
    calibration = Calibration.fit(np.arange(99.0))
    for far, passes in ((199, False), (200, True)):
        new = rows_of(np.r_[np.full(far, 1000.0), np.full(2000 - far, -1.0)], calibration)
        assert bool(apply(Rule(kind="fdr", value=0.1), new, calibration).count) is passes


def test_rows_that_taught_are_alerts_at_the_same_p_but_are_neither_counted_nor_covered(usual, new):
    """1,000 training rows of middling scores would make the procedure timid; they don't take part."""
    taught = rows_of(np.r_[np.zeros(999), 9.0], usual, used_for="fit")

    alone = apply(Rule(kind="fdr", value=0.1), new, usual)
    both = apply(Rule(kind="fdr", value=0.1), pd.concat([new, taught], ignore_index=True), usual)

    assert (both.of_rows[:2000] == alone.of_rows).all()
    assert both.of_rows[2000:].nonzero()[0].tolist() == [999]
    assert both.guarantee.expected == pytest.approx(alone.guarantee.expected)
    assert "It does not cover the 1,000 training rows; 1 of them is an alert too." in both.sentence


@pytest.mark.parametrize("used_for", ["fit", "early_stop", "calibration"])
@pytest.mark.parametrize(("kind", "value"), EVERY_KIND)
def test_nothing_is_guaranteed_where_every_row_taught(usual, new, kind, value, used_for):
    assert not apply(Rule(kind=kind, value=value), new.assign(used_for=used_for), usual).guarantee.holds


@pytest.mark.parametrize(("kind", "value"), EVERY_KIND)
def test_an_empty_calibration_guarantee_nothing(new, kind, value):
    found = apply(Rule(kind=kind, value=value), rows_of(new["score"], EMPTY), EMPTY)

    assert not found.guarantee.holds
    assert found.guarantee.expected is None
    assert bool(found.count) is (kind in ("budget", "score"))
    if not found.count:
        assert "There are no calibration rows" in found.sentence


@pytest.mark.parametrize(("kind", "value"), EVERY_KIND)
def test_rows_without_p_values_get_no_guarantee_and_no_expected_number(new, kind, value):
    few = Calibration.fit(np.arange(100.0), blocks=np.repeat(np.arange(10), 10))  # 10 blocks: no p-values

    found = apply(Rule(kind=kind, value=value), rows_of(new["score"], few), few)

    assert not found.guarantee.holds
    assert found.guarantee.expected is None
    if kind in ("p", "fdr", "fdr_dependent"):
        assert found.count == 0
        assert "10 blocks of calibration rows are too few" in found.sentence


@pytest.mark.parametrize(("kind", "value"), EVERY_KIND)
def test_without_any_score_there_is_nothing_to_alert_on(usual, kind, value):
    found = apply(Rule(kind=kind, value=value), rows_of([np.nan] * 5, usual), usual)

    assert (found.count, found.guarantee.holds) == (0, False)
    assert found.score == np.inf
    assert "No row has a score" in found.sentence


def test_rows_without_a_score_are_left_out_and_never_alerts(usual, new):
    holes = pd.concat([new, rows_of([np.nan] * 500, usual)], ignore_index=True)

    with_holes, without = (apply(Rule(kind="fdr", value=0.1), rows, usual) for rows in (holes, new))

    assert with_holes.count == without.count
    assert not with_holes.of_rows[2000:].any()
    assert with_holes.sentence == without.sentence


def test_twenty_calibration_rows_reach_no_p_below_a_twentyfirst(new):
    few = Calibration.fit(np.random.default_rng(0).normal(size=20))

    found = apply(Rule(kind="p", value=0.01), rows_of(new["score"], few), few)

    assert (found.count, found.guarantee.holds) == (0, False)
    assert "p ≤ 0.01 can't be reached: with 20 calibration rows the smallest p is 0.048" in found.sentence


@pytest.mark.parametrize(("kind", "value"), [*EVERY_KIND, ("p", 0.5), ("fdr", 0.5)])
def test_tied_scores_are_alerts_together_or_not_at_all(kind, value):
    tied = Calibration.fit(np.zeros(500))

    found = apply(Rule(kind=kind, value=value), rows_of(np.zeros(100), tied), tied)

    assert found.count in (0, 100)


def test_a_budget_is_never_exceeded_and_ties_at_its_end_are_said(usual):
    found = apply(Rule(kind="budget", value=3), rows_of([9, 8, 7, 7, 1], usual), usual)

    assert found.of_rows.tolist() == [True, True, False, False, False]
    assert "Rows of equal score are alerts together or not at all" in found.sentence
    assert "equal score" not in apply(Rule(kind="budget", value=4), rows_of([9, 8, 7, 7, 1], usual), usual).sentence


def test_a_budget_counts_by_day_where_rows_have_times(usual):
    time = pd.to_datetime(["2026-01-01 01:00", "2026-01-01 02:00", "2026-01-01 23:59", "2026-01-02 00:00"])

    found = apply(Rule(kind="budget", value=1), rows_of([1, 3, 2, 0], usual, time=time), usual)

    assert found.of_rows.tolist() == [False, True, False, True]
    assert found.sentence.startswith("At most 1 alert a day")


def test_the_expected_number_of_other_rules_is_the_largest_p_times_the_rows_that_did_not_teach(usual, new):
    rows = pd.concat([new, rows_of(np.zeros(500), usual, used_for="fit")], ignore_index=True)

    found = apply(Rule(kind="budget", value=45), rows, usual)

    assert found.guarantee.expected == pytest.approx(rows["p_value"][found.of_rows].max() * 2000)


def test_percentile_and_score_alert_from_the_value_up(usual, new):
    by_percentile = apply(Rule(kind="percentile", value=99), new, usual)
    by_score = apply(Rule(kind="score", value=2.5), new, usual)

    assert (by_percentile.of_rows == (new["percentile"] >= 99)).all()
    assert (by_score.of_rows == (new["score"] >= 2.5)).all()
    assert "Nothing is guaranteed" in by_percentile.sentence
    assert "Nothing is guaranteed" in by_score.sentence


def test_the_tail_rule_alerts_what_lies_beyond_the_fitted_threshold(usual, new):
    from ad_core.alerts.extreme_values import PeaksOverThreshold

    found = apply(Rule(kind="tail", value=0.001), new, usual)

    assert (found.of_rows == (new["score"] >= PeaksOverThreshold.fit(usual.scores).threshold(0.001))).all()
    assert "an estimate beyond the calibration scores, and no guarantee" in found.sentence


def test_a_tail_of_too_few_rows_is_said_and_alerts_nobody(new):
    few = Calibration.fit(np.random.default_rng(0).normal(size=50))

    found = apply(Rule(kind="tail", value=0.001), rows_of(new["score"], few), few)

    assert found.count == 0
    assert found.sentence.startswith("Only 5 of 50 calibration scores lie above their 90 % quantile; a tail needs 20.")


def test_guarantee_on_recordings_are_called_approximate(new):
    calibration = Calibration.fit(np.random.default_rng(0).normal(size=5000), blocks=np.arange(5000) // 5)

    found = apply(Rule(kind="p", value=0.01), rows_of(new["score"], calibration), calibration)

    assert "It is approximate: blocks of one recording are not independent." in found.sentence


def test_a_threshold_per_segment_compares_each_row_with_calibration_rows_of_its_own():
    """Pump b is ten times as loud: its 5 is nothing, a's 5 is far out. With one threshold, nobody stands out."""
    rng = np.random.default_rng(0)
    taught = pd.DataFrame({"entity": ["a"] * 200 + ["b"] * 200, "score": np.r_[rng.random(200), 10 * rng.random(200)]})
    calibration = Calibration.fit(taught["score"])
    rows = rows_of([5.0, 5.0, 0.5], calibration, entity=["a", "b", "c"])

    together = apply(Rule(kind="p", value=0.01), rows, calibration)
    apart = apply(Rule(kind="p", value=0.01, segment="entity"), rows, calibration, taught)

    assert together.of_rows.tolist() == [False, False, False]
    assert apart.of_rows.tolist() == [True, False, False]  # nothing is known of c
    assert "Each entity has a threshold of its own." in apart.sentence


LOUD = pd.DataFrame(
    {
        "entity": ["a"] * 200 + ["b"] * 200 + ["short"] * 5,
        "score": np.r_[
            np.random.default_rng(0).random(200),
            10 * np.random.default_rng(1).random(200),
            np.random.default_rng(2).random(5),
        ],
    }
)
"""Pump b is ten times as loud as pump a; of a third one there are five calibration rows."""


@pytest.mark.parametrize(("kind", "value"), [("p", 0.05), ("fdr", 0.1), ("percentile", 95), ("tail", 0.001)])
def test_recordings_of_new_names_are_compared_with_all_calibration_rows_and_that_is_said(kind, value):
    """The same pumps in files of another name: as many alerts as with one threshold, never none."""
    calibration = Calibration.fit(LOUD["score"])
    rows = rows_of(np.r_[np.full(5, 50.0), 0.5, 0.2], calibration)
    renamed = rows.assign(entity=["a_2024-02", "a_2024-02", "b_2024-02", "b_2024-02", "b_2024-02", "a_2024-02", None])

    together = apply(Rule(kind=kind, value=value), rows, calibration)
    apart = apply(Rule(kind=kind, value=value, segment="entity"), renamed, calibration, LOUD)

    assert together.count == 5
    assert apart.of_rows.tolist() == together.of_rows.tolist()
    assert "Too few calibration rows belong to 3 values of entity, such as 'a_2024-02': 7 rows there" in apart.sentence
    assert apart.guarantee.holds is together.guarantee.holds


def test_only_recordings_with_too_few_calibration_rows_share_the_threshold_for_all():
    calibration = Calibration.fit(LOUD["score"])
    rows = rows_of([5.0, 5.0, 5.0, 50.0], calibration, entity=["a", "b", "short", "new"])

    found = apply(Rule(kind="p", value=0.01, segment="entity"), rows, calibration, LOUD)

    assert found.of_rows.tolist() == [True, False, False, True]
    assert "2 values of entity, such as 'new'" in found.sentence
    assert "Each entity has a threshold of its own." in found.sentence


def test_one_recording_that_trained_has_no_segments_and_its_threshold_holds_for_all():
    calibration = Calibration.fit(LOUD["score"])
    rows = rows_of([50.0, 0.1], calibration, entity=["x", "y"])

    found = apply(Rule(kind="p", value=0.05, segment="entity"), rows, calibration, LOUD[["score"]])

    assert found.of_rows.tolist() == [True, False]
    alone = apply(Rule(kind="p", value=0.05, segment="entity"), rows.drop(columns="entity"), calibration, LOUD)
    assert alone.of_rows.tolist() == [True, False]
    assert "entity '(none)'" in alone.sentence


def test_recordings_whose_own_calibration_can_not_give_so_small_a_p_are_named():
    calibration = Calibration.fit(LOUD["score"])
    taught = pd.concat([LOUD, pd.DataFrame({"entity": "c", "score": np.linspace(0, 1, 40)})])
    rows = rows_of([5.0, 5.0], calibration, entity=["a", "c"])

    found = apply(Rule(kind="p", value=0.01, segment="entity"), rows, calibration, taught)

    assert found.of_rows.tolist() == [True, False]
    assert "No row of entity 'c' can be an alert: the smallest p" in found.sentence
    assert found.guarantee.holds


def test_rows_that_are_withdrawn_do_not_count_in_the_false_discovery_rate(usual, new):
    """100 rows of a new shop score high: they must not lower the bar for the others."""
    strange = rows_of(np.full(100, 2.5), usual, withdrawn="shop z was never seen")
    alone = apply(Rule(kind="fdr", value=0.1), new, usual)

    found = apply(Rule(kind="fdr", value=0.1), pd.concat([new.assign(withdrawn=""), strange]), usual)

    assert found.of_rows[:2000].tolist() == alone.of_rows.tolist()
    assert found.guarantee.rows.withdrawn.rows == 100
    assert "It does not cover 100 rows that the drift check withdraws (shop z was never seen)" in found.sentence


def test_a_segment_that_is_not_known_is_refused(usual, new):
    with pytest.raises(DataError, match="no column 'shop'"):
        apply(Rule(kind="p", value=0.01, segment="shop"), new, usual)
    with pytest.raises(DataError, match="not known which entity"):
        apply(Rule(kind="p", value=0.01, segment="entity"), new.assign(entity="a"), usual)


@given(
    st.lists(st.floats(-5, 5), min_size=1, max_size=60), st.sampled_from(["p", "fdr", "percentile", "score", "budget"])
)
def test_a_higher_score_is_an_alert_wherever_a_lower_one_is(scores, kind):
    calibration = Calibration.fit(np.linspace(-3, 3, 50))
    rows = rows_of(scores, calibration)
    values = critical_values(
        Rule(kind=kind, value={"percentile": 50.0, "score": 1.0, "budget": 1}.get(kind, 0.5)), rows, calibration
    )

    for value in {"percentile": [50.0, 90.0], "score": [0.0, 1.0], "budget": [1, 5]}.get(kind, [0.05, 0.2, 0.5]):
        found = alerts(Rule(kind=kind, value=value), values)
        assert (found.of_rows == (rows["score"] >= found.score).to_numpy()).all()


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("p", 0),
        ("p", 1),
        ("fdr", 1.5),
        ("budget", 0),
        ("budget", 2.5),
        ("percentile", 101),
        ("score", np.inf),
        ("odd", 1),
    ],
)
def test_a_value_out_of_range_is_refused_in_words(kind, value):
    with pytest.raises(SettingsError, match="threshold"):
        Rule.parse({"kind": kind, "value": value}, "threshold")


def test_until_somebody_chooses_p_values_count_where_they_mean_something():
    assert rule_in_force(None, 1 / 2001) == Rule(kind="p", value=0.01)
    assert rule_in_force(None, 1 / 41) == Rule(kind="p", value=0.05)
    for smallest_p in (1 / 11, None, float("nan")):
        assert rule_in_force(None, smallest_p) == Rule(kind="percentile", value=95)


@pytest.mark.parametrize("smallest_p", [1 / 2001, 1 / 11, None, float("nan")])
def test_a_saved_rule_is_in_force_whatever_the_calibration(smallest_p):
    assert rule_in_force(Rule(kind="budget", value=7), smallest_p) == Rule(kind="budget", value=7)


@pytest.mark.parametrize(("kind", "value"), EVERY_KIND)
def test_every_rule_can_be_said_and_stored(kind, value):
    rule = Rule(kind=kind, value=value, segment="entity")

    assert rule.in_words().endswith(", in each entity by itself")
    assert Rule.parse(rule.model_dump(mode="json"), "threshold") == rule


def test_a_threshold_per_segment_ignores_rows_that_a_review_left_out():
    """Three confirmed anomalies among the calibration rows of pump a must not hide the next one."""
    rng = np.random.default_rng(0)
    taught = pd.DataFrame(
        {"entity": ["a"] * 203 + ["b"] * 200, "score": np.r_[rng.random(200), [9.0] * 3, rng.random(200)]}
    )
    taught["row_id"] = [f"r{i}" for i in range(403)]
    taught["block"] = np.arange(403)
    gone = taught["row_id"][taught["score"] == 9.0]
    rule, calibration = Rule(kind="p", value=0.01, segment="entity"), calibrated(taught, gone)
    rows = rows_of([8.0], calibration, entity=["a"])

    with_all = critical_values(rule, rows, calibration, taught)
    reviewed = critical_values(rule, rows, calibration, marked(taught, gone))

    assert with_all.of_rows == pytest.approx([4 / 204])
    assert reviewed.of_rows == pytest.approx([1 / 201])
