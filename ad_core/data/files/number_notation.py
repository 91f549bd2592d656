"""Numbers in texts: which decimal and thousands mark a column has, where that is certain."""

import re

import pandas as pd

_TEST_ROWS = 1000
_SPACE = "[ \u00a0\u202f]"  # the characters themselves: not every engine of patterns in pandas knows the escape \u
_PATTERNS = {
    # decimal mark, thousands mark: shape of every cell, and the shape that at least one cell must have to be certain
    (",", "."): (
        r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?",
        r"[+-]?(\d{1,3}(\.\d{3})+,\d+|0,\d+|\d+,\d{1,2}|\d+,\d{4,}|\d{4,},\d+|\d{1,3}(\.\d{3}){2,})",
    ),
    (".", ","): (r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?", r"[+-]?(\d{1,3}(,\d{3})+\.\d+|\d{1,3}(,\d{3}){2,})"),
    (".", " "): (
        rf"[+-]?(\d+|\d{{1,3}}({_SPACE}\d{{3}})+)([.,]\d+)?",
        rf"[+-]?\d{{1,3}}({_SPACE}\d{{3}})+([.,]\d+)?",
    ),
    (".", "'"): (r"[+-]?(\d+|\d{1,3}(['’]\d{3})+)(\.\d+)?", r"[+-]?\d{1,3}(['’]\d{3})+(\.\d+)?"),
}


def numbers_in_text(column: pd.Series) -> pd.Series | None:
    """The numbers of a text column whose cells all are numbers in one notation, or None where that isn't certain.

    "1.234,5" and "1 234.5" are certain; a column of nothing but "1,234" is not: it may mean 1.234 or 1234.
    """
    values = column.dropna()
    first = values.head(_TEST_ROWS).astype("str")
    for (decimal, thousands), (every, certain) in _PATTERNS.items():
        if not len(first) or not re.fullmatch(every, first.iloc[0]) or not first.str.fullmatch(every).all():
            continue  # Python's own pattern first: with many columns of texts it decides most of them at once
        text = values.astype("str")
        if text.str.fullmatch(every).all() and text.str.fullmatch(certain).any():
            marks = {" ": _SPACE, "'": "['’]"}.get(thousands, re.escape(thousands))
            plain = text.str.replace(marks, "", regex=True)
            if decimal == "," or thousands == " ":
                plain = plain.str.replace(",", ".", regex=False)
            return pd.to_numeric(plain).astype("float64").reindex(column.index)
    return None
