"""An image case: the image, where the score comes from, and the nearest normal image."""

import numpy as np
import streamlit as st

from ad_core import figures
from ad_core.errors import AdError
from ad_core.results import Case
from pages._ui.pictures import file_of, full, name_of, small
from pages._ui.stored import batch, dataset, store


def picture(run_id: str, training_id: str, row_id: str, case: Case) -> None:
    """Original | overlay | nearest normal, equally wide."""
    try:
        file = file_of(batch(run_id), row_id)
        if file is None:
            return
        original = full(file)
    except AdError as error:
        st.warning(f"The image can't be opened any more: {error}", icon=":material/broken_image:")
        return
    opacity = st.slider(
        "Opacity of the overlay", 0, 100, 60, format="%d %%", key="opacity", persist_state="session", width=320
    )
    left, middle, right = st.columns(3, gap="medium")
    left.image(original, width="stretch", caption="Original", alt=f"{row_id}, as it is")
    if case.map is None:
        middle.info("No map is stored for this image.")
    else:
        y, x = np.unravel_index(int(case.map.argmax()), case.map.shape)
        alt = (
            f"{row_id} with its anomaly map; the hottest spot is {100 * x / case.map.shape[1]:.0f} % from the "
            f"left and {100 * y / case.map.shape[0]:.0f} % from the top"
        )
        middle.image(
            figures.overlay(original, case.map, opacity / 100),
            width="stretch",
            caption="Where the score comes from",
            alt=alt,
        )
        middle.caption(
            f"Map values {case.map.min():.2g} to {case.map.max():.2g}; yellow to red from this image's median "
            "to its maximum."
        )
    if case.neighbours is not None and len(case.neighbours):
        nearest = str(case.neighbours.sort_values("rank")["neighbour"].iloc[0])
        _nearest(right, training_id, nearest)


def nearest_pictures(training_id: str, case: Case) -> None:
    """The nearest normal images after the first, which stands beside the case."""
    if case.neighbours is None or len(case.neighbours) < 2:
        return
    st.subheader("Other usual images near it", anchor=False)
    try:
        usual = dataset(store().dataset(store().run(training_id).dataset_id))
        near = case.neighbours.sort_values("rank").iloc[1:]
        with st.grid(len(near), gap="small"):
            for name, distance in zip(near["neighbour"], near["distance"], strict=True):
                if file := file_of(usual, str(name)):
                    st.image(small(file), width="stretch", caption=f"{name_of(name)} ({distance:.3g})", alt=str(name))
        st.caption("In brackets their distance from this image, as the detector sees them.")
    except AdError as error:
        st.warning(f"The images can't be opened any more: {error}")


def _nearest(column: object, training_id: str, nearest: str) -> None:
    try:
        file = file_of(dataset(store().dataset(store().run(training_id).dataset_id)), nearest)
        if file:
            column.image(
                full(file),
                width="stretch",
                caption=f"Nearest normal image: {nearest}",
                alt=f"{nearest}, the nearest normal image",
            )  # type: ignore[attr-defined]
    except AdError as error:
        column.warning(f"The nearest normal image can't be opened any more: {error}")  # type: ignore[attr-defined]
