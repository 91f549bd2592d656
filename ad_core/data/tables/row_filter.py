"""Choose training rows by the analyst's `COLUMN=VALUE` texts."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from ad_core.errors import DataError


def fulfils(data: pd.DataFrame, only: Iterable[str]) -> np.ndarray:
    """(rows,) bool: the rows that fulfil all conditions.

    Args:
        only: texts such as `split=0` or `line=A`; compared as numbers where both are numbers, else as text.

    Raises:
        DataError: a condition can't be read, names no column, or no row fulfils all of them.
    """
    chosen, only = np.ones(len(data), dtype=bool), list(only)
    for text in only:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or name not in data.columns:
            known = ", ".join(map(str, data.columns[:30]))
            raise DataError(f"{text!r} chooses no rows: write it as COLUMN=VALUE. The columns are: {known}.")
        column = data[name]
        same = (column.astype(str) == value).to_numpy(dtype=bool, na_value=False)
        if pd.api.types.is_numeric_dtype(column):
            number = pd.to_numeric(pd.Series([value.lower()]).replace({"true": "1", "false": "0"}), errors="coerce")[0]
            same = same | (column == number).to_numpy(dtype=bool, na_value=False)
        chosen &= same
    if only and not chosen.any():
        raise DataError(f"No row fulfils {' and '.join(only)}. Check the values for spelling.")
    return chosen
