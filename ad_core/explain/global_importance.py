"""Global feature importance: the mean share of each part in the explanations of alerts, overall, by group, by time.

Each alert has the same weight, whatever its score: its absolute attributions are normalised to a sum of 1 before the
mean is taken (the mean of |attribution| of Lundberg and Lee 2017 would be dominated by the few highest scores).
Explanations that did not pass their check are no evidence about the detector and are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ad_core.explain.image_grid import by_field
from ad_core.explain.shares import by_part

COUNTED = ("supported", "weak")
"""Grades of the explanations that count."""

RESAMPLES, FEWEST = 2000, 5
"""Number of bootstrap samples for an interval, and minimum number of alerts for one."""

NOT_EXPLAINED, NOT_CHECKED = "not explained", "not checked"


@dataclass(frozen=True)
class GlobalImportance:
    """Shares of parts in the scores of some alerts."""

    shares: pd.DataFrame
    """(alert, part) >= 0, every line adds up to 1: the alerts that count, by row id."""
    first: pd.Series
    """Row id -> the part that raises its score most, of the alerts that count and that anything raises."""
    left_out: dict[str, int]
    """Why -> number of alerts that don't count: "not supported", "not checked", "not explained"."""

    @property
    def alerts(self) -> int:
        """Number of all alerts."""
        return len(self.shares) + sum(self.left_out.values())


def global_importance(
    parts: pd.DataFrame | None, checks: pd.DataFrame | None, row_ids: Sequence[str] | pd.Series
) -> GlobalImportance:
    """The shares of the alerts whose explanations passed their check.

    Args:
        parts: lines of `Explained.parts`; None = nothing has been explained.
        checks: `row_id`, `grade`; None = explanations of a version that did not check them.
        row_ids: the alerts.
    """
    wanted = pd.Index(pd.unique(pd.Series(row_ids, dtype="object")))
    table = signed(parts.loc[parts["row_id"].isin(wanted)]) if parts is not None and len(parts) else pd.DataFrame()
    grades = pd.Series(NOT_EXPLAINED, index=wanted)
    grades.loc[grades.index.isin(table.index)] = NOT_CHECKED
    if checks is not None and len(checks):
        graded = checks.drop_duplicates("row_id", keep="last").set_index("row_id")["grade"]
        known = grades.index.isin(graded.index) & (grades != NOT_EXPLAINED)
        grades.loc[known] = graded.reindex(grades.index[known]).to_numpy()
    size = table.abs().sum(axis=1).reindex(wanted)
    grades.loc[grades.isin(COUNTED) & ~(size > 0)] = NOT_CHECKED  # all attributions are 0
    counted = grades.index[grades.isin(COUNTED)]
    chosen = table.loc[counted] if len(counted) else pd.DataFrame()
    left_out = grades[~grades.isin(COUNTED)].value_counts()
    return GlobalImportance(
        chosen.abs().div(size.loc[counted], axis=0) if len(chosen) else chosen,
        first_parts(chosen),
        {str(why): int(count) for why, count in left_out.items()},
    )


def signed(parts: pd.DataFrame) -> pd.DataFrame:
    """(case, part) sums of attributions: of columns, of channels of recordings, of the nine fields of images."""
    if {"y0", "x0", "y1", "x1"} <= set(parts.columns) and parts["y0"].notna().all():
        return by_field(parts)
    return by_part(parts)


def first_parts(table: pd.DataFrame) -> pd.Series:
    """Row id -> the part that raises its score most; cases that no part raises are left out.

    Args:
        table: as `signed` returns it.
    """
    if table.empty:
        return pd.Series(dtype="object")
    raised = table.loc[table.max(axis=1) > 0]
    return raised.idxmax(axis=1).astype("object")


def ranking(found: GlobalImportance) -> pd.DataFrame:
    """`part`, its mean `share`, the ends `low` and `high` of the 95 % interval (NaN where there are fewer than FEWEST
    alerts), and `first`, the number of alerts that it raises most; the largest share first.

    Source: percentile bootstrap over alerts, Efron and Tibshirani 1993, chapter 13.
    """
    low, high = _interval(found.shares.to_numpy(dtype=np.float64))
    table = pd.DataFrame(
        {
            "part": found.shares.columns.astype(str),
            "share": found.shares.mean().to_numpy(dtype=np.float64),
            "low": low,
            "high": high,
            "first": found.first.value_counts().reindex(found.shares.columns).fillna(0).to_numpy(dtype=np.int64),
        }
    )
    return table.sort_values("share", ascending=False, kind="stable", ignore_index=True)


def split(found: GlobalImportance, values: pd.Series) -> pd.DataFrame:
    """The ranking within each value of a column, a group or another grouping of alerts.

    Args:
        values: row id -> value; alerts whose value is missing are left out.

    Returns:
        `value`, `alerts` (how many of them count), and the columns of `ranking`; the most frequent value first.
    """
    known = values[~values.index.duplicated()].reindex(found.shares.index).dropna()
    lines = []
    for value in known.value_counts().index:
        inside = known.index[known == value]
        own = GlobalImportance(found.shares.loc[inside], found.first[found.first.index.isin(inside)], {})
        lines.append(ranking(own).assign(value=value, alerts=len(inside)))
    columns = ["value", "alerts", "part", "share", "low", "high", "first"]
    return pd.concat(lines, ignore_index=True)[columns] if lines else pd.DataFrame(columns=columns)


def over_time(found: GlobalImportance, times: pd.Series, bins: int = 24) -> pd.DataFrame:
    """Number of alerts in each bin of time, split over parts by their shares of the scores.

    Args:
        times: row id -> time (dates or numbers) of all rows, alerts or not: the bins cover all of them.

    Returns:
        `begin`, `end`, `part`, `alerts` (the sum of its shares; over all parts this is the number of alerts). Empty
        where times are missing or all the same.
    """
    columns = ["begin", "end", "part", "alerts"]
    own = times[~times.index.duplicated()].reindex(found.shares.index).dropna()
    if own.empty or not times.min() < times.max():
        return pd.DataFrame(columns=columns)
    span = times.max() - times.min()
    edges = [times.min() + span * (i / bins) for i in range(bins + 1)]
    bin_ = np.clip(((own - times.min()) / span * bins).to_numpy(dtype=np.float64).astype(np.int64), 0, bins - 1)
    sums = found.shares.loc[own.index].groupby(bin_).sum()
    lines = sums.stack().rename("alerts").rename_axis(["bin", "part"]).reset_index()
    lines["begin"] = [edges[i] for i in lines["bin"]]
    lines["end"] = [edges[i + 1] for i in lines["bin"]]
    return lines[columns]


def _interval(shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(part,) 2.5 % and 97.5 % quantiles of the mean over resampled lines."""
    n, parts = shares.shape
    if n < FEWEST:
        return np.full(parts, np.nan), np.full(parts, np.nan)
    often = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=RESAMPLES)  # (sample, alert)
    low, high = np.quantile(often @ shares / n, [0.025, 0.975], axis=0)
    return np.asarray(low), np.asarray(high)
