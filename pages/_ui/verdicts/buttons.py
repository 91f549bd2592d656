"""Verdicts on a row: the five buttons, the tag and the note, undo, and the present verdict."""

from typing import Any

import numpy as np
import streamlit as st

from ad_core.errors import AdError
from ad_core.storage import verdicts
from pages._ui.shell import words
from pages._ui.shell.author import author
from pages._ui.shell.navigate import choose
from pages._ui.shell.stored import said, store
from pages._ui.shell.threshold import threshold_at

KEYS = {"anomaly": "A", "normal": "N", "unsure": "U", "data_error": "D", "seen_before": "S"}
UNDO = "Z"


def verdict_badge(run_id: str, row_id: str) -> None:
    """The newest verdict on a row, if there is one."""
    known = said(run_id)
    if row_id not in known.index:
        return
    line = known.loc[row_id]
    _, icon, colour = words.VERDICTS[line["verdict"]]
    by = f"{line['author']}, {words.ago(line['created'])}" + (f"; {line['note']}" if line["note"] else "")
    tag = f" · {line['tag']}" if line["tag"] else ""
    st.badge(words.verdict(line["verdict"]) + tag, icon=icon, color=colour, help=by)


def verdict_buttons(run_id: str, row_id: str, *, keys: bool = False, following: str | None = None) -> None:
    """Five buttons in a line.

    Args:
        keys: one key each, for pages about this row; else the buttons are smaller.
        following: the row that becomes the current case afterwards; None = the same.
    """
    now = said(run_id)["verdict"].get(row_id)
    for word, (_, icon, _) in words.VERDICTS.items():
        st.button(
            words.verdict(word),
            icon=icon if keys else None,
            shortcut=KEYS[word] if keys else None,
            on_click=_give,
            # a widget key per row: a second press before the page has changed must not give the next row a verdict
            key=f"say-{word}-{row_id}",
            args=(run_id, row_id, word, following),
            type="primary" if word == now else "secondary",
        )


def tag_and_note(row_id: str) -> None:
    """Fields for the tag and the note of the next verdict on this row."""
    st.text_input("Tag", key=f"tag-{row_id}", placeholder="Tag: a word to find it by", label_visibility="collapsed")
    st.text_input("Note", key=f"note-{row_id}", placeholder="Note for colleagues", label_visibility="collapsed")


def undo_button(run_id: str, *, keys: bool = False) -> None:
    """A button that takes back the last verdict of this author on these data, or the last ones given together."""
    st.button(
        "Undo",
        icon=":material/undo:",
        type="tertiary",
        shortcut=UNDO if keys else None,
        on_click=_undo,
        args=(run_id,),
        help=f"Takes back the last verdict of {author()} on these data.",
    )


def verdict_line(run_id: str, row_id: str, *, keys: bool = False) -> None:
    """The verdict buttons and undo in one line, with tag and note in a popover."""
    with st.container(horizontal=True, gap="small" if keys else "xsmall", vertical_alignment="center"):
        verdict_buttons(run_id, row_id, keys=keys)
        with st.popover("Tag, note", icon=":material/sell:", type="tertiary"):
            tag_and_note(row_id)
            st.caption("They are saved with your next verdict.")
        if row_id in said(run_id).index:
            undo_button(run_id, keys=keys)


def in_force(run_id: str) -> dict[str, Any]:
    """The current rule for alerts, in the form that is saved with a verdict."""
    threshold = threshold_at(run_id)
    score = float(threshold.score) if np.isfinite(threshold.score) else None
    return {**threshold.rule.model_dump(mode="json"), "score": score}


def _give(run_id: str, row_id: str, word: str, following: str | None) -> None:
    tag, note = ((st.session_state.get(f"{name}-{row_id}") or "").strip() for name in ("tag", "note"))
    known = said(run_id)
    fields = ["verdict", "tag", "note", "author"]
    repeated = row_id in known.index and known.loc[row_id, fields].tolist() == [word, tag, note, author()]
    try:
        if not repeated:  # for example because a key is held down
            verdicts.give(
                store(), run_id, [row_id], word, author=author(), tag=tag, note=note, threshold=in_force(run_id)
            )
    except AdError as error:
        st.session_state["_problem"] = str(error)
        return
    for name in ("tag", "note"):
        st.session_state.pop(f"{name}-{row_id}", None)
    if following is not None:
        choose(row=following)


def _undo(run_id: str) -> None:
    try:
        undone = verdicts.take_back(store(), store().run(run_id).dataset_id, author())
    except AdError as error:
        st.session_state["_problem"] = str(error)
        return
    if not undone:
        st.toast(f"There is no verdict of {author()} to take back.", icon=":material/undo:")
        return
    st.toast(f"Taken back: the verdict on {words.count(len(undone), 'row')}.", icon=":material/undo:")
    choose(row=undone[0])
