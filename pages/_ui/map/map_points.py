"""The points of the map with what they can be coloured by."""

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
"""More points than this are drawn on a canvas: plotly sends every selected one back."""

BASIC = {"alert": "Alert", "score": "Score", "percentile": "Percentile", "severity": "Severity"}
OF_SCORES = {"label": "Label", "used_for": "Used for", "entity": "Recording"}
MARKS = ("kept", "far_inside")
"""Judged for each plane by itself."""


@dataclass(frozen=True)
class Drawn:
    """What is drawn, and what it is drawn from."""

    points: pd.DataFrame
    """`row_id`, `score`, `at` (its place among the ranked rows), `alert`, the places, the marks of the plane that is
    shown where the run has them, and the column of the colour."""
    key: str
    """Changes when any of it changes."""

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
    assert placed is not None  # drawn_points looked
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
    """Whether the run's map can show the images themselves."""
    return (store().folder(run_id) / MAP_PICTURES).exists()


def pictures_of(run_id: str, points: pd.DataFrame) -> Pictures | None:
    """The small images of these points, where the run has any."""
    placed = table(run_id, "map")
    if placed is None or not has_pictures(run_id):
        return None
    names = placed["row_id"].iloc[pictured(placed)]
    sheet = (store().folder(run_id) / MAP_PICTURES).read_bytes()
    return Pictures(sheet, pd.Index(points["row_id"]).get_indexer(names))


def colour_columns(run_id: str) -> dict[str, str]:
    """What the points can be coloured by: the score, what is known of the row, and the user's own columns."""
    names = dict(BASIC)
    placed = table(run_id, "map")
    if placed is not None and "kept" in placed and placed["kept"].notna().any():
        names["kept"] = "Neighbours kept"
    names |= {column: title for column, title in OF_SCORES.items() if column in ranked(run_id)}
    return names | {f"data:{column}": column for column in _own_columns(run_id)}


def _own_columns(run_id: str) -> list[str]:
    """The user's columns but the id: from the facts of the run where they are there, as a large file opens slowly."""
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
    verdict = (
        "close points are alike"
        if trust >= 0.95
        else "most close points are alike"
        if trust >= 0.85
        else "closeness means little"
    )
    return f"Trust {trust:.2f} of 1: {verdict} for the detector."


def far_in_words(points: pd.DataFrame) -> str | None:
    """How many points are drawn where they do not belong; None where none is, or the run does not know."""
    far = int(points["far_inside"].sum()) if "far_inside" in points else 0
    if not far:
        return None
    are, lie, place = ("is", "lies", "its place") if far == 1 else ("are", "lie", "their places")
    return (
        f"{words.count(far, 'point')} {are} drawn inside the crowd but {lie} far outside it for the detector (ringed): "
        f"trust the score, not {place}."
    )


def laid_out_in_words(facts: dict) -> str:
    """How many items the map was laid out by, where others were added."""
    fitted, placed = facts.get("fitted") or 0, facts.get("placed") or 0
    if not fitted or not placed:
        return ""
    return f"Laid out by {fitted:,} of them; each of the others lies between its nearest neighbours among these."
