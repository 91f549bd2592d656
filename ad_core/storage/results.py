"""The result files in a run's folder: how they are written and read. Only this module knows their names."""

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


def publish(folder: Path, name: str, table: pd.DataFrame) -> None:
    """Write one of TABLES atomically: readers see the old file or the new one."""
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
    """The facts about a run; empty before they are written."""
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
    """The smallest p-value that the run's calibration can give; NaN if it gives no p-values."""
    value = summary(store.folder(run_id)).get("calibration", {}).get("smallest_p")
    return float("nan") if value is None else float(value)


def detector_run(store: "Store", run_id: str) -> "RunRecord":
    """The training run whose detector computed this run's scores: the run itself, or the parent of a score run."""
    run = store.run(run_id)
    return run if run.kind == "train" or run.parent is None else detector_run(store, run.parent)


def case(store: "Store", run_id: str, row_id: str) -> Case:
    """All stored results of one row of a run.

    Raises:
        StoreError: the run or the row does not exist.
    """
    scores = ranked(store, run_id)
    lines = scores.loc[scores["row_id"] == row_id]
    if lines.empty:
        raise StoreError(f"There is no row {row_id!r} in run {run_id}. Search for it on the Alerts page.")
    folder = store.folder(run_id)
    checks, facts = _of_row(folder, "checks", row_id), counterfactual_file(folder, row_id)
    image = _array(facts.with_suffix(".npy"))
    return Case(
        row=lines.iloc[0].to_dict(),
        explanation=_of_row(folder, "explanations", row_id),
        neighbours=_of_row(folder, "neighbours", row_id),
        check=None if checks is None else checks.iloc[0].to_dict(),
        map=stored_map(folder, row_id),
        window=stored_window(folder, row_id),
        counterfactual=_json(facts),
        changed=_window(facts.with_suffix(".parquet")) if image is None else image,
    )


def keep_counterfactual(
    folder: Path, row_id: str, facts: dict[str, Any], image: np.ndarray | None, window: pd.DataFrame | None
) -> None:
    """Store the counterfactual of a row with the run that scored it; an older one is replaced."""
    where = folder / COUNTERFACTUALS
    where.mkdir(exist_ok=True)
    name = safe_name(row_id)
    for suffix in ("npy", "parquet"):
        (where / f"{name}.{suffix}").unlink(missing_ok=True)
    if image is not None:
        np.save(where / f"{name}.npy", image, allow_pickle=False)
    if window is not None:
        window.to_parquet(where / f"{name}.parquet", index=False)
    draft = where / f".{name}.json"
    draft.write_text(json.dumps(facts, ensure_ascii=False, indent=2), encoding="utf-8")
    draft.replace(where / f"{name}.json")


def counterfactual_file(folder: Path, row_id: str) -> Path:
    """The file with the facts of a row's counterfactual; it exists once there is one."""
    return folder / COUNTERFACTUALS / f"{safe_name(row_id)}.json"


def stored_map(folder: Path, row_id: str) -> np.ndarray | None:
    """As `Case.map`."""
    return _array(folder / "maps" / f"{safe_name(row_id)}.npy")


def stored_window(folder: Path, row_id: str) -> pd.DataFrame | None:
    """As `Case.window`."""
    return _window(folder / "maps" / f"{safe_name(row_id)}.parquet")


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


def _json(file: Path) -> dict[str, Any] | None:
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def _array(file: Path) -> np.ndarray | None:
    return np.load(file, allow_pickle=False) if file.exists() else None


def _window(file: Path) -> pd.DataFrame | None:
    return pd.read_parquet(file) if file.exists() else None
