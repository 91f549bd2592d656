"""A guarantee as a value: which error rate it is about, whether it holds, and why; and that every reason has words."""

from dataclasses import fields
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from ad_core.alerts import guarantee as module
from ad_core.alerts.calibration import Calibration
from ad_core.alerts.guarantee import (
    BlocksNotIndependent,
    CalibrationSize,
    ErrorRate,
    Extrapolated,
    NoCalibrationRows,
    NoPValues,
    NoRateControlled,
    NoScores,
    NoTail,
    OnlyTrainingRows,
    Reason,
    RowCounts,
    SmallestPTooLarge,
    TiesExceedBudget,
    TooFewAlertsPossible,
    TooFewBlocks,
    TrainingRowsNotCovered,
    guarantee,
)
from ad_core.alerts.guarantee_words import sentences
from ad_core.alerts.rule import Rule
from ad_core.alerts.threshold import apply

NEW = RowCounts(scored=2000, new=2000, alerts=40, new_alerts=40)
MANY = CalibrationSize(n=999, in_blocks=False, smallest_p=0.001)
FEW = CalibrationSize(n=99, in_blocks=False, smallest_p=0.01)
P, FDR = Rule(kind="p", value=0.05), Rule(kind="fdr", value=0.1)


@pytest.mark.parametrize(
    ("rule", "kind", "rate", "holds", "reasons"),
    [
        (P, ErrorRate.FALSE_POSITIVE, 0.05, True, ()),
        (FDR, ErrorRate.FALSE_DISCOVERY, 0.1, True, ()),
        (Rule(kind="fdr_dependent", value=0.1), ErrorRate.FALSE_DISCOVERY, 0.1, True, ()),
        (Rule(kind="budget", value=40), None, None, False, (NoRateControlled(),)),
        (Rule(kind="percentile", value=98), None, None, False, (NoRateControlled(),)),
        (Rule(kind="score", value=3), None, None, False, (NoRateControlled(),)),
        (Rule(kind="tail", value=0.001), None, None, False, (Extrapolated(),)),
    ],
)
def test_each_kind_of_rule_controls_its_error_rate_or_none(rule, kind, rate, holds, reasons):
    found = guarantee(rule, NEW, MANY, 4.0)

    assert (found.kind, found.rate, found.expected, found.holds, found.reasons) == (kind, rate, 4.0, holds, reasons)


@pytest.mark.parametrize("rule", [P, FDR])
def test_training_rows_alone_withdraw_the_guarantee_and_keep_what_it_is_about(rule):
    found = guarantee(rule, RowCounts(scored=300, new=0, alerts=9, new_alerts=0), MANY, None)

    assert (found.kind is None, found.rate, found.holds) == (False, rule.value, False)
    assert found.reasons == (OnlyTrainingRows(),)


def test_a_p_value_that_the_calibration_can_not_give_is_a_reason_with_its_size():
    found = guarantee(Rule(kind="p", value=0.005), NEW, FEW, 0.0)

    assert not found.holds
    assert found.reasons == (SmallestPTooLarge(FEW),)


@pytest.mark.parametrize(("kind", "needed"), [("fdr", 200), ("fdr_dependent", 1636)])
def test_without_alerts_the_fewest_that_could_pass_are_counted(kind, needed):
    none = RowCounts(scored=2000, new=2000, alerts=0, new_alerts=0)

    found = guarantee(Rule(kind=kind, value=0.1), none, FEW, 0.0)

    assert not found.holds
    assert found.reasons == (TooFewAlertsPossible(needed, FEW),)
    assert guarantee(FDR, RowCounts(scored=9, new=9, alerts=0, new_alerts=0), FEW, 0.0).holds


def test_what_narrows_a_guarantee_is_listed_with_its_numbers():
    rows, blocks = RowCounts(scored=2300, new=2000, alerts=45, new_alerts=40), CalibrationSize(999, True, 0.001)

    found = guarantee(P, rows, blocks, 100.0)

    assert found.holds
    assert found.reasons == (TrainingRowsNotCovered(rows=300, alerts=5), BlocksNotIndependent())


@pytest.mark.parametrize("why", [NoScores(), NoCalibrationRows(), TooFewBlocks(10), NoPValues(), NoTail("No tail.")])
def test_a_rule_that_can_alert_nobody_guarantees_nothing(why):
    none = RowCounts(scored=0, new=0, alerts=0, new_alerts=0)

    found = guarantee(P, none, MANY, None, why)

    assert (found.kind, found.expected, found.holds, found.reasons) == (ErrorRate.FALSE_POSITIVE, None, False, (why,))


def test_the_table_of_scores_gives_the_counts_and_the_expected_number():
    """100 new rows, of which the highest 10 are beyond all 99 calibration rows; and 50 training rows."""
    calibration = Calibration.fit(np.arange(99.0))
    score = np.r_[np.full(90, -1.0), np.full(10, 1000.0), np.full(49, -1.0), 1000.0]
    rows = pd.DataFrame({"score": score, "p_value": calibration.p_value(score), "percentile": 0.0})
    rows["used_for"] = np.r_[np.full(100, ""), np.full(50, "fit")]

    found = apply(FDR, rows, calibration).guarantee

    assert found.rows == RowCounts(scored=150, new=100, alerts=11, new_alerts=10)
    assert (found.kind, found.rate, found.expected, found.holds) == (ErrorRate.FALSE_DISCOVERY, 0.1, 1.0, True)
    assert found.reasons == (TrainingRowsNotCovered(rows=50, alerts=1),)


def test_a_budget_that_ties_leave_unused_says_so():
    calibration = Calibration.fit(np.arange(99.0))
    rows = pd.DataFrame({"score": [9.0, 7.0, 7.0], "p_value": [0.1, 0.2, 0.2], "percentile": 50.0})

    tied, used = (apply(Rule(kind="budget", value=value), rows, calibration).guarantee for value in (2, 3))

    assert tied.reasons == (NoRateControlled(), TiesExceedBudget())
    assert used.reasons == (NoRateControlled(),)


def test_a_budget_counts_per_day_only_where_rows_lie_on_several_days():
    calibration = Calibration.fit(np.arange(99.0))
    rows = pd.DataFrame({"score": [9.0, 7.0], "p_value": 0.1, "percentile": 50.0})
    days = pd.to_datetime(["2026-01-01", "2026-01-02"])

    found = [
        apply(Rule(kind="budget", value=1), rows.assign(time=time), calibration) for time in (days, days[:1].repeat(2))
    ]

    assert [one.guarantee.rows.per_day for one in found] == [True, False]


@pytest.mark.parametrize("reason", get_args(Reason), ids=lambda reason: reason.__name__)
def test_every_reason_has_a_sentence_of_its_own(reason):
    numbers = {"calibration": FEW, "why": "No tail."}
    told = reason(**{field.name: numbers.get(field.name, 7) for field in fields(reason)})
    without = guarantee(P, NEW, MANY, None)

    said = sentences(module.Guarantee(**{**vars(without), "reasons": (told,), "holds": False}))

    assert said != sentences(module.Guarantee(**{**vars(without), "holds": False}))
    assert said.endswith(".")


def test_the_standard_terms_stand_in_the_words():
    assert "false positive rate 5 %" in sentences(guarantee(P, NEW, MANY, 100.0))
    assert "false discovery rate 10 %" in sentences(guarantee(FDR, NEW, MANY, 4.0))
    assert P.in_words() == "false positive rate: p ≤ 0.05, about 5 % of normal rows become alerts by chance"
    assert FDR.in_words() == "false discovery rate: at most 10 % of the alerts are expected to be false"
