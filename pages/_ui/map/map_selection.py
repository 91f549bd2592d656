"""The selected points of the map: their rows, their differences from the rest, and a download."""

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.data.dataset import ColumnKind, Dataset, Role
from ad_core.errors import AdError
from ad_core.projection.selection_contrast import contrast, sampled
from pages._ui.map.map_points import Drawn
from pages._ui.shell import words
from pages._ui.shell.downloads import download_buttons
from pages._ui.shell.navigate import choose
from pages._ui.shell.result_columns import as_shown, result_columns
from pages._ui.shell.shell import table_height
from pages._ui.shell.stored import batch, store
from pages._ui.verdicts.bulk import bulk_button

LISTED = 500
OF_IMAGES = {
    "folder": ColumnKind.CATEGORY,
    "mode": ColumnKind.CATEGORY,
    "height": ColumnKind.NUMBER,
    "width": ColumnKind.NUMBER,
}


def listed() -> None:
    """Callback of the table: the selected row becomes the current case."""
    at = st.session_state["map-table"]["selection"]["rows"]
    if at:
        choose(row=st.session_state["_map_rows"][at[0]])


def selection(run_id: str, drawn: Drawn, inside: np.ndarray) -> None:
    """The selected rows, the columns in which they differ from the rest, and a download."""
    rows = drawn.rows(run_id, inside)
    left, right = st.columns([5, 4], gap="medium")
    with left:
        _table(rows, int(drawn.points["alert"].to_numpy()[inside].sum()))
    with right:
        own = _own(run_id)
        if own is not None:
            _contrast(own, drawn, inside)
    with st.container(horizontal=True, vertical_alignment="center"):
        bulk_button(run_id, rows["row_id"].tolist(), "bulk-map")
        name = f"{store().run(run_id).name} selection"
        whole = None if own is None else partial(with_own_columns, rows, own[0])
        download_buttons(rows, name, "that are selected, with your own columns", whole)


def _table(rows: pd.DataFrame, alerts: int) -> None:
    st.session_state["_map_rows"] = rows["row_id"].head(LISTED).tolist()
    st.dataframe(
        as_shown(rows, LISTED),
        key="map-table",
        hide_index=True,
        on_select=listed,
        selection_mode="single-row",
        height=table_height(len(rows), 320),
        alt=f"{len(rows)} selected rows, most anomalous first",
        column_config=result_columns(),
    )
    shown = f"{words.count(len(rows), 'row')} selected, {alerts:,} of them alerts"
    st.caption(f"{shown}; the {LISTED} most anomalous are listed." if len(rows) > LISTED else f"{shown}.")


def _contrast(own: tuple[Dataset, dict[str, ColumnKind]], drawn: Drawn, inside: np.ndarray) -> None:
    dataset, kinds = own
    rows, chosen = _of_points(drawn, dataset, inside)
    found = contrast(rows, kinds, chosen)
    if found.empty:
        st.caption("The selected points differ little from the others in every column.")
        return
    st.dataframe(
        found,
        hide_index=True,
        height=table_height(len(found), 340),
        key="map-contrast",
        alt=f"How the selection differs from the rest, most in {found['column'].iloc[0]}",
        column_config={
            "column": st.column_config.TextColumn("column", pinned=True),
            "selection": st.column_config.TextColumn("selection", help="Median, or share of a category."),
            "rest": st.column_config.TextColumn("rest", help="The same of all other points on the map."),
            "effect": st.column_config.NumberColumn("effect", format="%+.2f", width=75, help=words.EFFECT),
        },
    )
    st.caption(
        f"Selection compared with the rest: the columns that differ most, of {len(kinds)}. Descriptive, not a test."
    )


def _of_points(drawn: Drawn, dataset: Dataset, inside: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
    """The user's columns of the points, and which of these are selected; a sample of very many, see `contrast`."""
    at = _positions(drawn.key, drawn, dataset)
    sides = [sampled(np.flatnonzero(side & (at >= 0))) for side in (inside, ~inside)]
    rows = np.concatenate(sides)
    return dataset.data.iloc[at[rows]], np.arange(len(rows)) < len(sides[0])


@st.cache_resource(show_spinner=False, max_entries=4)
def _positions(key: str, _drawn: Drawn, _dataset: Dataset) -> np.ndarray:  # noqa: ARG001
    """(points,) position of each one's row in the user's data, -1 = not there."""
    return np.asarray(pd.Index(_dataset.rows["row_id"]).get_indexer(_drawn.points["row_id"]))


def with_own_columns(rows: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Score rows with the user's own columns added."""
    at = pd.Index(dataset.rows["row_id"]).get_indexer(rows["row_id"])
    more = dataset.data.iloc[at].reset_index(drop=True)
    more = more.drop(columns=more.columns.intersection(rows.columns))
    return pd.concat([rows.reset_index(drop=True), more], axis=1)


def _own(run_id: str) -> tuple[Dataset, dict[str, ColumnKind]] | None:
    """The user's data with the columns that can be compared; None and a message where they can't be read."""
    try:
        dataset = batch(run_id)
    except AdError as error:
        st.caption(f"The selection can't be compared with the rest: {error}")
        return None
    if dataset.modality == "image":
        return dataset, {name: kind for name, kind in OF_IMAGES.items() if name in dataset.data}
    return dataset, {column.name: column.kind for column in dataset.schema.columns if column.role is not Role.ID}
