"""The files that a finished run leaves, and how pages read them: one place that knows their names."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ad_core.alerts.calibration import severity
from ad_core.errors import StoreError

if TYPE_CHECKING:
    from ad_core.storage.store import RunRecord, Store

TABLES = ("scores", "references", "map", "explanations", "neighbours", "checks", "events", "sensitivity", "masks")
"""Parquet files of a run folder."""

COUNTERFACTUALS = "counterfactuals"
"""Folder in it."""


@dataclass(frozen=True)
class Case:
    """Everything stored of one row: what a page needs to show why it is unusual."""

    row: dict[str, Any]
    """Its line of the score table, with `severity`."""
    explanation: pd.DataFrame | None
    """Parts with their attributions, largest first; None = not explained yet."""
    neighbours: pd.DataFrame | None
    """`rank`, `neighbour` (row_id in the data that taught), `distance`."""
    check: dict[str, Any] | None
    """Whether its explanation can be believed: a line of `Explained.checks`."""
    map: np.ndarray | None
    """Images: (height, width) anomaly map. Windows: (channel, time) attribution."""
    window: pd.DataFrame | None
    """Recordings: `time`, and per channel the actual value, `<channel> expected` where the task predicts."""
    counterfactual: dict[str, Any] | None = None
    """What would make it normal, see `counterfactual.Counterfactual`, with the `rule` that it goes by."""
    changed: np.ndarray | pd.DataFrame | None = None
    """What it would look like then: pixels of an image; of a recording `time`, and per channel that is changed its
    values and `<channel> changed`."""


def publish(folder: Path, name: str, table: pd.DataFrame) -> None:
    """Write one of TABLES so that readers see the old file or the new one, never half of it."""
    if name not in TABLES:
        raise ValueError(f"{name!r} is not a table of a run: {TABLES}")
    draft = folder / f".{name}.parquet"
    table.to_parquet(draft, index=False)
    draft.replace(folder / f"{name}.parquet")


def table(folder: Path, name: str) -> pd.DataFrame | None:
    """One of TABLES, or None while it is not there yet."""
    file = folder / f"{name}.parquet"
    return pd.read_parquet(file) if file.exists() else None


def summary(folder: Path) -> dict[str, Any]:
    """The run's facts; empty while it is not done."""
    file = folder / "summary.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


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
    """The smallest p-value that the run's calibration can give; NaN when it gives none."""
    value = summary(store.folder(run_id)).get("calibration", {}).get("smallest_p")
    return float("nan") if value is None else float(value)


def detector_run(store: "Store", run_id: str) -> "RunRecord":
    """The training run whose detector made this run's scores: itself, or a score run's parent."""
    run = store.run(run_id)
    return run if run.kind == "train" or run.parent is None else detector_run(store, run.parent)


def case(store: "Store", run_id: str, row_id: str) -> Case:
    """All that is stored of one row of a run.

    Raises:
        StoreError: the run or the row does not exist.
    """
    scores = ranked(store, run_id)
    found = scores.loc[scores["row_id"] == row_id]
    if found.empty:
        raise StoreError(f"There is no row {row_id!r} in run {run_id}. Search for it on the Alerts page.")
    folder = store.folder(run_id)
    checks, kept = _of_row(folder, "checks", row_id), counterfactual_file(folder, row_id)
    return Case(
        row=found.iloc[0].to_dict(),
        explanation=_of_row(folder, "explanations", row_id),
        neighbours=_of_row(folder, "neighbours", row_id),
        check=None if checks is None else checks.iloc[0].to_dict(),
        map=stored_map(folder, row_id),
        window=stored_window(folder, row_id),
        counterfactual=_json(kept),
        changed=_window(kept.with_suffix(".parquet"))
        if _array(picture := kept.with_suffix(".npy")) is None
        else _array(picture),
    )


def keep_counterfactual(
    folder: Path, row_id: str, facts: dict[str, Any], picture: np.ndarray | None, window: pd.DataFrame | None
) -> None:
    """Store what would make a case normal with the run that scored it; an older answer is replaced."""
    where = folder / COUNTERFACTUALS
    where.mkdir(exist_ok=True)
    name = safe_name(row_id)
    for suffix in ("npy", "parquet"):
        (where / f"{name}.{suffix}").unlink(missing_ok=True)
    if picture is not None:
        np.save(where / f"{name}.npy", picture, allow_pickle=False)
    if window is not None:
        window.to_parquet(where / f"{name}.parquet", index=False)
    draft = where / f".{name}.json"
    draft.write_text(json.dumps(facts, ensure_ascii=False, indent=2), encoding="utf-8")
    draft.replace(where / f"{name}.json")


def counterfactual_file(folder: Path, row_id: str) -> Path:
    """Where the facts of a case's counterfactual are, once there are any."""
    return folder / COUNTERFACTUALS / f"{safe_name(row_id)}.json"


def stored_map(folder: Path, row_id: str) -> np.ndarray | None:
    """As `Case.map`."""
    return _array(folder / "maps" / f"{safe_name(row_id)}.npy")


def stored_window(folder: Path, row_id: str) -> pd.DataFrame | None:
    """As `Case.window`."""
    return _window(folder / "maps" / f"{safe_name(row_id)}.parquet")


def safe_name(row_id: str) -> str:
    """A file name for a row id: readable, never a path, different for different ids."""
    import hashlib

    return f"{re.sub(r'[^A-Za-z0-9._-]+', '_', row_id)[-60:]}-{hashlib.sha256(row_id.encode()).hexdigest()[:8]}"


def _of_row(folder: Path, name: str, row_id: str) -> pd.DataFrame | None:
    frame = table(folder, name)
    if frame is None:
        return None
    frame = frame.loc[frame["row_id"] == row_id].reset_index(drop=True)
    return None if frame.empty else frame


def _json(file: Path) -> dict[str, Any] | None:
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def _array(file: Path) -> np.ndarray | None:
    return np.load(file, allow_pickle=False) if file.exists() else None


def _window(file: Path) -> pd.DataFrame | None:
    return pd.read_parquet(file) if file.exists() else None
