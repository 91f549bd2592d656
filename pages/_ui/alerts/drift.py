"""Whether a new file looks like what the detector was calibrated with, and what that does to the guarantee."""

from typing import Any

import pandas as pd
import streamlit as st

LOOKS = {"same": (st.success, "check_circle"), "watch": (st.warning, "difference")}
WITHDRAWN = (st.error, "gpp_maybe")


def drift_gate(facts: dict[str, Any]) -> None:
    """The sentence, and the columns that moved."""
    found = facts.get("drift")
    if not found:
        return
    show, icon = LOOKS.get(found["state"], WITHDRAWN)
    show(found["sentence"], icon=f":material/{icon}:")
    if found["state"] == "same" or not found["columns"]:
        return
    with st.expander("Column by column"):
        table = pd.DataFrame(found["columns"]).rename(columns={"effect": "moved by", "chance": "by chance"})
        st.dataframe(table.round(3), hide_index=True, alt=f"{len(table)} columns, the one that moved most first")
        st.caption(
            "Population stability index: from 0.1 above what chance gives worth watching, from 0.25 another "
            "distribution (Siddiqi 2006)."
        )


def guarantee_withdrawn(facts: dict[str, Any]) -> None:
    """On pages that show alerts: a word where their guarantee does not hold."""
    found = facts.get("drift") or {}
    if str(found.get("state", "")).startswith("withdrawn"):
        st.warning(found["sentence"], icon=":material/gpp_maybe:")
