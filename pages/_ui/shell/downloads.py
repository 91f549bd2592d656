"""Results as files. A spreadsheet must never take a cell of somebody's data for a formula."""

from collections.abc import Callable
from io import BytesIO

import pandas as pd
import streamlit as st

from ad_core.storage.safe_csv import safe_csv


def parquet(frame: pd.DataFrame) -> bytes:
    """The frame as a Parquet file."""
    out = BytesIO()
    frame.to_parquet(out, index=False)
    return out.getvalue()


def download_buttons(
    frame: pd.DataFrame, name: str, which: str = "that are shown", whole: Callable[[], pd.DataFrame] | None = None
) -> None:
    """Parquet and CSV of a frame, written only when somebody clicks.

    Args:
        which: of which rows it is, for the help.
        whole: gives the same rows with more columns, asked for only then.
    """
    written = whole or (lambda: frame)
    with st.container(horizontal=True):
        for label, suffix, make in (("Parquet", "parquet", parquet), ("CSV", "csv", safe_csv)):
            st.download_button(
                label,
                data=lambda make=make: make(written()),
                file_name=f"{name}.{suffix}",
                icon=":material/download:",
                on_click="ignore",
                key=f"download-{suffix}-{name}",
                help=f"The {len(frame):,} rows {which}.",
            )
