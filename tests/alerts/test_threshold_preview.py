"""What moving a threshold changes, in words and as a curve."""

import numpy as np
import pandas as pd
import pytest

from ad_core.alerts.calibration import Calibration
from ad_core.alerts.threshold import Rule, alerts, critical_values
from ad_core.alerts.threshold_preview import DRAWN, curve, moved

CALIBRATION = Calibration.fit(np.arange(999.0))
ROWS = pd.DataFrame({"row_id": [str(i) for i in range(100)], "score": np.linspace(900, 999, 100)})
ROWS = ROWS.assign(p_value=CALIBRATION.p_value(ROWS["score"]), percentile=CALIBRATION.percentile(ROWS["score"]))


def at(kind: str, value: float):
    rule = Rule(kind=kind, value=value)
    return alerts(rule, critical_values(rule, ROWS, CALIBRATION))


def seen(kind: str):
    return critical_values(Rule(kind=kind, value=1 if kind == "budget" else 0.5), ROWS, CALIBRATION)


def test_more_alerts_name_the_p_values_of_those_that_join():
    before, after = at("p", 0.0051), at("p", 0.0101)

    assert moved(before, after, seen("p")) == "Moving from 5 to 10 alerts adds 5 rows with p between 0.006 and 0.01."
    assert moved(after, before, seen("p")) == "Moving from 10 to 5 alerts drops 5 rows with p between 0.006 and 0.01."


def test_another_kind_of_rule_is_compared_row_by_row():
    assert moved(at("p", 0.0051), at("budget", 6), seen("budget")) == (
        "Moving from 5 to 6 alerts adds 1 row with p 0.006."
    )


def test_without_p_values_scores_are_named():
    rows = ROWS.assign(p_value=np.nan, score=ROWS["score"] / 100)
    rules = [Rule(kind="score", value=value) for value in (9.99, 9.4)]
    before, after = (alerts(rule, critical_values(rule, rows, CALIBRATION)) for rule in rules)

    said = moved(before, after, critical_values(rules[0], rows, CALIBRATION))

    assert said == "Moving from 1 to 60 alerts adds 59 rows with score between 9.4 and 10."


def test_the_same_rule_changes_nothing_and_equal_alerts_are_said():
    assert moved(at("p", 0.01), at("p", 0.01), seen("p")) == ""
    assert moved(at("p", 0.0051), at("budget", 5), seen("p")).endswith("leaves the alerts as they are.")


@pytest.mark.parametrize(
    ("kind", "value"), [("p", 0.02), ("fdr", 0.3), ("percentile", 95), ("score", 950), ("budget", 20)]
)
def test_the_curve_gives_at_each_value_the_alerts_that_the_rule_would(kind, value):
    rule = Rule(kind=kind, value=value)
    values, counts = curve(rule, critical_values(rule, ROWS, CALIBRATION))

    assert 0 < len(values) <= DRAWN
    assert (np.diff(values) > 0).all()
    for v, n in zip(values[::7], counts[::7], strict=True):
        if kind in ("p", "fdr") and v >= 1:
            continue
        assert at(kind, float(v)).count == n


def test_a_long_curve_is_thinned_and_keeps_its_begin():
    rows = pd.DataFrame({"score": np.random.default_rng(0).normal(size=5000)})
    rows = rows.assign(p_value=np.nan, percentile=np.nan)
    rule = Rule(kind="score", value=3)

    values, counts = curve(rule, critical_values(rule, rows, CALIBRATION))

    assert len(values) <= DRAWN
    assert (values[-1], counts[-1]) == (rows["score"].max(), 1)
