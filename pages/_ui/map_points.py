"""The points of the map with what they can be coloured by."""

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.errors import AdError
from ad_core.reader import Role
from pages._ui.stored import batch, ranked, store, summary, table

MOST = 10_000
"""More points than this make the browser slow, since it sends every selected one back."""

BASIC = {"alert": "Alert", "score": "Score", "percentile": "Percentile", "severity": "Severity"}


def map_points(run_id: str) -> tuple[pd.DataFrame | None, int]:
    """At most MOST points, the highest scores always among them, and how many there are in all."""
    points = table(run_id, "map")
    if points is None:
        return None, 0
    return _drawn(run_id, (id(points), id(ranked(run_id)))), int(
        (summary(run_id).get("map") or {}).get("items", len(points))
    )


@st.cache_resource(show_spinner=False, max_entries=4)
def _drawn(run_id: str, key: tuple[int, int]) -> pd.DataFrame:  # noqa: ARG001
    points = table(run_id, "map")
    assert points is not None  # map_points looked
    if len(points) > MOST:
        top = points["score"].rank(ascending=False, method="first").to_numpy() <= MOST // 10
        rest = np.random.default_rng(0).permutation(np.flatnonzero(~top))[: MOST - int(top.sum())]
        points = points.iloc[np.sort(np.concatenate([np.flatnonzero(top), rest]))]
    known = ranked(run_id).set_index("row_id")
    return points.assign(
        p_value=points["row_id"].map(known["p_value"]).to_numpy(),
        severity=points["row_id"].map(known["severity"]).to_numpy(),
    ).reset_index(drop=True)


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


def colour_columns(run_id: str) -> dict[str, str]:
    """What the points can be coloured by: the score, what is known of the row, and the user's own columns."""
    names = dict(BASIC)
    for column in ("label", "used_for", "entity"):
        if column in ranked(run_id):
            names[column] = {"label": "Label", "used_for": "Used for", "entity": "Recording"}[column]
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


def with_colour(run_id: str, points: pd.DataFrame, colour: str) -> pd.DataFrame:
    """The points with a column of that name.

    Raises:
        DataError: it is one of the user's, and their file can't be read any more.
    """
    if colour.startswith("data:"):
        dataset = batch(run_id)
        values = pd.Series(
            dataset.data[colour.removeprefix("data:")].to_numpy(), index=dataset.rows["row_id"].to_numpy()
        )
        return points.assign(**{colour: points["row_id"].map(values).to_numpy()})
    if colour in ("label", "used_for", "entity"):
        values = ranked(run_id).set_index("row_id")[colour]
        found = points["row_id"].map(values)
        return points.assign(**{colour: found.astype("string").to_numpy()})
    return points
