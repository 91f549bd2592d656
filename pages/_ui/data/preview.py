"""A preview of the data: first rows, images, or lines."""

import streamlit as st

from ad_core.data import figures
from ad_core.data.dataset import Dataset, Role
from ad_core.types import Modality
from pages._ui.shell import words
from pages._ui.shell.images import name_of, small
from pages._ui.shell.shell import chart

ROWS, IMAGES, CHANNELS = 200, 24, 8


def preview(dataset: Dataset) -> None:
    """The first rows, the images or the signals, with how many of them are shown."""
    st.subheader("Preview", anchor=False)
    if dataset.modality is Modality.IMAGE:
        _images(dataset)
        return
    if dataset.modality is Modality.SENSOR:
        _lines(dataset)
        with st.expander("Show as table"):
            _rows(dataset)
        return
    _rows(dataset)


def _rows(dataset: Dataset) -> None:
    shown = dataset.data.head(ROWS)
    st.dataframe(shown, height=320, alt=f"The first {len(shown)} of {len(dataset)} rows")
    st.caption(f"{words.count(len(shown), 'row')} of {len(dataset):,} shown.")


def _images(dataset: Dataset) -> None:
    usable = dataset.data.loc[(dataset.rows["note"] == "").to_numpy()]
    pages = max(1, -(-len(usable) // IMAGES))
    number = st.pagination(pages, key="preview-page") if pages > 1 else 1
    part = usable.iloc[(number - 1) * IMAGES : number * IMAGES]
    with st.grid("auto", min_column_width=130, gap="small"):
        for file, path in zip(part["file"], part["path"], strict=True):
            st.image(small(file), width="stretch", caption=name_of(path), alt=path)
    st.caption(f"{len(part)} of {words.count(len(usable), 'usable image')} shown.")


def _lines(dataset: Dataset) -> None:
    channels = dataset.schema.names(Role.FEATURE)
    frame, text = dataset.data, "All recordings, one after the other"
    entity = dataset.schema.one(Role.ENTITY)
    if "entity" in dataset.rows and dataset.rows["entity"].nunique() > 1:
        names = dataset.rows["entity"].astype(str).unique().tolist()
        chosen = st.selectbox(entity or "Recording", names, key="preview-entity")
        frame, text = frame.loc[(dataset.rows["entity"].astype(str) == chosen).to_numpy()], f"Recording {chosen}"
    drawn = channels[:CHANNELS]
    units = {c.name: c.unit for c in dataset.schema.columns}
    time = dataset.schema.one(Role.TIME)
    chart(
        figures.series(frame, drawn, time=time, units=units),
        alt=f"{text}: {', '.join(drawn)} over {len(frame):,} time stamps.",
        caption=f"{text}; {len(drawn)} of {words.count(len(channels), 'channel')}, {len(frame):,} of "
        f"{len(dataset):,} time stamps, downsampled, extremes kept.",
        key="preview-lines",
    )
