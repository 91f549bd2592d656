"""Of the alerts that somebody looked at: how many were right, and how sure so few looks make us."""

from collections.abc import Iterable
from dataclasses import dataclass

from ad_core.storage.verdicts import Verdict


@dataclass(frozen=True)
class Precision:
    """A share with its interval."""

    hits: int
    """Alerts called an anomaly."""
    judged: int
    """Alerts called an anomaly or normal."""
    low: float
    high: float
    """Ends of the Wilson 95 % interval of the share, 0..1; 0 and 1 while nothing is judged."""
    apart: dict[str, int]
    """Verdict -> number of alerts, for the verdicts that count neither way: unsure, data error, seen before."""

    @property
    def share(self) -> float:
        """0..1; NaN while nothing is judged."""
        return self.hits / self.judged if self.judged else float("nan")


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share of n > 0.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    from scipy.stats import binomtest  # takes a while to load

    interval = binomtest(hits, n).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def precision(said: Iterable[str]) -> Precision:
    """How many alerts were anomalies.

    Args:
        said: the newest verdict of each alert that has one.
    """
    words = list(said)
    hits, misses = words.count(Verdict.ANOMALY), words.count(Verdict.NORMAL)
    others = (Verdict.UNSURE, Verdict.DATA_ERROR, Verdict.SEEN_BEFORE)
    apart = {str(word): words.count(word) for word in others if word in words}
    if not hits + misses:
        return Precision(0, 0, 0.0, 1.0, apart)
    return Precision(hits, hits + misses, *wilson(hits, hits + misses), apart)
