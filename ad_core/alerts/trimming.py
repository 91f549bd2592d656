"""How many of the highest calibration scores are taken for anomalies, where the user says that there may be some.

An anomaly among the calibration rows makes the p-values of similar rows large, so that a rule for the false discovery
rate finds nothing. Leaving out the highest rows blindly breaks every guarantee. Two rules leave out rows that normal
rows hardly explain; each has an error that is known as long as its assumption about normal scores holds:

1. *A second mode.* Assumption: normal scores thin out above their 90 % quantile, i. e. their density falls. Then of the
   scores in two neighbouring intervals the lower one holds at least its share by length, so that the number in it is
   stochastically larger than a binomial one. Where a lower interval is emptier than that, in the interval pair that is
   most unlikely, all scores above it are left out. With clean rows that happens with a probability below 0.5 %.
2. *Beyond the tail.* Assumption: beyond their 95 % quantile normal scores fall off at least as fast as a generalised
   Pareto distribution, whose shape is read off the quantiles 60, 80 and 90 % (Pickands 1975, Ann. Statist. 3, p. 119)
   and whose scale off those of 90 and 95 %, each plus one standard error. Rows are left out by the procedure of
   Benjamini and Hochberg among these tail probabilities, so that on average at most a tenth of them are normal.

Whatever the assumption, at worst all m rows that are left out of n + m are normal; then p <= a happens with a
probability of at most (a (n + 1) + m) / (n + m + 1). Normal rows that form a small group of their own far above the
others are taken for anomalies: for these the assumptions don't hold.
"""

import numpy as np
import numpy.typing as npt

FEWEST = 200
"""Minimum number of calibration scores: the scale of the tail is read off a twentieth of them."""
MODE_ABOVE, ENDS, UNLIKELY = 0.9, 24, 1e-6
"""Second mode: the quantile above which it is looked for, the number of interval ends that are tried (by rank, and
again by value), and the largest probability. The smallest probability among all interval pairs lies below 1e-6 in fewer
than 1 of 200 samples of 250 to 10,000 scores from a uniform density, the least favourable one."""
DISTINCT = 0.9
"""Minimum share of distinct values among the highest scores: values of a grid leave gaps of their own."""
SHAPE_AT, SCALE_AT = (0.6, 0.8, 0.9), (0.9, 0.95)
FALSE_SHARE = 0.1
"""Share of the rows that are left out beyond the tail which may be normal, on average."""


def suspicious(scores: npt.ArrayLike) -> int:
    """How many of the highest scores are taken for anomalies; 0 where there are too few scores to tell.

    Args:
        scores: (n,) finite scores that p-values are ranks among: of rows, or the highest of each block of a recording.
    """
    ordered = np.sort(np.asarray(scores, dtype=np.float64))
    if len(ordered) < FEWEST:
        return 0
    above = beyond_valley(ordered)
    return above + beyond_tail(ordered[: len(ordered) - above])


def beyond_valley(ordered: np.ndarray) -> int:
    """How many scores form a second mode.

    Args:
        ordered: (n,) ascending.
    """
    from scipy.stats import binom

    top = ordered[int(np.ceil(MODE_ABOVE * len(ordered))) :]
    if len(np.unique(top)) < DISTINCT * len(top) or len(top) < 2:
        return 0
    by_rank = top[np.unique(np.round(np.linspace(0, len(top) - 1, ENDS)).astype(int))]
    ends = np.unique(np.concatenate([by_rank, np.linspace(top[0], top[-1], ENDS)]))
    until = np.searchsorted(top, ends, side="right")
    a, b, c = np.array([(i, j, k) for j in range(len(ends)) for i in range(j) for k in range(j + 1, len(ends))]).T
    lower, both = until[b] - until[a], until[c] - until[a]
    chance = binom.cdf(lower, both, (ends[b] - ends[a]) / (ends[c] - ends[a]))
    at = int(np.argmin(chance))
    return len(top) - int(until[b[at]]) if chance[at] <= UNLIKELY else 0


def beyond_tail(ordered: np.ndarray) -> int:
    """How many scores lie beyond the tail that is fitted to the scores below them.

    Args:
        ordered: (n,) ascending.
    """
    n = len(ordered)
    q60, q80, q90 = np.quantile(ordered, SHAPE_AT)
    start, end = np.quantile(ordered, SCALE_AT)
    if q80 <= q60 or q90 <= q80 or end <= start:
        return 0
    # an upper limit of the shape and of the scale: a heavier tail leaves out fewer rows
    shape = max(float(np.log2((q90 - q80) / (q80 - q60))) + 1.8 / np.sqrt((1 - SHAPE_AT[-1]) * n), 1e-6)
    width = (end - start) * np.exp(1 / np.sqrt((SCALE_AT[1] - SCALE_AT[0]) * n))
    share = 1 - SCALE_AT[1]
    scale = shape * width / (((1 - SCALE_AT[0]) / share) ** shape - 1) + shape * width  # at the upper quantile
    far = ordered[ordered > end][::-1]
    tail = share * (1 + shape * (far - end) / scale) ** (-1 / shape)
    passes = np.flatnonzero(tail <= FALSE_SHARE * np.arange(1, len(far) + 1) / n)
    return int(passes[-1]) + 1 if len(passes) else 0


def rate_if_normal(rate: float, kept: int, trimmed: int) -> float:
    """The largest false positive rate of the rule p <= `rate` if all rows that were left out are normal."""
    return (rate * (kept + 1) + trimmed) / (kept + trimmed + 1)
