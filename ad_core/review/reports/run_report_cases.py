"""The highest alerts of a run for its report: scores, explanation and grade, verdict, and a figure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ad_core.data.dataset import Dataset
from ad_core.errors import AdError
from ad_core.explain.grade import in_words
from ad_core.explain.heat_scale import HeatScale
from ad_core.storage import results

CASES, PARTS = 20, 6
"""Maximum number of alerts, and of features per alert, in the report."""

OF_ROW = ("score", "p_value", "percentile", "severity", "time", "entity", "note")
OF_EVENT = ("start", "end", "duration", "n_alarms", "leads")


@dataclass(frozen=True)
class Shown:
    """The figures of a case."""

    parts: list[dict[str, Any]] = field(default_factory=list)
    """`part` (feature), `attribution` and the expected values; for recordings one line per `channel`."""
    picture: np.ndarray | None = None
    """(y, x, 3) uint8: an image with its anomaly map over it."""
    window: pd.DataFrame | None = None
    """Recordings: `results.Case.window`."""


def cases_of(
    folder: Path,
    rows: pd.DataFrame,
    chosen: pd.Series,
    events: pd.DataFrame | None,
    newest: pd.Series,
    dataset: Dataset | None,
    scale: HeatScale | None = None,
) -> tuple[list[dict[str, Any]], dict[str, Shown]]:
    """Facts of the highest alerts, highest first, and their figures by row id.

    Args:
        folder: the run's folder.
        rows: as `results.ranked` returns them.
        chosen: row ids of the alerts, highest first; for recordings the peaks of the events.
        newest: row id -> newest verdict.
        dataset: where the images are read from; None = without images.
        scale: the colour scale of anomaly maps.
    """
    top = chosen.head(CASES)
    scored = rows[rows["row_id"].isin(top)].drop_duplicates("row_id").set_index("row_id")
    by_peak = None if events is None else events.set_index("row_id_peak")
    parts, checks = (_by_row(results.table(folder, name), top) for name in ("explanations", "checks"))
    lines, shown = [], {}
    for row_id in top:
        row, event = scored.loc[row_id], {} if by_peak is None else by_peak.loc[row_id]
        check = checks[row_id].iloc[0].to_dict() if row_id in checks else None
        picture = _picture(dataset, row_id, results.stored_map(folder, row_id), scale)
        shown[row_id] = Shown(_parts(parts.get(row_id)), picture, results.stored_window(folder, row_id))
        facts = {"row": row_id, **_facts(row, event, check)}
        lines.append({**facts, "explanation": shown[row_id].parts, "verdict": newest.get(row_id)})
    return lines, shown


def _facts(row: pd.Series, event: Mapping[str, Any] | pd.Series, check: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        **{name: row.get(name) for name in OF_ROW},
        "event": {name: event.get(name) for name in OF_EVENT} if len(event) else None,
        "grade": None if check is None else check["grade"],
        "in_words": None if check is None else in_words(check, row.get("severity")),
    }


def _by_row(table: pd.DataFrame | None, row_ids: pd.Series) -> dict[str, pd.DataFrame]:
    if table is None or table.empty:
        return {}
    return {str(row_id): own for row_id, own in table[table["row_id"].isin(row_ids)].groupby("row_id", sort=False)}


def _parts(explanation: pd.DataFrame | None) -> list[dict[str, Any]]:
    """The features with the largest attributions; for recordings, sums per channel."""
    if explanation is None:
        return []
    if "channel" in explanation and explanation["channel"].notna().all():
        table = explanation.groupby("channel", sort=False)["attribution"].sum().rename_axis("part").reset_index()
        table["channel"] = table["part"]
    else:
        wanted = ("part", "value", "expected", "expected_low", "expected_high", "attribution")
        table = explanation[[name for name in wanted if name in explanation]]
    order = np.argsort(-table["attribution"].abs().to_numpy(), kind="stable")[:PARTS]
    lines: list[dict[str, Any]] = table.iloc[order].to_dict("records")
    return lines


def _picture(
    dataset: Dataset | None, row_id: str, heat: np.ndarray | None, scale: HeatScale | None
) -> np.ndarray | None:
    """The image with its anomaly map; None if there is no image or it can't be read any more."""
    if dataset is None or dataset.modality != "image":
        return None
    from ad_core.data.files.image_files import load_image
    from ad_core.review.reports.case_report import with_heat

    at = np.flatnonzero((dataset.rows["row_id"] == row_id).to_numpy())
    if not len(at):
        return None
    try:
        picture = np.asarray(load_image(str(dataset.data["file"].iloc[at[0]])).convert("RGB"))
    except AdError:
        return None
    return picture if heat is None else with_heat(picture, heat, scale)
