"""Results as files. A spreadsheet must never take a cell of somebody's data for a formula."""

from io import BytesIO

import pandas as pd
import streamlit as st

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|")


def safe_csv(frame: pd.DataFrame) -> bytes:
    """CSV in UTF-8 whose text cells and headings can't be run as formulas: a quote is put before such."""
    safe = frame.copy()
    for column in safe.columns:
        if not (pd.api.types.is_numeric_dtype(safe[column]) or pd.api.types.is_datetime64_any_dtype(safe[column])):
            safe[column] = _defused(safe[column])
    safe.columns = _defused(pd.Series([str(column) for column in frame.columns], dtype="string")).tolist()
    return safe.to_csv(index=False).encode("utf-8-sig")


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


def _defused(texts: pd.Series) -> pd.Series:
    text = texts.astype("string")
    risky = text.str.startswith(FORMULA) & pd.to_numeric(text, errors="coerce").isna()
    return text.mask(risky.fillna(False), "'" + text)
