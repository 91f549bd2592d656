"""CSV that a spreadsheet can open without running anybody's data as a formula, and the way back."""

import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|")
QUOTED = r"^'+[=+\-@\t\r\n|]"
"""A cell that looks as if it had been defused; it gets one more quote, so that reading takes away the right number."""


def safe_csv(frame: pd.DataFrame) -> bytes:
    """CSV in UTF-8 whose text cells and headings can't be run as formulas: a quote is put before such."""
    safe = frame.copy()
    for column in safe.columns:
        if not (pd.api.types.is_numeric_dtype(safe[column]) or pd.api.types.is_datetime64_any_dtype(safe[column])):
            safe[column] = _defused(safe[column])
    safe.columns = _defused(pd.Series([str(column) for column in frame.columns], dtype="string")).tolist()
    text: str = safe.to_csv(index=False)
    return text.encode("utf-8-sig")


def as_written(texts: pd.Series) -> pd.Series:
    """Cells of such a file as they were before."""
    text = texts.astype("string")
    return text.mask(text.str.match(QUOTED).fillna(False).astype(bool), text.str[1:])


def _defused(texts: pd.Series) -> pd.Series:
    text = texts.astype("string")
    risky = text.str.startswith(FORMULA) & pd.to_numeric(text, errors="coerce").isna() | text.str.match(QUOTED)
    return text.mask(risky.fillna(False), "'" + text)
