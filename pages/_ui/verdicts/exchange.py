"""Export verdicts to a file and import them from one."""

import streamlit as st

from ad_core.errors import AdError
from ad_core.review import verdict_files
from ad_core.storage import verdicts
from ad_core.storage.store import RunRecord
from pages._ui.shell import words
from pages._ui.shell.author import author
from pages._ui.shell.stored import store

MOST_MB = 100


def verdict_exchange(run: RunRecord) -> None:
    """Downloads of the whole history, and an upload that adds new verdicts."""
    known = verdicts.count(store(), run.dataset_id)
    with st.expander("Verdicts as files", icon=":material/swap_vert:", on_change="rerun", key="exchange") as box:
        if not box.open:
            return
        left, right = st.columns(2, gap="large")
        with left:
            st.markdown(f"**Export**  \n:gray[{words.count(known, 'verdict')} on these data, with authors and times.]")
            verdict_downloads(run.dataset_id, f"verdicts-{run.dataset_id}")
        with right:
            _upload(run)


def verdict_downloads(dataset_id: str, name: str) -> None:
    """A download button for each file format, written only on a click."""
    with st.container(horizontal=True):
        for form, title in verdict_files.FORMS.items():
            st.download_button(
                title,
                data=lambda form=form: verdict_files.to_file(verdicts.history(store(), dataset_id), form),
                file_name=f"{name}.{form}",
                icon=":material/download:",
                on_click="ignore",
                key=f"{name}-{form}",
            )


def _upload(run: RunRecord) -> None:
    st.markdown(
        "**Import**  \n:gray[Needs the columns row_id and verdict. Verdicts that are stored already are left out.]"
    )
    file = st.file_uploader(
        "A file of verdicts",
        type=list(verdict_files.FORMS),
        key=f"verdicts-in-{run.dataset_id}",
        label_visibility="collapsed",
        max_upload_size=MOST_MB,
    )
    if file is None:
        return
    try:
        table = verdict_files.from_file(file.getvalue(), file.name)
    except AdError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.caption(f"{words.count(len(table), 'verdict')} on {words.count(table['row_id'].nunique(), 'row')}.")
    if st.button("Import", type="primary", icon=":material/upload:"):
        try:
            taken = verdict_files.import_verdicts(store(), run.dataset_id, table, author())
        except AdError as error:
            st.error(str(error), icon=":material/error:")
            return
        st.session_state["_taken_in"] = taken.in_words()
        st.rerun()
