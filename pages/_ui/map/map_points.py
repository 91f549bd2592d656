"""The points of the map, and the values by which they can be coloured."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.data.dataset import Role
from ad_core.errors import AdError
from ad_core.projection.canvas import Pictures
from ad_core.projection.sprite_sheet import MAP_PICTURES, pictured
from pages._ui.shell import words
from pages._ui.shell.stored import batch, map_stamp, ranked, store, summary, table
from pages._ui.shell.threshold import Threshold

MOST = 10_000
"""Maximum number of points drawn by plotly, which sends every selected one back; more are drawn on a canvas."""

BASIC = {"alert": "Alert", "score": "Score", "percentile": "Percentile", "severity": "Severity"}
OF_SCORES = {"label": "Label", "used_for": "Used for", "entity": "Recording"}
MARKS = ("kept", "far_inside")
"""Computed for each plane separately."""


@dataclass(frozen=True)
class Drawn:
    """The points of the map with their key."""

    points: pd.DataFrame
    """`row_id`, `score`, `at` (its position among the ranked rows), `alert`, the coordinates, the marks of the plane
    that is shown where the run has them, and the column of the colour."""
    key: str
    """Changes when any of them changes."""

    def rows(self, run_id: str, inside: np.ndarray) -> pd.DataFrame:
        """The ranked rows of some of the points."""
        return ranked(run_id).iloc[np.sort(self.points["at"].to_numpy()[inside])]


def drawn_points(run_id: str, colour: str, plane: str, threshold: Threshold) -> Drawn | None:
    """All points of a run's map; None while there is none.

    Args:
        plane: "" for UMAP's, "pca_" for the principal components'.

    Raises:
        DataError: the colour is one of the user's columns, and their file can't be read any more.
    """
    if table(run_id, "map") is None:
        return None
    key = f"{run_id}|{colour}|{plane}|{threshold.rule.model_dump_json()}|{map_stamp(run_id)}"
    return Drawn(_coloured(key, run_id, colour, plane, threshold), key)


@st.cache_resource(show_spinner=False, max_entries=4)
def _coloured(key: str, run_id: str, colour: str, plane: str, _threshold: Threshold) -> pd.DataFrame:  # noqa: ARG001
    placed, rows = table(run_id, "map"), ranked(run_id)
    assert placed is not None  # drawn_points has checked this
    points = placed.loc[np.isfinite(placed[f"{plane}x"])].reset_index(drop=True)
    at = pd.Index(rows["row_id"]).get_indexer(points["row_id"])
    points, at = points.loc[at >= 0].reset_index(drop=True), at[at >= 0]
    points = points.assign(at=at, alert=_threshold.found.of_rows[at], severity=rows["severity"].to_numpy()[at])
    for mark in MARKS:
        if f"{plane}{mark}" in points:
            points[mark] = points[f"{plane}{mark}"]
    if colour.startswith("data:"):
        return points.assign(**{colour: _own_values(run_id, colour.removeprefix("data:"), points["row_id"])})
    if colour in OF_SCORES:
        return points.assign(**{colour: rows[colour].astype("string").to_numpy()[at]})
    return points


def has_pictures(run_id: str) -> bool:
    """Whether the map of the run has small images of its points."""
    return (store().folder(run_id) / MAP_PICTURES).exists()


def pictures_of(run_id: str, points: pd.DataFrame) -> Pictures | None:
    """The small images of these points, where the run has them."""
    placed = table(run_id, "map")
    if placed is None or not has_pictures(run_id):
        return None
    names = placed["row_id"].iloc[pictured(placed)]
    sheet = (store().folder(run_id) / MAP_PICTURES).read_bytes()
    return Pictures(sheet, pd.Index(points["row_id"]).get_indexer(names))


def colour_columns(run_id: str) -> dict[str, str]:
    """Choices for the colour: scores, facts about the row, and the user's own columns."""
    names = dict(BASIC)
    placed = table(run_id, "map")
    if placed is not None and "kept" in placed and placed["kept"].notna().any():
        names["kept"] = "Neighbours kept"
    names |= {column: title for column, title in OF_SCORES.items() if column in ranked(run_id)}
    return names | {f"data:{column}": column for column in _own_columns(run_id)}


def _own_columns(run_id: str) -> list[str]:
    """The user's columns without the id: from the facts of the run if possible, because a large file opens slowly."""
    declared = summary(run_id).get("declared") or {}
    if store().run(run_id).kind == "train" and declared.get("kinds"):
        return [column for column in declared["kinds"] if column != declared.get("id")]
    try:
        return [column.name for column in batch(run_id).schema.columns if column.role is not Role.ID]
    except AdError:
        return []


def _own_values(run_id: str, column: str, row_ids: pd.Series) -> np.ndarray:
    dataset = batch(run_id)
    at = pd.Index(dataset.rows["row_id"]).get_indexer(row_ids)
    return np.asarray(dataset.data[column].iloc[at].where(at >= 0).to_numpy())


def trust_in_words(trust: float) -> str:
    """How far neighbours on the map are neighbours for the detector (trustworthiness, Venna & Kaski 2001)."""
    meaning = (
        "points that are close on the map are close in the embedding"
        if trust >= 0.95
        else "most points that are close on the map are close in the embedding"
        if trust >= 0.85
        else "closeness on the map means little"
    )
    return f"Trustworthiness {trust:.2f} of 1: {meaning}."


def far_in_words(points: pd.DataFrame) -> str | None:
    """How many points are drawn among others but are far from them; None where none is, or it is not known."""
    far = int(points["far_inside"].sum()) if "far_inside" in points else 0
    if not far:
        return None
    are, position = ("is", "its position") if far == 1 else ("are", "their positions")
    return (
        f"{words.count(far, 'point')} (ringed) {are} drawn among other points but {are} far from them in the "
        f"embedding: trust the score, not {position}."
    )


def laid_out_in_words(facts: dict) -> str:
    """How many rows the layout was computed from, where others were added."""
    fitted, placed = facts.get("fitted") or 0, facts.get("placed") or 0
    if not fitted or not placed:
        return ""
    return (
        f"The layout was computed from {fitted:,} of them; each of the others lies between its nearest neighbours "
        "among these."
    )
