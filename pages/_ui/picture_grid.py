"""Ranked images as pictures."""

import pandas as pd
import streamlit as st

from ad_core.errors import AdError
from pages._ui import words
from pages._ui.navigate import choose, current
from pages._ui.pictures import name_of, small
from pages._ui.stored import batch

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
    part = rows.iloc[(number - 1) * PER_PAGE : number * PER_PAGE]
    with st.grid("auto", min_column_width=135, gap="small"):
        for row in part.itertuples():
            is_current = row.row_id == current("row")
            with st.container(border=True, gap="xsmall", key=f"{'chosen' if is_current else 'card'}-{row.Index}"):
                if row.note:
                    st.caption(f"{row.row_id}: {row.note}")
                else:
                    st.image(small(files[row.row_id]), width="stretch", alt=f"{row.row_id}, score {row.score:.3g}")
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
    st.caption(f"{len(part)} of {words.count(len(rows), 'image')} shown, most unusual first.")
