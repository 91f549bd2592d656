"""Comparison of anomaly maps with defect masks: started on demand, computed as a job, shown here."""

from pathlib import Path

import streamlit as st

from ad_core.storage.store import RunRecord
from pages._ui.shell import words
from pages._ui.shell.glossary import sentence
from pages._ui.shell.navigate import choose
from pages._ui.shell.shell import table_height
from pages._ui.shell.side_job import followed, submit
from pages._ui.shell.stored import store, table

WORST = 50
COLUMNS = {
    "row_id": st.column_config.TextColumn("Image"),
    "marked": st.column_config.NumberColumn("Marked", format="percent", help="Share of its pixels in the mask."),
    "auroc": st.column_config.NumberColumn(
        "AUROC inside",
        format="%.3f",
        help="The probability that a marked pixel is higher on the map than another pixel of this image. "
        "0.5 = guessing; below 0.5 the map is higher outside the mask.",
    ),
}


def pixel_figures(run: RunRecord) -> None:
    """The metrics, if they were computed, and the field for the folder with masks."""
    asked = store().runs(kind="masks", parent=run.id, limit=1)
    latest = asked[0] if asked else None
    st.subheader("Do the anomaly maps match the defects?", anchor=False)
    if followed(latest, "Comparing anomaly maps with masks"):
        return
    if latest is not None and latest.status == "done":
        _metrics(run, latest.summary["masks"])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        before = latest.config["masks"] if latest else ""
        folder = st.text_input(
            "Folder or zip with masks, on this machine",
            before,
            key="masks",
            placeholder="/home/me/plates/masks",
            help="White (or any number but 0) on the defect, black elsewhere, named after the image: <kind of "
            "defect>/<image>_mask.png, or <image>_GT, or <image>/000.png. Anomalous images without a mask are left out "
            "and named. Masks are never trained on.",
        )
        given = str(Path(folder.strip().strip('"')).expanduser()) if folder.strip() else ""
        st.button(
            "Compare again" if latest else "Compare with masks",
            icon=":material/compare:",
            disabled=not given,
            key="compare-masks",
            on_click=submit,
            args=(run.dataset_id, "masks", {"masks": given}, f"{run.name} · comparison with masks", run.id),
        )


def _metrics(run: RunRecord, metrics: dict) -> None:
    with st.container(horizontal=True):
        for word, key in (("AUPRO", "aupro"), ("pixel AUROC", "pixel_auroc")):
            st.metric(word, f"{metrics[key]:.3f}", border=True, width="stretch", help=sentence(word))
        st.metric("Images with a mask", f"{metrics['masks']:,}", border=True, width="stretch")
    for note in metrics.get("notes", ()):
        st.warning(note, icon=":material/info:")
    images = table(run.id, "masks")
    if images is None:
        return
    worst = images.head(WORST)
    st.session_state["_mask_rows"] = worst["row_id"].tolist()
    st.dataframe(
        worst,
        hide_index=True,
        column_config=COLUMNS,
        key="mask-table",
        on_select=_chosen,
        selection_mode="single-row",
        height=table_height(len(worst), 260),
        alt=f"{len(worst)} images whose map matches the mask worst",
    )
    missed = int((images["auroc"] < 0.5).sum())
    st.caption(
        f"The images whose map matches the mask worst come first; in {missed:,} of {words.count(len(images), 'image')} "
        "the map is higher outside the mask. Select one to see it on the Explain page."
    )


def _chosen() -> None:
    """Callback of the table: the chosen image becomes the current case."""
    if at := st.session_state["mask-table"]["selection"]["rows"]:
        choose(row=st.session_state["_mask_rows"][at[0]])
