"""Cluster alerts with the same reasons; name each group and describe it by a rule.

Cases are similar if the same parts raise their scores by the same shares, whatever the scores. Cases without similar
ones stay ungrouped.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ad_core.explain.shares import by_part, raising_shares

FEWEST = 3
"""Minimum number of cases in a group."""

OF_ALL = 25
"""Minimum size of a group: one case in OF_ALL."""

ALIKE, MOST = 0.2, 0.75
"""If more than the share MOST of the cases lies within the distance ALIKE of the median case, they are one group
(distance of square roots of shares; 1.41 = no part in common)."""

NAMED, WORTH_NAMING = 3, 0.15
"""Maximum number of parts in a name, and minimum share of each in the group's score."""

COMMON = 0.6
"""Minimum share of cases with a direction or a value for it to be part of the name."""


@dataclass(frozen=True)
class AlertGroup:
    """Some cases with the same reasons."""

    name: str
    row_ids: tuple[str, ...]
    shares: dict[str, float]
    """Part -> its mean share of what raises these scores, largest first."""


def alert_groups(parts: pd.DataFrame) -> list[AlertGroup]:
    """Groups of explained cases, the largest first; cases without similar ones are in none.

    Args:
        parts: `row_id`, `part` (or `channel`, which then counts), `attribution`, and where they exist `value` and
            `expected`, as in `Explained.parts`.

    Source: Campello et al. 2013, HDBSCAN, on square roots of shares, whose distance is Hellinger's.
    """
    shares = raising_shares(by_part(parts))
    if len(shares) < 2 * FEWEST:
        return []
    labels = _labels(np.sqrt(shares.to_numpy()))
    groups = []
    for label in sorted(set(labels) - {-1}):
        inside = shares[labels == label]
        mean = inside.mean().sort_values(ascending=False, kind="stable")
        rows = tuple(map(str, inside.index))
        groups.append(AlertGroup(_name(parts[parts["row_id"].isin(rows)], mean), rows, mean[mean > 0].to_dict()))
    return sorted(groups, key=lambda group: -len(group.row_ids))


def _labels(roots: np.ndarray) -> np.ndarray:
    """(case,) number of its group, -1 = none. Where most cases are similar, they form the only group."""
    from sklearn.cluster import HDBSCAN

    near = np.linalg.norm(roots - np.median(roots, axis=0), axis=1) <= ALIKE
    if near.mean() > MOST:
        return np.where(near, 0, -1)
    smallest = max(FEWEST, len(roots) // OF_ALL)
    return np.asarray(HDBSCAN(min_cluster_size=smallest, copy=True).fit_predict(roots))


def _name(parts: pd.DataFrame, mean: pd.Series) -> str:
    """ "amount up, hour down, shop = travel": what raises these scores most."""
    chosen = [part for part in mean.index[:NAMED] if mean[part] >= WORTH_NAMING] or [mean.index[0]]
    return ", ".join(_described(parts[parts["part"] == part], str(part)) for part in chosen)


def _described(lines: pd.DataFrame, part: str) -> str:
    """A part with its direction, or its common value, where most of the cases agree."""
    if lines.empty or "value" not in lines or "expected" not in lines:
        return part
    value, expected = (pd.to_numeric(lines[name], errors="coerce") for name in ("value", "expected"))
    both = value.notna() & expected.notna()
    if both.mean() >= COMMON:
        up = float((value[both] > expected[both]).mean())
        return f"{part} up" if up >= COMMON else f"{part} down" if up <= 1 - COMMON else part
    common = lines["value"].dropna().value_counts(normalize=True)
    return f"{part} = {common.index[0]}" if len(common) and common.iloc[0] >= COMMON else part


@dataclass(frozen=True)
class SurrogateRule:
    """A description of a group in the user's own columns."""

    text: str
    """Conditions joined by "and"."""
    precision: float
    """Share of the rows that fulfil it that are in the group."""
    coverage: float
    """Share of the group that fulfils it."""


DEPTH, MOST_LEVELS, MOST_ROWS = 3, 12, 20_000
"""Depth of the tree, maximum number of levels of a category, and maximum number of other rows."""


def surrogate_rule(data: pd.DataFrame, inside: Sequence[bool] | np.ndarray) -> SurrogateRule | None:
    """A simple rule that separates a group from all other rows: the best leaf of a shallow decision tree.

    The rule is a description, not what the detector computes. Its precision and coverage state how good it is.

    Args:
        data: (rows) the user's columns; numbers, and categories of few levels.
        inside: (rows,) bool.

    Returns:
        None where no column separates them.
    """
    from sklearn.tree import DecisionTreeClassifier

    chosen = np.asarray(inside, dtype=bool)
    rows = _sampled(chosen)
    columns = _columns(data.iloc[rows])
    if columns.empty or chosen[rows].all() or not chosen.any():
        return None
    tree = DecisionTreeClassifier(max_depth=DEPTH, class_weight="balanced", min_samples_leaf=2, random_state=0)
    leaf = tree.fit(columns.to_numpy(), chosen[rows]).apply(columns.to_numpy())
    best = max(np.unique(leaf), key=lambda one: _f1(leaf == one, chosen[rows]))
    hit = leaf == best
    conditions = _path(tree.tree_, int(best), list(columns.columns))
    if not conditions:
        return None
    return SurrogateRule(" and ".join(conditions), float(chosen[rows][hit].mean()), float(hit[chosen[rows]].mean()))


def _sampled(chosen: np.ndarray) -> np.ndarray:
    """All of the group and a random sample of the others."""
    others = np.flatnonzero(~chosen)
    if len(others) > MOST_ROWS:
        others = np.random.default_rng(0).choice(others, MOST_ROWS, replace=False)
    return np.sort(np.concatenate([np.flatnonzero(chosen), others]))


def _columns(data: pd.DataFrame) -> pd.DataFrame:
    """Numbers as they are, with the median for missing ones; a yes/no column for each level of a category."""
    table: dict[str, np.ndarray] = {}
    for name in data.columns:
        values = data[name]
        if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
            texts = values.astype("string")
            if texts.nunique() <= MOST_LEVELS:
                table |= {
                    f"{name} is {level}": (texts == level).fillna(False).to_numpy(float)
                    for level in texts.dropna().unique()
                }
            continue
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        if np.isfinite(numbers).any():
            table[str(name)] = np.where(np.isfinite(numbers), numbers, np.median(numbers[np.isfinite(numbers)]))
    return pd.DataFrame(table)


def _f1(hit: np.ndarray, chosen: np.ndarray) -> float:
    both = float((hit & chosen).sum())
    return 2 * both / float(hit.sum() + chosen.sum())


def _path(tree: object, leaf: int, names: list[str]) -> list[str]:
    """The conditions from the root to a leaf; of several on one column the tightest."""
    left, right = tree.children_left, tree.children_right  # type: ignore[attr-defined]
    above = {
        int(child): (parent, side)
        for side, children in (("≤", left), (">", right))
        for parent, child in enumerate(children)
        if child >= 0
    }
    bounds: dict[tuple[str, str], float] = {}
    while leaf in above:
        leaf, side = above[leaf]
        key = (names[tree.feature[leaf]], side)  # type: ignore[attr-defined]
        bounds.setdefault(key, float(tree.threshold[leaf]))  # type: ignore[attr-defined]  # deeper ones are tighter
    return [_condition(name, side, bound) for (name, side), bound in reversed(bounds.items())]


def _condition(name: str, side: str, bound: float) -> str:
    if " is " in name and bound == 0.5:
        column, _, level = name.rpartition(" is ")
        return f"{column} = {level}" if side == ">" else f"{column} ≠ {level}"
    return f"{name} {side} {bound:.4g}"
