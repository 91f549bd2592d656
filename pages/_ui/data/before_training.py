"""What somebody should think about before training: what blocks it, and what is odd about the data."""

import streamlit as st

from ad_core.data.dataset import Dataset
from ad_core.data.profiling import Profile

SHOWN = 4
"""So many notices are open; the others wait in an expander."""


def before_training(dataset: Dataset, found: Profile) -> None:
    """Blockers in red, then notices."""
    st.subheader("Before you train", anchor=False)
    for blocker in found.blockers:
        st.error(blocker, icon=":material/block:")
    twice = _twice(dataset.fingerprint, str(dataset.declared.model_dump_json()), dataset)
    notices = list(dict.fromkeys([*dataset.notices, *found.warnings, *([twice] if twice else [])]))
    for notice in notices[:SHOWN]:
        st.warning(notice, icon=":material/info:")
    if len(notices) > SHOWN:
        with st.expander(f"{len(notices) - SHOWN} more notices"):
            st.markdown("\n".join(f"- {notice}" for notice in notices[SHOWN:]))
    if not found.blockers and not notices:
        st.success("Nothing to think about.", icon=":material/check_circle:")


@st.cache_data(show_spinner="Looking for what is nearly there twice …", max_entries=20)
def _twice(fingerprint: str, declared: str, _dataset: Dataset) -> str:  # noqa: ARG001  they are the key
    from ad_core.data.duplicates import near_duplicates

    return near_duplicates(_dataset).sentence
