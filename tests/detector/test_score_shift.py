"""Normal rows that score higher are noticed, with a known error; anomalies are not taken for them."""

import numpy as np
import pytest

from ad_core.alerts.calibration import Calibration
from ad_core.detector import score_shift as module
from ad_core.detector.score_shift import score_shift

RUNS = 400


@pytest.mark.parametrize(("calibrated", "new"), [(60, 10), (100, 50), (500, 2000), (5000, 2500)])
def test_files_without_drift_are_called_shifted_no_more_often_than_said(monkeypatch, calibrated, new):
    """At 5 % and without the share for anomalies, where the test is exact: 400 files, so at most 0.05 + 3 * 0.011."""
    monkeypatch.setattr(module, "ERROR", 0.05)
    monkeypatch.setattr(module, "FOR_ANOMALIES", 0.0)
    random = np.random.default_rng(0)

    wrong = [
        score_shift(random.exponential(size=new), Calibration.fit(random.exponential(size=calibrated)))
        for _ in range(RUNS)
    ]

    assert np.mean([one is not None for one in wrong]) <= 0.083


@pytest.mark.parametrize(("share", "distance"), [(0.03, 2.0), (0.3, 3.0), (0.66, 4.0)])
def test_anomalies_however_many_are_no_shift(share, distance):
    random = np.random.default_rng(1)
    odd = round(2000 * share)

    for _ in range(20):
        scores = np.r_[random.normal(size=2000 - odd), random.normal(distance, 1, odd)]
        assert score_shift(scores, Calibration.fit(random.normal(size=2000))) is None


def test_normal_rows_that_score_higher_are_a_shift_with_its_numbers():
    random = np.random.default_rng(2)

    found = score_shift(random.normal(0.6, 1, 2000), Calibration.fit(random.normal(size=2000)))

    assert found.upper / found.rows > 0.6
    assert found.share == pytest.approx(0.5, abs=0.01)
    assert "normal rows score higher" in found.sentence
    assert score_shift(random.normal(-0.6, 1, 2000), Calibration.fit(random.normal(size=2000))) is None


def test_neighbouring_blocks_of_recordings_count_less():
    """A walk that stays on one side for long is no shift; the same values as independent rows would be one."""
    random = np.random.default_rng(3)
    slow = np.repeat(random.normal(size=40), 25) + 0.1 * random.normal(size=1000)
    while (slow > 0).mean() < 0.6:
        slow = np.repeat(random.normal(size=40), 25) + 0.1 * random.normal(size=1000)
    calibration = Calibration.fit(random.normal(size=1000), blocks=np.arange(1000))

    assert score_shift(slow, calibration) is None
    assert score_shift(slow, Calibration.fit(calibration.scores)) is not None


def test_too_few_rows_to_tell_are_no_shift():
    assert score_shift(np.full(100, 5.0), Calibration.fit(np.arange(15.0))) is None
    assert score_shift(np.zeros(0), Calibration.fit(np.arange(500.0))) is None
