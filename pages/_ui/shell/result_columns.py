"""The same format for score columns in all tables."""

from typing import Any

import pandas as pd
import streamlit as st

from pages._ui.shell import words

SHOWN = ("row_id", "severity", "score", "p_value", "percentile", "note")


def as_shown(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    """The first `most` rows with the columns that are not empty, severity with its sign."""
    part = rows.head(most)
    part = part[[c for c in SHOWN if c in part]].assign(severity=part["severity"].map(words.SEVERITY))
    empty = [c for c in ("note", "p_value") if c in part and not (part[c].notna() & (part[c] != "")).any()]
    return part.drop(columns=empty)


def result_columns() -> dict[str, Any]:
    """Headings, widths and number formats of the score table."""
    return {
        "row_id": st.column_config.TextColumn("row", pinned=True),
        "severity": st.column_config.TextColumn("severity", width=90),
        "score": st.column_config.NumberColumn("score", format="%.3g", width=75),
        "p_value": st.column_config.NumberColumn("p", format="%.2g", width=70),
        "percentile": st.column_config.ProgressColumn(
            "percentile", min_value=0, max_value=100, format="%.1f", width=120
        ),
        "note": st.column_config.TextColumn("note"),
    }
