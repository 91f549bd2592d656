"""What people say of rows: append-only in the store, the newest word of each row counts.

A verdict belongs to a row of a data set, so it is seen beside every run on these data, and it outlives the run whose
scores were looked at. What was in force then (run, score, p-value, threshold) is kept with it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlalchemy import func, select

from ad_core import results
from ad_core.database import VerdictRow
from ad_core.errors import StoreError

if TYPE_CHECKING:
    from ad_core.store import Store

COLUMNS = ["row_id", "verdict", "tag", "note", "author", "created", "run_id", "score", "p_value", "threshold"]


class Verdict(StrEnum):
    """What a row is, as somebody sees it."""

    ANOMALY = "anomaly"
    NORMAL = "normal"
    UNSURE = "unsure"
    DATA_ERROR = "data_error"
    SEEN_BEFORE = "seen_before"


TAKEN_BACK = ""
"""A line with this verdict takes back what was said of the row before."""


def give(
    store: "Store",
    run_id: str,
    row_ids: Sequence[str],
    verdict: Verdict | str,
    *,
    author: str,
    tag: str = "",
    note: str = "",
    threshold: Mapping[str, Any] | None = None,
) -> None:
    """Say the same of some rows that a run scored; all are written, or none.

    Args:
        verdict: a `Verdict`, or TAKEN_BACK.
        threshold: the rule that was in force, plain JSON.

    Raises:
        StoreError: the run or a row does not exist, or there is no such verdict.
    """
    if verdict != TAKEN_BACK and verdict not in list(Verdict):
        raise StoreError(f"There is no verdict {verdict!r}. There is: {', '.join(Verdict)}.")
    run = store.run(run_id)
    rows = results.ranked(store, run_id).set_index("row_id")
    if missing := [row_id for row_id in row_ids if row_id not in rows.index]:
        raise StoreError(f"Run {run.name!r} has no row {missing[0]!r}. Choose rows of this run.")
    seen = rows.loc[list(row_ids), ["score", "p_value"]].astype(object)
    seen = seen.where(seen.notna(), None)
    now = datetime.now(UTC)
    with store.writing() as session:
        session.add_all(
            VerdictRow(
                dataset_id=run.dataset_id, row_id=str(row_id), run_id=run_id, verdict=str(verdict), tag=tag.strip(),
                note=note.strip(), author=author, created=now, score=score, p_value=p, threshold=dict(threshold or {}),
            )
            for row_id, score, p in zip(row_ids, seen["score"], seen["p_value"], strict=True)
        )  # fmt: skip


def current(store: "Store", dataset_id: str) -> pd.DataFrame:
    """One line per row of a data set on which there is a verdict now; columns COLUMNS, oldest word first."""
    newest = select(func.max(VerdictRow.id)).where(VerdictRow.dataset_id == dataset_id).group_by(VerdictRow.row_id)
    query = select(VerdictRow).where(VerdictRow.id.in_(newest), VerdictRow.verdict != TAKEN_BACK)
    with store.reading() as session:
        return _table(session.scalars(query.order_by(VerdictRow.id)))


def history(store: "Store", dataset_id: str, row_id: str | None = None) -> pd.DataFrame:
    """Everything that was ever said of the rows of a data set, or of one of them, oldest first; columns COLUMNS."""
    query = select(VerdictRow).where(VerdictRow.dataset_id == dataset_id)
    if row_id is not None:
        query = query.where(VerdictRow.row_id == row_id)
    with store.reading() as session:
        return _table(session.scalars(query.order_by(VerdictRow.id)))


def _table(rows: Any) -> pd.DataFrame:
    table = pd.DataFrame([{name: getattr(row, name) for name in COLUMNS} for row in rows], columns=COLUMNS)
    return table.astype({"score": np.float64, "p_value": np.float64})
