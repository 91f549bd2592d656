"""One verdict on many rows at once, with a preview of what it changes."""

from collections.abc import Sequence

import streamlit as st

from ad_core.errors import AdError
from ad_core.storage import verdicts
from pages._ui.shell import words
from pages._ui.shell.author import author
from pages._ui.shell.stored import said, store
from pages._ui.verdicts.buttons import in_force


def bulk_button(run_id: str, row_ids: Sequence[str], key: str) -> None:
    """A button that opens the dialog for a verdict on these rows."""
    label = f"Verdict on {'this row' if len(row_ids) == 1 else f'these {len(row_ids):,} rows'}"
    if st.button(label, icon=":material/rate_review:", key=key, disabled=not len(row_ids)):
        ask(run_id, list(row_ids))
    if done := st.session_state.pop("_bulk", None):
        st.toast(done, icon=":material/rate_review:")


def preview(run_id: str, row_ids: Sequence[str], word: str) -> str:
    """What a verdict on many rows would change."""
    text = f"This gives the verdict **{words.verdict(word)}** to {words.count(len(row_ids), 'row')}"
    now = said(run_id)["verdict"]
    now = now.loc[now.index.isin(row_ids)]
    other, same = int((now != word).sum()), int((now == word).sum())
    if other:
        text += f", {other:,} of which {'has' if other == 1 else 'have'} another verdict now"
    if same:
        text += f"{'; ' if other else ', '}{same:,} {'has' if same == 1 else 'have'} this verdict already"
    return f"{text}."


@st.dialog("One verdict on many rows", width="medium", icon=":material/rate_review:")
def ask(run_id: str, row_ids: list[str]) -> None:
    """A dialog: choose a verdict, preview, confirm."""
    word = st.pills(
        "Verdict",
        list(words.VERDICTS),
        format_func=lambda word: words.VERDICTS[word][0],
        key="bulk-word",
        required=True,
    )
    left, right = st.columns(2)
    tag = left.text_input("Tag", key="bulk-tag")
    note = right.text_input("Note", key="bulk-note")
    if word is None:
        st.caption("Choose a verdict to see what it would change.")
    else:
        st.markdown(preview(run_id, row_ids, word))
        st.caption(f"Given by {author()}. Undo takes all of them back together.")
    with st.container(horizontal=True, horizontal_alignment="right"):
        agreed = st.button("Give verdict", type="primary", icon=":material/check:", disabled=word is None)
    if not agreed:
        return
    try:
        verdicts.give(
            store(), run_id, row_ids, str(word), author=author(), tag=tag, note=note, threshold=in_force(run_id)
        )
    except AdError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.session_state["_bulk"] = f"{words.verdict(str(word))}: {words.count(len(row_ids), 'row')}."
    st.rerun()
