"""From which score on one row is an alert: the rule itself says so at that score, and not just below it."""

import numpy as np
import pandas as pd
import pytest

from ad_core.alerts.boundary import alert_boundary
from ad_core.alerts.calibration import Calibration
from ad_core.alerts.rule import Rule
from ad_core.alerts.threshold import apply
from ad_core.errors import DataError

RULES = [
    Rule(kind="p", value=0.05),
    Rule(kind="fdr", value=0.2),
    Rule(kind="fdr_dependent", value=0.2),
    Rule(kind="budget", value=3),
    Rule(kind="percentile", value=97.5),
    Rule(kind="score", value=2.125),
    Rule(kind="tail", value=0.01),
]


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return Calibration.fit(np.random.default_rng(0).exponential(size=400))


@pytest.fixture(scope="module")
def rows(calibration) -> pd.DataFrame:
    score = np.r_[np.random.default_rng(1).exponential(size=60), 9.0, 11.0, 12.0]
    return pd.DataFrame(
        {
            "row_id": [f"r{i}" for i in range(len(score))],
            "score": score,
            "p_value": calibration.p_value(score),
            "percentile": calibration.percentile(score),
        }
    )


def is_alert(rule, rows, at, score, calibration) -> bool:
    changed = rows.copy()
    changed.loc[at, ["score", "p_value", "percentile"]] = [
        score,
        float(calibration.p_value(score)),
        float(calibration.percentile(score)),
    ]
    return bool(apply(rule, changed, calibration).of_rows[at])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind)
@pytest.mark.parametrize("at", [5, 62])
def test_the_row_is_an_alert_from_there_on_and_not_below(rows, calibration, rule, at):
    begin = alert_boundary(rule, rows, f"r{at}", calibration)

    assert is_alert(rule, rows, at, begin, calibration)
    others = np.r_[np.delete(rows["score"].to_numpy(), at), calibration.scores]
    below = others[others < begin].max()  # of rules that look at all rows, nothing changes in between
    if rule.kind in ("p", "percentile", "score", "tail"):
        below = begin - 1e-6 * (1 + begin)
    assert not is_alert(rule, rows, at, below, calibration)


def test_where_no_score_is_an_alert_the_begin_is_infinite(rows):
    few = Calibration.fit([1.0, 2.0, 3.0])  # the smallest p is 1/4

    assert alert_boundary(Rule(kind="p", value=0.01), rows, "r0", few) == float("inf")


def test_a_row_that_is_gone_is_named(rows, calibration):
    with pytest.raises(DataError, match="no row 'x'"):
        alert_boundary(RULES[0], rows, "x", calibration)
