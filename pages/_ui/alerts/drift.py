"""Whether new data are distributed like the calibration rows, and whether the guarantee still holds."""

from typing import Any

import pandas as pd
import streamlit as st

LOOKS = {
    "same": (st.success, "check_circle"),
    "watch": (st.warning, "difference"),
    "unknown": (st.info, "help"),
}
WITHDRAWN = (st.error, "gpp_maybe")


def drift_gate(facts: dict[str, Any]) -> None:
    """The result of the drift check, and the columns whose distribution changed."""
    found = facts.get("drift")
    if not found:
        return
    show, icon = LOOKS.get(found["state"], WITHDRAWN)
    show(found["sentence"], icon=f":material/{icon}:")
    if found["state"] == "same" or not found["columns"]:
        return
    with st.expander("Column by column"):
        named = {"effect": "PSI", "chance": "PSI by chance", "outside": "share beyond the training range"}
        table = pd.DataFrame(found["columns"]).rename(columns=named)
        st.dataframe(table.round(3), hide_index=True, alt=f"{len(table)} columns, the largest change first")
        st.caption(
            "Population stability index (PSI): from 0.1 above its value by chance worth watching, from 0.25 above it "
            "another distribution (Siddiqi 2006)."
        )


def guarantee_voided(facts: dict[str, Any]) -> None:
    """On pages that show alerts: a warning where their guarantee no longer holds."""
    found = facts.get("drift") or {}
    if str(found.get("state", "")).startswith("withdrawn"):
        st.warning(found["sentence"], icon=":material/gpp_maybe:")
