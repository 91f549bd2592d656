"""The review queue: the order in which a person should look at rows, with a reason for each row.

To add an order, write its function and name it in ORDERS: it then appears on the Review page and in the tests of all
orders.
"""

from collections.abc import Callable, Set
from dataclasses import dataclass

import numpy as np
import pandas as pd

COLUMNS = ["row_id", "because"]


@dataclass(frozen=True)
class Scored:
    """What an order is computed from."""

    rows: pd.DataFrame
    """`row_id` and `score`, most anomalous first, rows without a score last."""
    alerts: np.ndarray
    """(rows,) bool."""
    reviewed: np.ndarray
    """(rows,) bool: the row has a verdict now."""
    ranks: pd.DataFrame | None = None
    """Row id -> rank by each classical detector, 0..100, 100 = most anomalous; None = there are no such detectors."""


@dataclass(frozen=True)
class Order:
    """A way to order rows for review."""

    title: str
    about: str
    """One sentence: what this order is for."""
    line_up: Callable[[Scored], pd.DataFrame]
    """COLUMNS, in order of review, each row at most once. Rows with a verdict are included, so that progress can be
    counted; `because` completes "Here because it has ..."."""
    possible: Callable[[Scored], bool] = lambda scored: True  # noqa: ARG005
    """Whether the data that it needs are available."""


@dataclass(frozen=True)
class Queue:
    """The rows that still have to be reviewed, in order, and the progress of the review."""

    items: pd.DataFrame
    """COLUMNS, for rows without a verdict."""
    done: int
    total: int

    def after(self, row_id: str) -> str | None:
        """The item after this one, cyclically; None if there is no other."""
        names = self.items["row_id"].tolist()
        at = names.index(row_id) if row_id in names else -1
        rest = names[at + 1 :] + names[: max(at, 0)]
        return rest[0] if rest else None


def queue(scored: Scored, order: str) -> Queue:
    """The rows without a verdict, in one of the ORDERS."""
    lined = ORDERS[order].line_up(scored)
    open_ids: Set[str] = set(scored.rows.loc[~scored.reviewed, "row_id"])
    items = lined.loc[lined["row_id"].isin(open_ids)].reset_index(drop=True)
    return Queue(items, len(lined) - len(items), len(lined))


def highest(scored: Scored) -> pd.DataFrame:
    """Alerts by score."""
    place = (~scored.reviewed[scored.alerts]).cumsum()
    because = [f"the {_nth(n)}highest score not yet reviewed" for n in place]
    return pd.DataFrame(
        {"row_id": scored.rows.loc[scored.alerts, "row_id"].tolist(), "because": because}, columns=COLUMNS
    )


def near_threshold(scored: Scored) -> pd.DataFrame:
    """Alerts and the same number of rows below the threshold, by the number of rows between them and the threshold."""
    known = scored.rows["score"].notna().to_numpy()
    above = np.flatnonzero(scored.alerts)[::-1]
    below = np.flatnonzero(~scored.alerts & known)[: len(above)]
    names = scored.rows["row_id"].to_numpy()
    lines = [(n, side, names[at]) for side, rows in enumerate((above, below)) for n, at in enumerate(rows, start=1)]
    reasons = ("the {}lowest score of an alert", "the {}highest score below the threshold")
    lines.sort(key=lambda line: line[:2])
    return pd.DataFrame([(row_id, reasons[side].format(_nth(n))) for n, side, row_id in lines], columns=COLUMNS)


def detectors_disagree(scored: Scored) -> pd.DataFrame:
    """Alerts by the difference between their highest and lowest rank by classical detectors, largest first."""
    ranks = _ranks_of_alerts(scored)
    apart = (ranks.max(axis=1) - ranks.min(axis=1)).sort_values(ascending=False, kind="stable")
    because = [
        f"ranks from {low:.0f} ({_plain(lowest)}) to {high:.0f} ({_plain(highest_)}) of 100 for classical detectors"
        for row_id in apart.index
        for lowest, low, highest_, high in [_ends(ranks.loc[row_id])]
    ]
    return pd.DataFrame({"row_id": apart.index.tolist(), "because": because}, columns=COLUMNS)


def _ranks_of_alerts(scored: Scored) -> pd.DataFrame:
    """Alerts that at least two classical detectors have ranked."""
    if scored.ranks is None:
        return pd.DataFrame()
    return scored.ranks.reindex(scored.rows.loc[scored.alerts, "row_id"]).dropna(thresh=2)


def _ends(ranks: pd.Series) -> tuple[str, float, str, float]:
    return str(ranks.idxmin()), float(ranks.min()), str(ranks.idxmax()), float(ranks.max())


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _nth(n: int) -> str:
    """ "" for the first, "2nd ", "3rd ", "11th "."""
    if n <= 1:
        return ""
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n:,}{ending} "


ORDERS = {
    "highest": Order("Highest score", "The most anomalous alerts come first.", highest),
    "near": Order(
        "Near the threshold",
        "Rows on both sides of the threshold, the closest ones first: they show whether it is well chosen.",
        near_threshold,
        possible=lambda scored: bool((~scored.alerts & scored.rows["score"].notna().to_numpy()).any()),
    ),
    "disagree": Order(
        "Detectors disagree",
        "Alerts on which classical detectors differ most come first: there a verdict adds most.",
        detectors_disagree,
        possible=lambda scored: len(_ranks_of_alerts(scored)) > 0,
    ),
}
"""The orders to choose from, by name."""
