"""The rank of a score among rows that the model was not fitted on, as a percentile and as a p-value.

A p-value says how often a normal row scores at least as high. It is valid when the calibration rows are exchangeable
with a new normal row: the model was fitted on none of them, and neighbours in time are not counted as if they were
independent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from ad_core.errors import DataError

MIN_BLOCKS = 20
"""Minimum number of blocks of a recording for p-values: with fewer the smallest one is at least 0.05."""

LEVELS = (("Critical", 0.001), ("High", 0.01), ("Medium", 0.05))
"""Severity words with the largest p-value of each; above the last one it is "Low"."""


@dataclass(frozen=True)
class Calibration:
    """Scores of rows that the model was not fitted on. Build it with `fit`.

    A row that is itself among them counts itself, so its own p-value is a little too large, never too small.
    """

    scores: np.ndarray
    """(rows,) float64, ascending: percentiles are ranks among them."""
    counts: np.ndarray
    """(rows,) bool: p-values are ranks among these: all, or in recordings the highest of each block."""
    approximate: bool = False
    """True for recordings: blocks of one recording are less dependent than its time stamps, but not independent."""
    trimmed: int = 0
    """Rows, or blocks, that were left out because they were taken for anomalies, see `trimming`."""

    @classmethod
    def fit(cls, scores: npt.ArrayLike, *, blocks: npt.ArrayLike | None = None) -> Self:
        """Keep the scores that rows are compared with.

        Args:
            scores: (rows,), higher = more anomalous; NaN = the row had no score and is left out.
            blocks: (rows,) block that each time stamp belongs to. Then p-values compare with block maxima.

        Raises:
            DataError: no row has a score.
        """
        values = np.asarray(scores, dtype=np.float64)
        known = ~np.isnan(values)
        if not known.any():
            raise DataError(
                f"None of {len(values)} calibration rows has a score, so nothing says which scores are normal. "
                "Add usable training rows."
            )
        values = values[known]
        order = np.argsort(values, kind="stable")
        counts = np.ones(len(values), dtype=bool)
        if blocks is not None:
            # in ascending order the last line of a block is its maximum
            counts = ~pd.Series(np.asarray(blocks)[known][order]).duplicated(keep="last").to_numpy()
        return cls(values[order], counts, approximate=blocks is not None)

    @property
    def n(self) -> int:
        """Number of scores that p-values are ranks among: rows, or blocks of a recording."""
        return int(self.counts.sum())

    @property
    def smallest_p(self) -> float:
        """The smallest p-value that this calibration can give, 1 / (n + 1); NaN when it gives none."""
        return float("nan") if self._too_few else 1 / (self.n + 1)

    def percentile(self, scores: npt.ArrayLike) -> np.ndarray:
        """Share of calibration rows that score lower, 0..100; NaN where the score is NaN."""
        values = np.asarray(scores, dtype=np.float64)
        below = np.searchsorted(self.scores, values, side="left")
        return np.where(np.isnan(values), np.nan, 100 * below / len(self.scores))

    def p_value(self, scores: npt.ArrayLike) -> np.ndarray:
        """p = (1 + number of calibration scores >= s) / (n + 1).

        Source: Vovk et al. 2005, "Algorithmic Learning in a Random World", ch. 2.
        NaN where the score is NaN, and everywhere when a recording has fewer than MIN_BLOCKS blocks.
        """
        values = np.asarray(scores, dtype=np.float64)
        if self._too_few:
            return np.full(values.shape, np.nan)
        at_least = self.n - np.searchsorted(self.scores[self.counts], values, side="left")
        return np.where(np.isnan(values), np.nan, (1 + at_least) / (self.n + 1))

    def threshold(self, alpha: float) -> float:
        """The smallest score whose p-value is at most alpha; infinite when no score reaches it."""
        allowed = int(alpha * (self.n + 1)) - 1
        while (2 + allowed) / (self.n + 1) <= alpha:  # compared as p-values are, so that rounding can't tell them apart
            allowed += 1
        while allowed >= 0 and (1 + allowed) / (self.n + 1) > alpha:
            allowed -= 1
        if self._too_few or allowed < 0:
            return float("inf")
        if allowed >= self.n:
            return float("-inf")
        return float(np.nextafter(self.scores[self.counts][self.n - 1 - allowed], np.inf))

    def facts(self) -> dict[str, Any]:
        """Its size, JSON-able."""
        return {
            "rows": len(self.scores),
            "n": self.n,
            "smallest_p": None if self._too_few else self.smallest_p,
            "approximate": self.approximate,
            **({"trimmed": self.trimmed} if self.trimmed else {}),
        }

    def to_frame(self) -> pd.DataFrame:
        """`score` and `counts`, one line per calibration row, ascending: for Parquet, beside `facts`."""
        return pd.DataFrame({"score": self.scores, "counts": self.counts})

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, facts: Mapping[str, Any]) -> Self:
        """The inverse of `to_frame` and `facts`."""
        scores, counts = np.array(frame["score"], dtype=np.float64), np.array(frame["counts"], dtype=bool)
        if not isinstance(facts["approximate"], bool):
            raise ValueError(f"approximate is {facts['approximate']!r}, which is neither true nor false")
        return cls(scores, counts, approximate=facts["approximate"], trimmed=int(facts.get("trimmed", 0)))

    @property
    def _too_few(self) -> bool:
        return self.approximate and self.n < MIN_BLOCKS


def severity(p: npt.ArrayLike, percentile: npt.ArrayLike, smallest_p: float) -> np.ndarray:
    """Severity words: "Critical" p <= 0.001, "High" <= 0.01, "Medium" <= 0.05, else "Low"; "" where there is no score.

    Severities that need a smaller p than this calibration can give are not given. When it can give none of them, the
    percentile decides ("High" from 99, "Medium" from 95); "Critical" needs a p-value. `severity_rule` says which
    applies.

    Args:
        p: (rows,) p-values.
        percentile: (rows,) 0..100.
        smallest_p: of the calibration, NaN when it gives no p-values.

    Returns:
        (rows,) str.
    """
    p, percentile = (
        np.atleast_1d(np.asarray(p, dtype=np.float64)),
        np.atleast_1d(np.asarray(percentile, dtype=np.float64)),
    )
    if _by_p(smallest_p):
        words = np.select([p <= limit for _, limit in LEVELS], [word for word, _ in LEVELS], "Low")
        return np.where(np.isnan(p), "", words)
    limits = [(word, 100 * (1 - limit)) for word, limit in LEVELS if word != "Critical"]
    words = np.select([percentile >= limit for _, limit in limits], [word for word, _ in limits], "Low")
    return np.where(np.isnan(percentile), "", words)


def severity_rule(smallest_p: float) -> str:
    """One or two sentences: how the severity words of a run are decided."""
    if not _by_p(smallest_p):
        return (
            "Severity goes by percentile (High from 99, Medium from 95): "
            "there are too few calibration rows for p-values that mean much."
        )
    reached = [f"{word} p ≤ {limit:g}" for word, limit in LEVELS if smallest_p <= limit]
    missing = [word for word, limit in LEVELS if smallest_p > limit]
    hint = (
        f" {' and '.join(missing)} can't be reached: the smallest p with these calibration rows is {smallest_p:.2g}."
        if missing
        else ""
    )
    return f"Severity goes by p-value: {', '.join(reached)}, else Low.{hint}"


def _by_p(smallest_p: float) -> bool:
    return bool(smallest_p <= LEVELS[-1][1])  # False for NaN
