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
from sqlalchemy import func, insert, select

from ad_core.errors import StoreError
from ad_core.storage import results
from ad_core.storage.schema import VerdictRow

if TYPE_CHECKING:
    from ad_core.storage.store import Store

COLUMNS = ["row_id", "verdict", "tag", "note", "author", "created", "run_id", "score", "p_value", "threshold"]


class Verdict(StrEnum):
    """What a row is, as somebody sees it."""

    ANOMALY = "anomaly"
    NORMAL = "normal"
    UNSURE = "unsure"
    DATA_ERROR = "data_error"
    SEEN_BEFORE = "seen_before"


TAKEN_BACK = ""
"""A line with this verdict takes back the newest standing word of its author on the row, else the newest of all; what
was said before counts again."""

LABELS = {Verdict.ANOMALY: 1.0, Verdict.NORMAL: 0.0}
"""What a verdict is worth as a label; the others decide nothing."""


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
    if not author.strip():
        raise StoreError("A verdict needs somebody who gives it. Type your name first.")
    run = store.run(run_id)
    rows = results.ranked(store, run_id).set_index("row_id")
    if missing := [row_id for row_id in row_ids if row_id not in rows.index]:
        raise StoreError(f"Run {run.name!r} has no row {missing[0]!r}. Choose rows of this run.")
    seen = rows.loc[list(row_ids), ["score", "p_value"]].astype(object)
    seen = seen.where(seen.notna(), None)
    now = datetime.now(UTC)
    same: dict[str, Any] = {
        "dataset_id": run.dataset_id,
        "run_id": run_id,
        "verdict": str(verdict),
        "author": author.strip(),
    }
    same |= {"tag": tag.strip(), "note": note.strip(), "created": now, "threshold": dict(threshold or {})}
    _write(
        store,
        [
            same | {"row_id": str(row_id), "score": score, "p_value": p}
            for row_id, score, p in zip(row_ids, seen["score"], seen["p_value"], strict=True)
        ],
    )


def current(store: "Store", dataset_id: str) -> pd.DataFrame:
    """One line per row of a data set on which there is a verdict now; columns COLUMNS, oldest word first."""
    lines = history(store, dataset_id)
    return lines.loc[_standing(lines)].drop_duplicates("row_id", keep="last").reset_index(drop=True)


def history(store: "Store", dataset_id: str, row_id: str | None = None) -> pd.DataFrame:
    """Everything that was ever said of the rows of a data set, or of one of them, oldest first; columns COLUMNS."""
    query = select(*(getattr(VerdictRow, name) for name in COLUMNS)).where(VerdictRow.dataset_id == dataset_id)
    if row_id is not None:
        query = query.where(VerdictRow.row_id == row_id)
    with store.reading() as session:  # what was brought in later may have been said earlier
        found = session.execute(query.order_by(VerdictRow.created, VerdictRow.id)).all()
    table = pd.DataFrame([tuple(line) for line in found], columns=COLUMNS)
    return table.astype({"score": np.float64, "p_value": np.float64})


def count(store: "Store", dataset_id: str) -> int:
    """How many words were ever said of a data set. As nothing is changed, a new number means that there is news."""
    with store.reading() as session:
        return session.scalars(select(func.count()).where(VerdictRow.dataset_id == dataset_id)).one()


def take_back(store: "Store", dataset_id: str, author: str) -> list[str]:
    """Undo: take back the newest words of this author that stand; all that were given together go together.

    Returns:
        The row ids; empty when nothing of this author's stands.
    """
    lines = history(store, dataset_id)
    mine = lines.loc[_standing(lines) & (lines["author"] == author)]
    last = mine.loc[mine["created"] == mine["created"].iloc[-1]] if len(mine) else mine
    undone = last.assign(verdict=TAKEN_BACK, tag="", note="", created=datetime.now(UTC))
    add(store, dataset_id, undone)
    return list(undone["row_id"])


def add(store: "Store", dataset_id: str, lines: pd.DataFrame) -> None:
    """Write lines as they are, with their authors and times; all are written, or none.

    Args:
        lines: columns COLUMNS; `created` with its zone, `threshold` a mapping.
    """
    plain = lines[COLUMNS].astype(object)
    plain = plain.where(plain.notna(), None)
    moments = [pd.Timestamp(moment).tz_convert("UTC").to_pydatetime() for moment in plain.pop("created")]
    timed = zip(plain.to_dict("records"), moments, strict=True)
    _write(store, [line | {"dataset_id": dataset_id, "created": moment} for line, moment in timed])


def labels(store: "Store", dataset_id: str, rows: pd.DataFrame) -> np.ndarray:
    """What is known of rows, for measuring: their label column, and where that is empty the newest verdict.

    Args:
        rows: `row_id` and, where the data have one, `label` (1 = anomaly, 0 = normal, missing = unknown).

    Returns:
        (rows,) float64: 1 = anomaly, 0 = normal, NaN = unknown, which unsure, data error and seen before are too.
    """
    said = current(store, dataset_id).set_index("row_id")["verdict"].map(LABELS)
    found: np.ndarray = rows["row_id"].map(said).to_numpy(dtype=np.float64)
    if "label" not in rows:
        return found
    own = pd.to_numeric(rows["label"]).to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isnan(own), found, own)


def _write(store: "Store", lines: list[dict[str, Any]]) -> None:
    if lines:
        with store.writing() as session:
            session.execute(insert(VerdictRow), lines)


def _standing(lines: pd.DataFrame) -> np.ndarray:
    """(lines,) bool: which words, oldest first, were not taken back."""
    stands: np.ndarray = (lines["verdict"] != TAKEN_BACK).to_numpy(copy=True)
    if stands.all():
        return stands
    author, taking = lines["author"].to_numpy(), ~stands
    places = lines.groupby("row_id").indices
    for row_id in lines.loc[taking, "row_id"].unique():
        words: list[int] = []
        for at in places[row_id]:
            if not taking[at]:
                words.append(at)
            elif words:
                own = [word for word in words if author[word] == author[at]]
                gone = (own or words)[-1]
                words.remove(gone)
                stands[gone] = False
    return stands
