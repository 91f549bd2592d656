"""What to check before training: what blocks it, and warnings about the data."""

import streamlit as st

from ad_core.data.dataset import Dataset
from ad_core.data.profiling import Profile
from pages._ui.shell import words

SHOWN = 4
"""Maximum number of notices shown at once; the others are in an expander."""


def before_training(dataset: Dataset, profile: Profile) -> None:
    """Blockers in red, then notices."""
    st.subheader("Before you train", anchor=False)
    for blocker in profile.blockers:
        st.error(blocker, icon=":material/block:")
    duplicates = _near_duplicates(dataset.fingerprint, str(dataset.declared.model_dump_json()), dataset)
    notices = list(dict.fromkeys([*dataset.notices, *profile.warnings, *([duplicates] if duplicates else [])]))
    for notice in notices[:SHOWN]:
        st.warning(words.plain(notice), icon=":material/info:")
    if len(notices) > SHOWN:
        with st.expander(f"{len(notices) - SHOWN} more notices"):
            st.markdown("\n".join(f"- {words.plain(notice)}" for notice in notices[SHOWN:]))
    if not profile.blockers and not notices:
        st.success("No problems found.", icon=":material/check_circle:")


@st.cache_data(show_spinner="Looking for near-duplicates ...", max_entries=20)
def _near_duplicates(fingerprint: str, declared: str, _dataset: Dataset) -> str:  # noqa: ARG001  they are the key
    from ad_core.data.duplicates import near_duplicates

    return near_duplicates(_dataset).sentence
