"""Whether the normal rows of a new file score higher than the calibration rows, although no single column has moved.

Real anomalies score high too, so the highest scores say nothing: the rows above the 75 % quantile of the calibration
are left out. Normal rows below it are exchangeable with the calibration rows below it, so the number of new rows above
the median of those is beta-binomial, exactly. A twentieth of these rows is given away for anomalies that don't score
high. So, as long as at most that share of the rows below the quantile are anomalies, a file without drift is called
shifted with a probability of at most `ERROR`, for any distribution of the scores. What this can't see: drift that moves
few rows only, or moves them above the quantile alone; there it can't be told from anomalies. So many high scores are
said by themselves (`many_high`), without a verdict.

Neighbouring blocks of a recording are alike. Their number is divided by the (1 + r) / (1 - r) of their correlation r at
lag 1, on both sides; there the error is approximate.
"""

from dataclasses import dataclass

import numpy as np

from ad_core.alerts.calibration import Calibration

ERROR = 0.001
"""Probability of calling a file shifted that is not."""
HIGH = 0.25
"""Share of the highest calibration rows, above which new rows are not looked at."""
FOR_ANOMALIES = 0.05
"""Share of the rows that is taken for anomalies with usual scores."""
VERY_HIGH, FEW_ANOMALIES = 0.05, 0.1
"""Share of the highest calibration rows, and the share of anomalies in a new file that needs no remark."""
FEWEST = 20
"""Minimum number of calibration rows below the quantile."""


@dataclass(frozen=True)
class ScoreShift:
    """More new rows in the upper half of the usual scores than chance allows."""

    rows: int
    """New rows, or blocks of recordings, whose score is usual: below the quantile of the calibration."""
    upper: int
    """Those in the upper half of the calibration scores below it."""
    share: float
    """Share of them that is expected without drift."""
    unit: str

    @property
    def sentence(self) -> str:
        """What was found."""
        return (
            f"Of the {self.rows:,} {self.unit} with a usual score, {self.upper / self.rows:.0%} lie in the upper half "
            f"of the usual calibration scores, where {self.share:.0%} are expected: normal rows score higher than "
            "those that the detector was calibrated with."
        )


def score_shift(scores: np.ndarray, calibration: Calibration) -> ScoreShift | None:
    """The shift of the scores against the calibration; None where there is none to be seen.

    Args:
        scores: (k,) of new rows that a guarantee could cover, without NaN; for recordings the highest of each block, in
            order of time.
    """
    ordered = calibration.scores[calibration.counts]
    if len(ordered) * (1 - HIGH) < FEWEST or not len(scores):
        return None
    cut = ordered[len(ordered) - int(np.ceil(HIGH * len(ordered)))]
    below, usual = ordered[ordered < cut], scores[scores < cut]
    if len(below) < FEWEST or not len(usual):
        return None
    median = below[(len(below) - 1) // 2]
    is_upper = usual > median
    own_upper, upper = int((below > median).sum()), int(is_upper.sum())
    independent = _independent_share(is_upper) if calibration.approximate else 1.0
    if _chance(upper, len(usual), own_upper, len(below), independent) > ERROR:
        return None
    unit = "blocks" if calibration.approximate else "rows"
    return ScoreShift(len(usual), upper, (own_upper + 1) / (len(below) + 1), unit)


def many_high(scores: np.ndarray, calibration: Calibration) -> float | None:
    """The share of new rows above the 95 % quantile of the calibration, where it is larger than chance and a tenth of
    anomalies explain; else None. Arguments as in `score_shift`.
    """
    ordered = calibration.scores[calibration.counts]
    if len(ordered) < FEWEST or not len(scores):
        return None
    cut = ordered[len(ordered) - int(np.ceil(VERY_HIGH * len(ordered))) - 1]
    is_high, own = scores > cut, int((ordered > cut).sum())
    independent = _independent_share(is_high) if calibration.approximate else 1.0
    chance = _chance(int(is_high.sum()), len(scores), own, len(ordered), independent, FEW_ANOMALIES)
    return float(is_high.mean()) if chance <= ERROR else None


def _chance(
    upper: int, rows: int, own_upper: int, own_rows: int, independent: float, for_anomalies: float | None = None
) -> float:
    """Probability of at least so many new rows above the k-th highest calibration row, k = own_upper + 1."""
    from scipy.stats import betabinom

    given = int((FOR_ANOMALIES if for_anomalies is None else for_anomalies) * rows)
    more, of = upper - given, rows - given
    more, of, k, n = (int(number * independent) for number in (more, of, own_upper, own_rows))
    if more <= 0:
        return 1.0
    return float(betabinom.sf(more - 1, of, k + 1, max(n - k, 1)))


def _independent_share(is_upper: np.ndarray) -> float:
    """Effective share of a series of correlated blocks, (1 - r) / (1 + r); 0 where there are too few to tell."""
    if len(is_upper) < FEWEST:
        return 0.0
    centred = is_upper - is_upper.mean()
    variance = float((centred**2).mean())
    r = float((centred[1:] * centred[:-1]).mean()) / variance if variance else 0.0
    return (1 - max(r, 0.0)) / (1 + max(r, 0.0))
