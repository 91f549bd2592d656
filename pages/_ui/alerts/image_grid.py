"""Ranked images as a grid of thumbnails."""

from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.errors import AdError, DamagedError
from ad_core.explain.heat_scale import HeatScale
from ad_core.storage.results import detector_run, safe_name
from pages._ui.shell import words
from pages._ui.shell.images import name_of, small, small_with_map
from pages._ui.shell.navigate import choose, current
from pages._ui.shell.stored import batch, show_damage, store, summary

PER_PAGE = 12


def picture_grid(run_id: str, rows: pd.DataFrame) -> None:
    """Thumbnails in order of their score; the button under one makes it the current case."""
    try:
        dataset = batch(run_id)
    except AdError as error:
        st.warning(f"The images can't be opened any more: {error}")
        return
    files = dict(zip(dataset.rows["row_id"], dataset.data["file"], strict=True))
    pages = max(1, -(-len(rows) // PER_PAGE))
    place = rows.index[rows["row_id"] == current("row")]
    number = (
        st.pagination(pages, default=int(place[0]) // PER_PAGE + 1 if len(place) else 1, key=f"grid-{run_id}")
        if pages > 1
        else 1
    )
    maps = store().folder(run_id) / "maps"
    mapped = maps.exists() and st.toggle(
        "Show anomaly maps",
        key="mapped",
        persist_state="session",
        help="Where the scores of the explained images come from, all on one colour scale.",
    )
    scale = HeatScale.from_facts(summary(detector_run(store(), run_id).id)) if mapped else None
    part = rows.iloc[(number - 1) * PER_PAGE : number * PER_PAGE]
    with st.grid("auto", min_column_width=135, gap="small"):
        for row in part.itertuples():
            is_current = row.row_id == current("row")
            with st.container(border=True, gap="xsmall", key=f"{'chosen' if is_current else 'card'}-{row.Index}"):
                if row.note:
                    st.caption(f"{row.row_id}: {row.note}")
                else:
                    file = files[row.row_id]
                    map_file = maps / f"{safe_name(row.row_id)}.npy"
                    shown = _with_map(file, map_file, scale) if mapped else small(file)
                    st.image(shown, width="stretch", alt=f"{row.row_id}, score {row.score:.3g}")
                st.button(
                    name_of(row.row_id),
                    key=f"pick-{row.Index}",
                    on_click=choose,
                    kwargs={"row": row.row_id},
                    type="primary" if is_current else "tertiary",
                    width="stretch",
                    help=f"{words.SEVERITY[row.severity]} · score {words.number(row.score)} · p "
                    f"{words.p_text(row.p_value)}",
                )
                st.caption(f"{words.SEVERITY[row.severity]} · {words.number(row.score)}")
    st.caption(f"{len(part)} of {words.count(len(rows), 'image')} shown, highest score first.")


def _with_map(file: str, map_file: Path, scale: HeatScale | None) -> bytes | np.ndarray:
    """A thumbnail with its anomaly map; without it where the map is damaged, which is shown."""
    try:
        return small_with_map(file, map_file, scale)
    except DamagedError as error:
        show_damage(str(error))
        return small(file)
