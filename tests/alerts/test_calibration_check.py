"""Doubt about the calibration: only where a few rows hide many, and with the number."""

import numpy as np
import pandas as pd
import pytest

from ad_core.alerts.calibration import Calibration
from ad_core.alerts.calibration_check import check_calibration, held_back
from ad_core.alerts.threshold import Rule, apply

RULE = Rule(kind="fdr", value=0.1)


def batch(calibration: Calibration, anomalies: int = 40, used_for: str = "") -> pd.DataFrame:
    rng = np.random.default_rng(7)
    score = np.r_[rng.normal(size=2000 - anomalies), rng.normal(6, 0.5, anomalies)]
    return pd.DataFrame(
        {
            "row_id": np.arange(2000).astype(str),
            "score": score,
            "p_value": calibration.p_value(score),
            "percentile": calibration.percentile(score),
            "used_for": used_for,
        }
    )


@pytest.fixture
def dirty() -> Calibration:
    """2,000 calibration rows, 20 of which are anomalies."""
    rng = np.random.default_rng(8)
    return Calibration.fit(np.r_[rng.normal(size=1980), rng.normal(6, 0.5, 20)])


@pytest.fixture
def clean() -> Calibration:
    return Calibration.fit(np.random.default_rng(9).normal(size=2000))


def test_twenty_anomalies_among_the_calibration_rows_are_found_with_their_number(dirty):
    rows = batch(dirty)
    assert apply(RULE, rows, dirty).count == 0

    found = check_calibration(RULE, rows, dirty)

    assert found.highest == 20
    assert found.beyond == 40
    assert found.alerts_without >= 40
    assert found.in_words().startswith(
        "40 of 2,000 scored rows lie beyond all but the 20 highest of 2,000 calibration rows; chance would bring "
        "about 21. If those are anomalies, leaving them out changes the alerts from 0 to "
    )


def test_a_clean_calibration_is_not_doubted(clean):
    assert check_calibration(RULE, batch(clean), clean) is None


def test_rows_without_anomalies_raise_no_doubt_even_if_dropping_rows_would_bring_alerts(clean, dirty):
    assert check_calibration(RULE, batch(clean, anomalies=0), clean) is None
    assert check_calibration(RULE, batch(dirty, anomalies=0), dirty) is None


def test_a_rule_that_finds_nothing_says_how_few_calibration_rows_decide_that(clean):
    """Six anomalies among the calibration rows hide five in the file: too few to be a sign, but no row is an alert."""
    dirty = Calibration.fit(np.r_[clean.scores[:-6], np.linspace(9, 10, 6)])
    rows = batch(dirty, anomalies=5)
    assert apply(RULE, rows, dirty).count == 0
    assert check_calibration(RULE, rows, dirty) is None

    found = held_back(RULE, rows, dirty)

    rest = Calibration.fit(dirty.scores[: -found.highest])
    alerts = apply(RULE, rows.assign(p_value=rest.p_value(rows["score"])), rest).count
    assert found.alerts_without == alerts >= 5
    assert found.highest <= 12
    assert found.p == np.sort(rows["p_value"])[found.needed - 1] > found.largest_p
    assert found.in_words().startswith("No row is an alert. 10 alerts need p ≤ 0.0005, and the 10th smallest p is 0.0")
    assert "That alone is no sign; but if they are anomalies, leaving them out brings" in found.in_words()


def test_where_there_are_alerts_or_another_rule_nothing_is_held_back(clean, dirty):
    assert held_back(RULE, batch(clean), clean) is None
    assert held_back(Rule(kind="p", value=0.01), batch(dirty), dirty) is None


def test_rules_without_p_values_raise_no_doubt(dirty):
    assert check_calibration(Rule(kind="budget", value=5), batch(dirty), dirty) is None
