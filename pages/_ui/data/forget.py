"""Remove a data set, after a dialog that lists what is deleted with it."""

import streamlit as st

from ad_core.errors import AdError
from ad_core.storage import verdicts
from ad_core.storage.store import DatasetRecord
from pages._ui.shell import words
from pages._ui.shell.stored import store
from pages._ui.verdicts.exchange import verdict_downloads


@st.dialog("Remove this data set?", width="medium")
def confirm_forget(record: DatasetRecord) -> None:
    """Ask before a data set is removed."""
    runs, known = store().runs(dataset_id=record.id), verdicts.count(store(), record.id)
    st.markdown(
        f"**{record.name}**, {words.count(record.rows, 'row')}. Uploaded files are deleted with it; other files "
        "on this machine are kept."
    )
    if runs:
        st.warning(f"{words.count(len(runs), 'run')} used it and would be deleted too.", icon=":material/warning:")
    if known:
        on = verdicts.history(store(), record.id)["row_id"].nunique()
        st.warning(
            f"{words.count(known, 'verdict')} on {words.count(on, 'row')} would be deleted too. Keep them as a file:",
            icon=":material/rate_review:",
        )
        verdict_downloads(record.id, f"verdicts-{record.id}")
    agreed = st.checkbox("Yes, remove it permanently")
    if st.button("Remove", type="primary", icon=":material/delete:", disabled=not agreed):
        try:
            store().delete_dataset(record.id, runs=bool(runs))
        except AdError as error:
            st.error(str(error), icon=":material/error:")
            return
        st.rerun()
