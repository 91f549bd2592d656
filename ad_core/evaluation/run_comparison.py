"""Comparison of two runs: different settings, whether the data are the same, and where the scores disagree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

KS = (10, 20, 50, 100, 500)


@dataclass(frozen=True)
class Compared:
    """Two runs compared on the rows that both scored."""

    rows: pd.DataFrame
    """`row_id`, `percentile_a`, `percentile_b` (100 = highest score of that run), `rank_a`, `rank_b` (1 = highest),
    `alert_a`, `alert_b`; rows with two scores, in the order of the first run."""
    spearman: float
    """Rank correlation of the scores; NaN for fewer than three rows or constant scores."""
    overlap: pd.DataFrame
    """`k`, `share` of the k highest of one run that are among the k highest of the other, `by_chance`."""
    left_out: int
    """Rows that only one of the runs scored."""

    @property
    def alerts(self) -> dict[str, int]:
        """Number of rows that are alerts of both runs, only of the first, only of the second."""
        a, b = self.rows["alert_a"], self.rows["alert_b"]
        return {"both": int((a & b).sum()), "only_a": int((a & ~b).sum()), "only_b": int((b & ~a).sum())}

    def disagreements(self, which: str, most: int = 200) -> pd.DataFrame:
        """Rows that are alerts of one run only, largest difference of percentiles first.

        Args:
            which: "a" or "b", the run whose alerts they are.
        """
        other = {"a": "b", "b": "a"}[which]
        rows = self.rows[self.rows[f"alert_{which}"] & ~self.rows[f"alert_{other}"]]
        gap = (rows[f"percentile_{which}"] - rows[f"percentile_{other}"]).sort_values(ascending=False, kind="stable")
        return rows.loc[gap.index].head(most).reset_index(drop=True)


def compare(a: pd.DataFrame, b: pd.DataFrame, alerts_a: np.ndarray, alerts_b: np.ndarray) -> Compared:
    """Compare two score tables, each with `row_id` and `score`; rows are matched by their ids.

    Args:
        alerts_a, alerts_b: (rows,) bool, in the order of each table.
    """
    from scipy.stats import spearmanr  # takes a while to load

    first, second = (
        table[["row_id", "score"]].assign(alert=alerts).dropna(subset="score").drop_duplicates("row_id")
        for table, alerts in ((a, alerts_a), (b, alerts_b))
    )
    rows = first.merge(second, on="row_id", suffixes=("_a", "_b"))
    for side in "ab":
        rows[f"percentile_{side}"] = 100 * rows[f"score_{side}"].rank(pct=True)
        rows[f"rank_{side}"] = rows[f"score_{side}"].rank(ascending=False, method="first").astype(int)
    varied = len(rows) > 2 and rows["score_a"].nunique() > 1 and rows["score_b"].nunique() > 1
    spearman = float(spearmanr(rows["score_a"], rows["score_b"]).statistic) if varied else float("nan")
    left_out = len(first) + len(second) - 2 * len(rows)
    return Compared(rows.drop(columns=["score_a", "score_b"]), spearman, _overlap(rows), left_out)


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> pd.DataFrame:
    """`setting`, `first`, `second` for every setting that differs between two configs; nested names joined by dots."""
    first, second = dict(_flat(a)), dict(_flat(b))
    names = [name for name in dict.fromkeys([*first, *second]) if first.get(name) != second.get(name)]
    lines = [{"setting": n, "first": _text(first.get(n)), "second": _text(second.get(n))} for n in names]
    return pd.DataFrame(lines, columns=["setting", "first", "second"])


def identity_in_words(a: str, b: str, shared: int, rows: Sequence[int]) -> str:
    """Whether two runs used the same data.

    Args:
        a, b: fingerprints of the data sets.
        shared: number of rows that both scored.
        rows: number of rows that each scored.
    """
    if a == b:
        return "Both runs used the same data (their fingerprints are equal)."
    if not shared:
        return "The runs used different data and share no row, so their scores can't be compared."
    return (
        f"The runs used different data: {shared:,} rows have the same id, of {rows[0]:,} and {rows[1]:,}. "
        f"Only those are compared, by their ids, whatever their values are."
    )


def _overlap(rows: pd.DataFrame) -> pd.DataFrame:
    lines = []
    for k in (k for k in KS if k <= len(rows) // 2):
        both = ((rows["rank_a"] <= k) & (rows["rank_b"] <= k)).sum()
        lines.append({"k": k, "share": both / k, "by_chance": k / len(rows)})
    return pd.DataFrame(lines, columns=["k", "share", "by_chance"])


def _flat(config: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    items: list[tuple[str, Any]] = []
    for name, value in config.items():
        items += _flat(value, f"{before}{name}.") if isinstance(value, Mapping) else [(f"{before}{name}", value)]
    return items


def _text(value: Any) -> str:
    return "–" if value is None else str(value)
