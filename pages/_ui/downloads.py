"""Results as files. A spreadsheet must never take a cell of somebody's data for a formula."""

from io import BytesIO

import pandas as pd
import streamlit as st

from ad_core.safe_csv import safe_csv


def parquet(frame: pd.DataFrame) -> bytes:
    """The frame as a Parquet file."""
    out = BytesIO()
    frame.to_parquet(out, index=False)
    return out.getvalue()


def download_buttons(frame: pd.DataFrame, name: str) -> None:
    """Parquet and CSV of a frame, written only when somebody clicks."""
    with st.container(horizontal=True):
        for label, suffix, make in (("Parquet", "parquet", parquet), ("CSV", "csv", safe_csv)):
            st.download_button(
                label,
                data=lambda make=make: make(frame),
                file_name=f"{name}.{suffix}",
                icon=":material/download:",
                on_click="ignore",
                key=f"download-{suffix}-{name}",
                help=f"The {len(frame):,} rows that are shown.",
            )
