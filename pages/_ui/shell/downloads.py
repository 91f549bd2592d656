"""Results as files. A spreadsheet must never execute a cell of the data as a formula."""

from collections.abc import Callable
from io import BytesIO

import pandas as pd
import streamlit as st

from ad_core.storage.safe_csv import safe_csv


def parquet(frame: pd.DataFrame) -> bytes:
    """The table as a Parquet file."""
    out = BytesIO()
    frame.to_parquet(out, index=False)
    return out.getvalue()


def download_buttons(
    frame: pd.DataFrame, name: str, which: str = "that are shown", whole: Callable[[], pd.DataFrame] | None = None
) -> None:
    """Downloads of a table as Parquet and CSV, written only on a click.

    Args:
        which: says which rows they are, for the help text.
        whole: gives the same rows with more columns; called only on a click.
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
