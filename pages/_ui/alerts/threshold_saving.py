"""The form that saves a rule with its reason, and every rule that was saved for a run."""

import pandas as pd
import streamlit as st

from ad_core.alerts.threshold import Rule
from ad_core.errors import AdError
from ad_core.storage import saved_thresholds
from pages._ui.shell.author import author, author_field
from pages._ui.shell.shell import table_height
from pages._ui.shell.stored import store


def saving(run_id: str, rule: Rule, *, is_saved: bool) -> None:
    """The form that saves a rule, and the history."""
    history = saved_thresholds.history(store(), run_id)
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("Save as the run's threshold", icon=":material/save:", disabled=is_saved and len(history) > 0):
            st.markdown(f"**{rule.in_words()[0].upper()}{rule.in_words()[1:]}**")
            st.text_input("Name", key="threshold-name", placeholder="Such as: night shift", max_chars=80)
            st.text_area("Reason", key="threshold-reason", placeholder="Why this one?", height=70, max_chars=500)
            author_field()
            st.button("Save", type="primary", key="threshold-save", on_click=_save, args=(run_id, rule))
        if len(history) and is_saved:
            st.caption(f":material/check: Saved as “{history['name'].iloc[0]}”.")
    if len(history):
        with st.expander(f"Earlier thresholds ({len(history)})", icon=":material/history:"):
            shown = pd.DataFrame(
                {
                    "when": history["created"],
                    "threshold": [Rule.model_validate(saved).in_words() for saved in history["rule"]],
                    "name": history["name"],
                    "reason": history["reason"],
                    "who": history["author"],
                }
            )
            st.dataframe(
                shown,
                hide_index=True,
                height=table_height(len(shown), 220),
                alt=f"{len(shown)} saved thresholds, newest first",
                column_config={"when": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm")},
            )


def _save(run_id: str, rule: Rule) -> None:
    name, reason = (st.session_state.get(f"threshold-{field}") or "" for field in ("name", "reason"))
    try:
        saved_thresholds.save(store(), run_id, rule, name=name or rule.in_words(), reason=reason, author=author())
    except AdError as error:
        st.session_state["_problem"] = str(error)
        return
    st.session_state["threshold-name"] = st.session_state["threshold-reason"] = ""
    st.toast(
        "Saved. It decides the alerts of this run and of every file scored with its detector, also on the command "
        "line.",
        icon=":material/save:",
    )
