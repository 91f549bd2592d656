"""What to check before training: what blocks it, and warnings about the data."""

import streamlit as st

from ad_core.data.dataset import Dataset, Declared, Role
from ad_core.data.label_questions import questions, undecided
from ad_core.data.profiling import Profile
from ad_core.storage.store import DatasetRecord
from pages._ui.data.datasets import propose, with_role
from pages._ui.shell import words

SHOWN = 4
"""Maximum number of notices shown at once; the others are in an expander."""


ANSWERS = {Role.LABEL: "It is the label", Role.FEATURE: "Train on it", Role.IGNORE: "Leave it out"}
"""What may be done with a column that may hold true labels."""


def before_training(record: DatasetRecord, dataset: Dataset, declared: Declared, profile: Profile) -> None:
    """Blockers in red, those that are questions with their answers, then notices."""
    st.subheader("Before you train", anchor=False)
    asked = questions(dataset, "app")
    for column, question in zip(undecided(dataset.schema), asked, strict=True):
        st.error(question, icon=":material/help:")
        with st.container(horizontal=True):
            for role, answer in ANSWERS.items():
                st.button(
                    answer,
                    key=f"answer-{record.id}-{column}-{role}",
                    on_click=propose,
                    args=(record, with_role(declared, dataset.schema, column, role)),
                )
    for blocker in profile.blockers:
        if blocker not in asked:
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
