"""Alerts by the feature that raises their score most; the choice is part of the address."""

import numpy as np
import pandas as pd
import streamlit as st

from pages._ui.alerts.all_alerts import firsts, modality_of

KEY = "mainly"

LABEL = {"table": "Main column", "image": "Main image field", "sensor": "Main channel"}
HELP = {
    "table": "Explained rows whose score this column raises most.",
    "image": "Explained images whose score this field of the image raises most.",
    "sensor": "Explained events whose score this channel raises most.",
}


def part_field(run_id: str) -> None:
    """A choice of a feature; nothing where no row has been explained."""
    if parts := _parts(run_id):
        st.selectbox(
            LABEL[modality_of(run_id)],
            parts,
            index=None,
            placeholder="Any",
            key=KEY,
            bind="query-params",
            width=220,
            help=HELP[modality_of(run_id)],
        )


def led_by_part(run_id: str, row_ids: pd.Series) -> np.ndarray | None:
    """(rows,) bool: those whose score the chosen feature raises most; None where none is chosen."""
    chosen = st.session_state.get(KEY)
    if chosen not in _parts(run_id):  # it may belong to another run
        return None
    first = firsts(run_id)
    return row_ids.isin(first.index[first == chosen]).to_numpy()


def led_rows(run_id: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that pass this filter."""
    led = led_by_part(run_id, rows["row_id"])
    return rows if led is None else rows.loc[led].reset_index(drop=True)


def _parts(run_id: str) -> list[str]:
    """Most frequent first."""
    return [str(part) for part in firsts(run_id).value_counts().index]
