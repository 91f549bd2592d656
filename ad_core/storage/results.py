"""The result files in a run's folder: how they are written and read. Only this module knows their names."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from ad_core.alerts.calibration import severity
from ad_core.errors import DamagedError, StoreError
from ad_core.storage.result_files import (
    Draft,
    draft_array,
    draft_facts,
    draft_table,
    read_array,
    read_facts,
    read_table,
    remove,
)

if TYPE_CHECKING:
    from ad_core.storage.store import RunRecord, Store

T = TypeVar("T")

SUMMARY = "summary.json"
"""Facts about a run."""

TABLES = ("scores", "references", "map", "explanations", "neighbours", "checks", "events", "sensitivity", "masks")
"""Parquet files of a run folder."""

COUNTERFACTUALS = "counterfactuals"
"""Folder of the counterfactuals in a run folder."""


@dataclass(frozen=True)
class Case:
    """All stored results of one row, from which a page shows why it is anomalous."""

    row: dict[str, Any]
    """Its line of the score table, with `severity`."""
    explanation: pd.DataFrame | None
    """Its features with their attributions, largest first; None = not explained yet."""
    neighbours: pd.DataFrame | None
    """`rank`, `neighbour` (row_id in the training data), `distance`."""
    check: dict[str, Any] | None
    """How faithful its explanation is: a line of `Explained.checks`."""
    map: np.ndarray | None
    """Images: (height, width) anomaly map. Windows: (channel, time) attribution."""
    window: pd.DataFrame | None
    """Recordings: `time`, and per channel the actual value, `<channel> expected` where the task predicts."""
    counterfactual: dict[str, Any] | None = None
    """The smallest change that makes it normal, see `counterfactual.Counterfactual`, with the alert `rule`."""
    changed: np.ndarray | pd.DataFrame | None = None
    """The changed item. Images: its pixels. Recordings: `time`, and per changed channel its values and
    `<channel> changed`."""
    damage: tuple[str, ...] = ()
    """A sentence for each stored result of the row that is damaged; it is None here."""


def publish(folder: Path, name: str, table: pd.DataFrame) -> None:
    """Write one of TABLES atomically: readers see the old file or the new one."""
    draft(folder, name, table).publish()


def draft(folder: Path, name: str, table: pd.DataFrame) -> Draft:
    """A new version of one of TABLES beside the old one, which `Draft.publish` puts in its place."""
    if name not in TABLES:
        raise ValueError(f"{name!r} is not a table of a run: {TABLES}")
    return draft_table(folder / f"{name}.parquet", table)


def table(folder: Path, name: str) -> pd.DataFrame | None:
    """One of TABLES, or None while it is not there yet.

    Raises:
        DamagedError: it was cut off, edited or deleted.
    """
    return read_table(folder / f"{name}.parquet")


def summarise(folder: Path, facts: dict[str, Any]) -> None:
    """Write the facts about a run atomically."""
    draft_summary(folder, facts).publish()


def draft_summary(folder: Path, facts: dict[str, Any]) -> Draft:
    """As `draft`, for the facts about a run."""
    return draft_facts(folder / SUMMARY, facts)


def summary(folder: Path) -> dict[str, Any]:
    """The facts about a run; empty before they are written.

    Raises:
        DamagedError: they were cut off, edited or deleted.
    """
    return read_facts(folder / SUMMARY) or {}


def facts(store: "Store", run_id: str) -> dict[str, Any]:
    """`summary` with what the database keeps of it, which is all of it once the run is done.

    Raises:
        DamagedError: the file is damaged and the database has nothing yet.
    """
    run = store.run(run_id)
    try:
        return {**summary(store.folder(run_id)), **run.summary}
    except DamagedError:
        if not run.summary:
            raise
        return dict(run.summary)


def ranked(store: "Store", run_id: str) -> pd.DataFrame:
    """The score table of a run with `severity`, most anomalous first, rows without a score last.

    Raises:
        StoreError: the run does not exist, or has no scores yet.
    """
    scores = table(store.folder(store.run(run_id).id), "scores")
    if scores is None:
        raise StoreError(
            f"Run {run_id} has no scores yet. Wait until it reaches the stage after scoring, or run it again."
        )
    scores["severity"] = severity(scores["p_value"], scores["percentile"], smallest_p(store, run_id))
    return scores.sort_values("score", ascending=False, kind="stable", na_position="last", ignore_index=True)


def smallest_p(store: "Store", run_id: str) -> float:
    """The smallest p-value that the run's calibration can give; NaN if it gives no p-values."""
    value = (facts(store, run_id).get("calibration") or {}).get("smallest_p")
    return float("nan") if value is None else float(value)


def detector_run(store: "Store", run_id: str) -> "RunRecord":
    """The training run whose detector computed this run's scores: the run itself, or the parent of a score run."""
    run = store.run(run_id)
    return run if run.kind == "train" or run.parent is None else detector_run(store, run.parent)


def case(store: "Store", run_id: str, row_id: str) -> Case:
    """All stored results of one row of a run.

    Raises:
        StoreError: the run or the row does not exist.
        DamagedError: the scores are damaged; of other results, `Case.damage` says so.
    """
    scores = ranked(store, run_id)
    lines = scores.loc[scores["row_id"] == row_id]
    if lines.empty:
        raise StoreError(f"There is no row {row_id!r} in run {run_id}. Search for it on the Alerts page.")
    folder = store.folder(run_id)
    change, damage = counterfactual_file(folder, row_id), list[str]()

    def kept(read: Callable[..., T | None], *where: Any) -> T | None:
        try:
            return read(*where)
        except DamagedError as error:
            damage.append(str(error))
            return None

    checks = kept(_of_row, folder, "checks", row_id)
    image = kept(read_array, change.with_suffix(".npy"))
    return Case(
        row=lines.iloc[0].to_dict(),
        explanation=kept(_of_row, folder, "explanations", row_id),
        neighbours=kept(_of_row, folder, "neighbours", row_id),
        check=None if checks is None else checks.iloc[0].to_dict(),
        map=kept(stored_map, folder, row_id),
        window=kept(stored_window, folder, row_id),
        counterfactual=kept(read_facts, change),
        changed=kept(read_table, change.with_suffix(".parquet")) if image is None else image,
        damage=tuple(damage),
    )


def keep_counterfactual(
    folder: Path, row_id: str, facts: dict[str, Any], image: np.ndarray | None, window: pd.DataFrame | None
) -> None:
    """Store the counterfactual of a row with the run that scored it; an older one is replaced."""
    where = folder / COUNTERFACTUALS
    where.mkdir(exist_ok=True)
    name = safe_name(row_id)
    for suffix in ("npy", "parquet"):
        remove(where / f"{name}.{suffix}")
    if image is not None:
        draft_array(where / f"{name}.npy", image).publish()
    if window is not None:
        draft_table(where / f"{name}.parquet", window).publish()
    draft_facts(where / f"{name}.json", facts).publish()


def keep_map(folder: Path, row_id: str, values: np.ndarray) -> None:
    """Store what `stored_map` reads."""
    (folder / "maps").mkdir(exist_ok=True)
    draft_array(folder / "maps" / f"{safe_name(row_id)}.npy", values).publish()


def keep_window(folder: Path, row_id: str, window: pd.DataFrame) -> None:
    """Store what `stored_window` reads."""
    (folder / "maps").mkdir(exist_ok=True)
    draft_table(folder / "maps" / f"{safe_name(row_id)}.parquet", window).publish()


def counterfactual_file(folder: Path, row_id: str) -> Path:
    """The file with the facts of a row's counterfactual; it exists once there is one."""
    return folder / COUNTERFACTUALS / f"{safe_name(row_id)}.json"


def stored_map(folder: Path, row_id: str) -> np.ndarray | None:
    """As `Case.map`."""
    return read_array(folder / "maps" / f"{safe_name(row_id)}.npy")


def stored_window(folder: Path, row_id: str) -> pd.DataFrame | None:
    """As `Case.window`."""
    return read_table(folder / "maps" / f"{safe_name(row_id)}.parquet")


def safe_name(row_id: str) -> str:
    """A file name for a row id: readable, without path separators, different for different ids."""
    import hashlib

    return f"{re.sub(r'[^A-Za-z0-9._-]+', '_', row_id)[-60:]}-{hashlib.sha256(row_id.encode()).hexdigest()[:8]}"


def _of_row(folder: Path, name: str, row_id: str) -> pd.DataFrame | None:
    frame = table(folder, name)
    if frame is None:
        return None
    frame = frame.loc[frame["row_id"] == row_id].reset_index(drop=True)
    return None if frame.empty else frame
