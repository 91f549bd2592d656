"""CSV files whose cells a spreadsheet does not run as formulas, and reading them back."""

import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|")
QUOTED = r"^'+[=+\-@\t\r\n|]"
"""A cell that already looks escaped; it gets one more quote, so that reading removes exactly one."""


def safe_csv(frame: pd.DataFrame) -> bytes:
    """CSV in UTF-8; text cells and headings that a spreadsheet would run as formulas get a quote in front."""
    safe = frame.copy()
    for column in safe.columns:
        if not (pd.api.types.is_numeric_dtype(safe[column]) or pd.api.types.is_datetime64_any_dtype(safe[column])):
            safe[column] = _escaped(safe[column])
    safe.columns = _escaped(pd.Series([str(column) for column in frame.columns], dtype="string")).tolist()
    text: str = safe.to_csv(index=False)
    return text.encode("utf-8-sig")


def as_written(texts: pd.Series) -> pd.Series:
    """Cells of a `safe_csv` file without the quotes that it added."""
    text = texts.astype("string")
    return text.mask(text.str.match(QUOTED).fillna(False).astype(bool), text.str[1:])


def _escaped(texts: pd.Series) -> pd.Series:
    text = texts.astype("string")
    risky = text.str.startswith(FORMULA) & pd.to_numeric(text, errors="coerce").isna() | text.str.match(QUOTED)
    return text.mask(risky.fillna(False), "'" + text)
