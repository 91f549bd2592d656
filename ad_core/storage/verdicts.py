"""Verdicts of people on rows: append-only in the store; the newest one on a row counts.

A verdict belongs to a row of a data set. So it is shown with every run on that data set, and it outlives the run whose
scores were shown when it was given; that run, its score, p-value and threshold are stored with it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlalchemy import func, insert, select

from ad_core.errors import StoreError
from ad_core.storage import results
from ad_core.storage.schema import VerdictRow

if TYPE_CHECKING:
    from ad_core.storage.store import RunRecord, Store

COLUMNS = ["row_id", "verdict", "tag", "note", "author", "created", "run_id", "score", "p_value", "threshold"]


class Verdict(StrEnum):
    """What a person says that a row is."""

    ANOMALY = "anomaly"
    NORMAL = "normal"
    UNSURE = "unsure"
    DATA_ERROR = "data_error"
    SEEN_BEFORE = "seen_before"


TAKEN_BACK = ""
"""A line with this verdict takes back the newest verdict of its author on the row that still stands, or if there is
none the newest of anybody; the verdict before it counts again."""

LABELS = {Verdict.ANOMALY: 1.0, Verdict.NORMAL: 0.0}
"""The label that a verdict gives; the other verdicts give none."""


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
    """Give the same verdict on some rows that a run scored; all are written, or none.

    Args:
        verdict: a `Verdict`, or TAKEN_BACK.
        threshold: the alert rule in force, plain JSON.

    Raises:
        StoreError: the run or a row does not exist, or there is no such verdict.
    """
    if verdict != TAKEN_BACK and verdict not in list(Verdict):
        raise StoreError(f"There is no verdict {verdict!r}. Choose one of: {', '.join(Verdict)}.")
    if not author.strip():
        raise StoreError("A verdict needs an author. Type your name first.")
    run = store.run(run_id)
    same = {
        "dataset_id": run.dataset_id,
        "run_id": run_id,
        "verdict": str(verdict),
        "tag": tag.strip(),
        "note": note.strip(),
        "author": author.strip(),
        "created": datetime.now(UTC),
        "threshold": dict(threshold or {}),
    }
    _write(store, [same | line for line in _scores_of(store, run, row_ids)])


def _scores_of(store: "Store", run: "RunRecord", row_ids: Sequence[str]) -> list[dict[str, Any]]:
    """`row_id`, `score` and `p_value` of some rows of a run."""
    rows = results.ranked(store, run.id).set_index("row_id")
    if missing := [row_id for row_id in row_ids if row_id not in rows.index]:
        raise StoreError(f"Run {run.name!r} has no row {missing[0]!r}. Choose rows of this run.")
    scores = rows.loc[list(row_ids), ["score", "p_value"]].astype(object)
    scores = scores.where(scores.notna(), None)
    return [{"row_id": str(row_id), **line} for row_id, line in zip(row_ids, scores.to_dict("records"), strict=True)]


def current(store: "Store", dataset_id: str) -> pd.DataFrame:
    """The verdict that counts now on each row of a data set that has one; columns COLUMNS, oldest first."""
    lines = history(store, dataset_id)
    return lines.loc[_standing(lines)].drop_duplicates("row_id", keep="last").reset_index(drop=True)


def history(store: "Store", dataset_id: str, row_id: str | None = None) -> pd.DataFrame:
    """All verdicts ever given on the rows of a data set, or on one of them, oldest first; columns COLUMNS."""
    query = select(*(getattr(VerdictRow, name) for name in COLUMNS)).where(VerdictRow.dataset_id == dataset_id)
    if row_id is not None:
        query = query.where(VerdictRow.row_id == row_id)
    with store.reading() as session:  # by time: a verdict that was imported later may have been given earlier
        lines = session.execute(query.order_by(VerdictRow.created, VerdictRow.id)).all()
    table = pd.DataFrame([tuple(line) for line in lines], columns=COLUMNS)
    return table.astype({"score": np.float64, "p_value": np.float64})


def count(store: "Store", dataset_id: str) -> int:
    """Number of verdicts ever given on a data set. They are only appended, so a new number means new verdicts."""
    with store.reading() as session:
        return session.scalars(select(func.count()).where(VerdictRow.dataset_id == dataset_id)).one()


def take_back(store: "Store", dataset_id: str, author: str) -> list[str]:
    """Undo: take back the newest verdicts of this author that still stand, with all that were given together.

    Returns:
        The row ids; empty if no verdict of this author stands.
    """
    lines = history(store, dataset_id)
    mine = lines.loc[_standing(lines) & (lines["author"] == author)]
    last = mine.loc[mine["created"] == mine["created"].iloc[-1]] if len(mine) else mine
    undone = last.assign(verdict=TAKEN_BACK, tag="", note="", created=datetime.now(UTC))
    add(store, dataset_id, undone)
    return list(undone["row_id"])


def add(store: "Store", dataset_id: str, lines: pd.DataFrame) -> None:
    """Store verdicts with the authors and times that they have; all are written, or none.

    Args:
        lines: columns COLUMNS; `created` with its time zone, `threshold` a mapping.
    """
    plain = lines[COLUMNS].astype(object)
    plain = plain.where(plain.notna(), None)
    moments = [pd.Timestamp(moment).tz_convert("UTC").to_pydatetime() for moment in plain.pop("created")]
    timed = zip(plain.to_dict("records"), moments, strict=True)
    _write(store, [line | {"dataset_id": dataset_id, "created": moment} for line, moment in timed])


def labels(store: "Store", dataset_id: str, rows: pd.DataFrame) -> np.ndarray:
    """Labels for evaluation: the label column of the data, and where that is empty the newest verdict.

    Args:
        rows: `row_id` and, if the data have one, `label` (1 = anomaly, 0 = normal, missing = unknown).

    Returns:
        (rows,) float64: 1 = anomaly, 0 = normal, NaN = unknown (also for the verdicts unsure, data error, seen before).
    """
    by_row = current(store, dataset_id).set_index("row_id")["verdict"].map(LABELS)
    from_verdicts: np.ndarray = rows["row_id"].map(by_row).to_numpy(dtype=np.float64)
    if "label" not in rows:
        return from_verdicts
    from_data = pd.to_numeric(rows["label"]).to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isnan(from_data), from_verdicts, from_data)


def _write(store: "Store", lines: list[dict[str, Any]]) -> None:
    if lines:
        with store.writing() as session:
            session.execute(insert(VerdictRow), lines)


def _standing(lines: pd.DataFrame) -> np.ndarray:
    """(lines,) bool: which verdicts, oldest first, were not taken back."""
    stands: np.ndarray = (lines["verdict"] != TAKEN_BACK).to_numpy(copy=True)
    if stands.all():
        return stands
    author, taking = lines["author"].to_numpy(), ~stands
    lines_of_row = lines.groupby("row_id").indices
    for row_id in lines.loc[taking, "row_id"].unique():
        standing: list[int] = []
        for at in lines_of_row[row_id]:
            if not taking[at]:
                standing.append(at)
            elif standing:
                own = [line for line in standing if author[line] == author[at]]
                gone = (own or standing)[-1]
                standing.remove(gone)
                stands[gone] = False
    return stands
