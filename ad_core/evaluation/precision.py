"""Precision of the alerts with a verdict, with its confidence interval."""

from collections.abc import Iterable
from dataclasses import dataclass

from ad_core.storage.verdicts import Verdict


@dataclass(frozen=True)
class Precision:
    """The precision with its confidence interval."""

    hits: int
    """Number of alerts with the verdict anomaly."""
    judged: int
    """Number of alerts with the verdict anomaly or normal."""
    low: float
    high: float
    """Ends of the Wilson 95 % interval of the precision, 0..1; 0 and 1 while there is no such verdict."""
    apart: dict[str, int]
    """Verdict -> number of alerts, for the verdicts that are not counted: unsure, data error, seen before."""

    @property
    def share(self) -> float:
        """The precision, 0..1; NaN while there is no such verdict."""
        return self.hits / self.judged if self.judged else float("nan")


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of the share hits / n, for n > 0.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    from scipy.stats import binomtest  # slow to import

    interval = binomtest(hits, n).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def precision(newest: Iterable[str]) -> Precision:
    """Share of the alerts that are anomalies, by their verdicts.

    Args:
        newest: the newest verdict of each alert that has one.
    """
    verdicts = list(newest)
    hits, misses = verdicts.count(Verdict.ANOMALY), verdicts.count(Verdict.NORMAL)
    others = (Verdict.UNSURE, Verdict.DATA_ERROR, Verdict.SEEN_BEFORE)
    apart = {str(verdict): verdicts.count(verdict) for verdict in others if verdict in verdicts}
    if not hits + misses:
        return Precision(0, 0, 0.0, 1.0, apart)
    return Precision(hits, hits + misses, *wilson(hits, hits + misses), apart)
