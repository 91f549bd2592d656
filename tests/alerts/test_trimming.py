"""Which calibration scores are taken for anomalies: few that are none, whatever the distribution, and most that are."""

import numpy as np
import pandas as pd
import pytest

from ad_core.alerts.calibration import Calibration
from ad_core.alerts.calibration_rows import calibrated, in_use, marked, trimmed
from ad_core.alerts.threshold import Rule, apply
from ad_core.alerts.trimming import FEWEST, beyond_tail, beyond_valley, rate_if_normal, suspicious

NORMAL = {
    "uniform": lambda rng, n: rng.random(n),
    "normal": lambda rng, n: rng.normal(size=n),
    "exponential": lambda rng, n: rng.exponential(size=n),
    "lognormal": lambda rng, n: rng.lognormal(0, 1, n),
    "t3": lambda rng, n: np.abs(rng.standard_t(3, n)),
    "pareto": lambda rng, n: rng.pareto(3, n),
}


@pytest.mark.parametrize("name", NORMAL)
@pytest.mark.parametrize("n", [250, 1000, 2500])
def test_of_clean_rows_less_than_a_thousandth_lies_beyond_the_tail(name, n):
    rng = np.random.default_rng(0)

    assert np.mean([beyond_tail(np.sort(NORMAL[name](rng, n))) for _ in range(100)]) <= 0.001 * n


@pytest.mark.parametrize("name", ["uniform", "exponential", "pareto"])
def test_clean_rows_hardly_ever_show_a_second_mode(name):
    """At most 1 of 200 samples; 4 of 200 would be more than chance allows."""
    rng = np.random.default_rng(0)

    assert sum(beyond_valley(np.sort(NORMAL[name](rng, 1000))) > 0 for _ in range(200)) < 4


def test_scores_of_a_grid_and_few_scores_are_never_trimmed():
    rng = np.random.default_rng(0)

    assert suspicious(rng.integers(0, 6, 1000)) == 0
    assert suspicious(np.round(rng.exponential(size=1000), 1)) == 0
    assert suspicious(np.r_[rng.normal(size=FEWEST - 11), np.full(10, 50.0)]) == 0


@pytest.mark.parametrize("share", [0.01, 0.02, 0.05])
def test_anomalies_are_left_out_and_the_rule_finds_again_what_it_had_lost(share):
    rng = np.random.default_rng(1)
    found, lost, false = [], [], []
    for _ in range(10):
        odd = round(2500 * share)
        taught = np.r_[rng.exponential(size=2500 - odd), rng.normal(14, 2, odd)]
        rows = pd.DataFrame({"row_id": np.arange(2500).astype(str), "score": taught})
        new = np.r_[rng.exponential(size=2450), rng.normal(14, 2, 50)]
        for ways, calibration in ((lost, calibrated(rows)), (found, calibrated(trimmed(rows)))):
            table = pd.DataFrame({"score": new, "p_value": calibration.p_value(new), "percentile": 0.0})
            alert = apply(Rule(kind="fdr", value=0.1), table, calibration).of_rows
            ways.append(alert[2450:].mean())
        false.append(alert[:2450].sum() / max(alert.sum(), 1))

    assert np.median(lost) == 0
    assert np.median(found) > 0.9
    assert np.mean(false) <= 0.1 + 2 * np.std(false) / np.sqrt(10)


def test_of_a_recording_whole_blocks_are_left_out():
    rng = np.random.default_rng(2)
    score = rng.exponential(size=4000)
    score[::400] += 40  # one time stamp in ten of a thousand blocks
    rows = trimmed(pd.DataFrame({"row_id": np.arange(4000).astype(str), "score": score, "block": np.arange(4000) // 4}))

    assert rows["trimmed"].sum() == 40
    assert rows.groupby("block")["trimmed"].nunique().max() == 1
    assert calibrated(rows).trimmed == 10
    assert calibrated(rows).n == 990


def test_a_trimmed_row_that_is_kept_calibrates_again_and_confirmed_ones_are_not_counted_as_trimmed():
    score = np.r_[np.random.default_rng(3).exponential(size=990), np.full(10, 40.0) + np.arange(10)]
    rows = trimmed(pd.DataFrame({"row_id": np.arange(1000).astype(str), "score": score}))

    assert calibrated(rows).trimmed == 10
    assert calibrated(rows, kept=["995"]).trimmed == 9
    assert 45.0 in calibrated(rows, kept=["995"]).scores
    assert calibrated(rows, left_out=["996", "3"]).trimmed == 9
    assert len(in_use(marked(rows, ["3"], ["995"]))) == 990


def test_the_price_is_said_and_kept_with_the_calibration():
    """At worst all are normal: 10 trimmed and 990 kept, so p <= .05 happens with (.05 * 991 + 10) / 1001."""
    score = np.r_[np.random.default_rng(3).exponential(size=990), np.full(10, 40.0) + np.arange(10)]
    calibration = calibrated(trimmed(pd.DataFrame({"row_id": np.arange(1000).astype(str), "score": score})))
    again = Calibration.from_frame(calibration.to_frame(), calibration.facts())
    table = pd.DataFrame({"score": [50.0, 0.1], "p_value": again.p_value([50.0, 0.1]), "percentile": 0.0})

    assert again.trimmed == 10
    assert rate_if_normal(0.05, 990, 10) == pytest.approx((0.05 * 991 + 10) / 1001)
    by_p, by_fdr = (apply(Rule(kind=kind, value=0.05), table, again).sentence for kind in ("p", "fdr"))
    assert "It assumes that the 10 highest of 1,000 calibration rows are anomalies. If all of them were normal" in by_p
    assert "could be up to 5.95 %" in by_p
    assert "If some of them are normal after all, more alerts are false than guaranteed." in by_fdr
    assert "trimmed" not in Calibration.fit(score).facts()


def test_at_worst_the_false_positive_rate_is_what_is_said():
    """The 25 highest of 1,000 normal rows are left out, as no rule would: the realised rate is the one that is said."""
    rng = np.random.default_rng(4)
    realised = []
    for _ in range(200):
        kept = Calibration.fit(np.sort(rng.normal(size=1000))[:-25])
        realised.append((kept.p_value(rng.normal(size=500)) <= 0.05).mean())

    said = rate_if_normal(0.05, 975, 25)
    assert np.mean(realised) == pytest.approx(said, abs=3 * np.std(realised) / np.sqrt(200))
    assert np.mean(realised) > 0.07
