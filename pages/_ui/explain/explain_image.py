"""A case that is an image: the image, its anomaly map, and the nearest normal image."""

import numpy as np
import streamlit as st

from ad_core.errors import AdError
from ad_core.explain.heat_overlay import outlined, overlay, top_box
from ad_core.explain.heat_scale import NEARLY_ALL, HeatScale
from ad_core.storage.results import Case
from pages._ui.shell.images import file_of, full, name_of, small
from pages._ui.shell.stored import batch, dataset, store, summary


def image_and_map(run_id: str, training_id: str, row_id: str, case: Case) -> None:
    """Original, overlay and nearest normal image, equally wide."""
    try:
        file = file_of(batch(run_id), row_id)
        if file is None:
            return
        original = full(file)
    except AdError as error:
        st.warning(f"The image can't be opened any more: {error}", icon=":material/broken_image:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        opacity = st.slider(
            "Opacity of the overlay", 0, 100, 60, format="%d %%", key="opacity", persist_state="session", width=320
        )
        framed = st.toggle("Frame the top region", value=True, key="framed", persist_state="session")
    left, middle, right = st.columns(3, gap="medium")
    left.image(original, width="stretch", caption="Original", alt=f"{row_id}, as it is")
    with middle:
        if case.map is None:
            st.info("No map is stored for this image.")
        else:
            _overlay(
                original, case.map, HeatScale.from_facts(summary(training_id)), opacity / 100, row_id, framed=framed
            )
    if case.neighbours is not None and len(case.neighbours):
        nearest = str(case.neighbours.sort_values("rank")["neighbour"].iloc[0])
        _nearest(right, training_id, nearest)


def _overlay(
    original: np.ndarray, heat: np.ndarray, scale: HeatScale | None, opacity: float, row_id: str, *, framed: bool
) -> None:
    y, x = np.unravel_index(int(heat.argmax()), heat.shape)
    alt = (
        f"{row_id} with its anomaly map; its maximum is {100 * x / heat.shape[1]:.0f} % from the "
        f"left and {100 * y / heat.shape[0]:.0f} % from the top"
    )
    shown, box = overlay(original, heat, opacity, scale), top_box(heat, scale)
    if box is not None and framed:
        shown = outlined(shown, box)
    st.image(shown, width="stretch", caption="Anomaly map: where the score comes from", alt=alt)
    if scale is None:
        text = "This run has no common colour scale: yellow to red from this image's median to its maximum."
    elif box is None:
        text = (
            f"No value exceeds {scale.high:.2g}, below which {100 * NEARLY_ALL:g} % of the values of {scale.images} "
            "calibration images lie, so nothing is coloured."
        )
    else:
        text = (
            f"One colour scale for all images: colour begins at {scale.high:.2g}, below which {100 * NEARLY_ALL:g} % "
            f"of the values of {scale.images} calibration images lie, and is full at {scale.full:.2g}."
        )
    st.caption(f"Map values {heat.min():.2g} to {heat.max():.2g}. {text}")


def nearest_images(training_id: str, case: Case) -> None:
    """The nearest normal images without the first, which is shown beside the case."""
    if case.neighbours is None or len(case.neighbours) < 2:
        return
    st.subheader("Other nearest normal images", anchor=False)
    try:
        trained = dataset(store().dataset(store().run(training_id).dataset_id))
        near = case.neighbours.sort_values("rank").iloc[1:]
        with st.grid(len(near), gap="small"):
            for name, distance in zip(near["neighbour"], near["distance"], strict=True):
                if file := file_of(trained, str(name)):
                    st.image(small(file), width="stretch", caption=f"{name_of(name)} ({distance:.3g})", alt=str(name))
        st.caption("In brackets: distance from this image in the embedding.")
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
