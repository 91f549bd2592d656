"""Home: samples, your own file, the last runs."""

import streamlit as st

from ad_core.data.sample_datasets import Sample, samples
from ad_core.storage.records import WITH_SCORES
from pages._ui.data.datasets import use_sample
from pages._ui.shell import words
from pages._ui.shell.images import sample_image
from pages._ui.shell.navigate import go, go_button
from pages._ui.shell.shell import page_top
from pages._ui.shell.stored import store

WITH_IMAGE = 3
"""Number of samples shown as cards with an image, one of each kind of data; the others have one line each."""


def kind_and_size(sample: Sample) -> str:
    """Such as "Table · 5,000 rows · real"."""
    size = words.count(sample.rows, "row" if sample.modality != "image" else "image")
    kind = f"{words.MODALITY_ICONS[sample.modality]} {words.MODALITIES[sample.modality]}"
    return f":gray[{kind} · {size} · {'synthetic' if sample.synthetic else 'real'}]"


page_top("home")

st.subheader("Start with a sample", anchor=False)
every = samples()
if not every:
    st.info(
        "The samples are not part of the installed package. Start the app from a clone of the project to have them.",
        title="No samples found",
    )
with st.grid("auto", min_column_width=280, gap="medium"):
    for sample in every[:WITH_IMAGE]:
        with st.container(border=True, height="stretch"):
            sample_image(sample)
            st.markdown(f"**{sample.title}**")
            st.markdown(kind_and_size(sample))
            st.markdown(sample.about)
            with st.popover("Anomalies, origin, licence", type="tertiary"):
                st.markdown(
                    f"**Anomalous:** {sample.anomalous}\n\n**Origin:** {sample.origin}\n\n**Licence:** {sample.licence}"
                )
                if sample.units:
                    st.markdown(f"**Units:** {sample.units}")
            st.space("stretch")
            st.button(
                f"Open {sample.title}",
                key=f"sample-{sample.name}",
                type="primary",
                on_click=use_sample,
                args=(sample.name,),
                width="stretch",
            )

if every[WITH_IMAGE:]:
    with st.expander(f"More samples ({len(every) - WITH_IMAGE})", icon=":material/dataset:"):
        for sample in every[WITH_IMAGE:]:
            with st.container(horizontal=True, vertical_alignment="center", wrap=False, key=f"more-{sample.name}"):
                st.markdown(
                    f"**{sample.title}** {kind_and_size(sample)}  \n{sample.about}",
                    help=f"Anomalous: {sample.anomalous}  \nOrigin: {sample.origin}  \nLicence: {sample.licence}",
                    width="stretch",
                )
                label = f"Open {sample.title}"
                st.button(label, key=f"sample-{sample.name}", on_click=use_sample, args=(sample.name,))

with st.container(horizontal=True, vertical_alignment="center"):
    go_button("Open your own file", "data", case={"data": None}, icon=":material/upload_file:")
    st.markdown(
        ":gray[:material/lock: Your data stay on this machine: nothing is uploaded anywhere, and no usage is reported.]"
    )

st.subheader("Last runs", anchor=False)
runs = [run for run in store().runs(limit=20) if run.kind in WITH_SCORES][:5]
if not runs:
    st.markdown(":gray[No runs yet. Trained and scored runs appear here.]")
for run in runs:
    icon, colour = words.STATUS[run.status]
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(f"**{run.name}** :gray[· {words.KINDS[run.kind]} · {words.ago(run.created)}]", width="stretch")
        st.badge(run.status, icon=icon, color=colour)
        st.button(
            "Open",
            key=f"open-{run.id}",
            on_click=go,
            args=("alerts" if run.status == "done" else "train",),
            kwargs={"run": run.id},
        )
