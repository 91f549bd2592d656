"""Numbers as they are written, for libraries that would take them for times."""

import numbers

import pandas as pd


def written(values: pd.Series) -> pd.Series:
    """The cells with numbers as texts; pandas would take them for times since 1970."""
    if not (pd.api.types.is_numeric_dtype(values) or values.dtype == object):
        return values
    cells = values.astype("object")
    return cells.map(lambda cell: str(cell) if isinstance(cell, numbers.Real) else cell, na_action="ignore")
