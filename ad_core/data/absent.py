"""Columns of the training data that new data lack, where the analyst allows to score without them."""

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from ad_core.data.dataset import ColumnKind, Declared
from ad_core.data.tables.values import is_number_type, numbers

MOSTLY = 0.5
"""A number column with a larger share of unreadable cells has another type than in training."""
LISTED = 10
ALLOW = (
    "train without, or allow it to be missing (`--allow-missing`, in Python `detector.open(..., allow_missing=True)`, "
    "a box on the page Score file)"
)
"""What an analyst can do where data lack a column that the detector needs."""


def with_absent(data: pd.DataFrame, declared: Declared) -> tuple[pd.DataFrame, tuple[str, ...], list[str]]:
    """Add each used column that is missing, without a value; do the same to those that hold nothing that can be used.

    Args:
        declared: of the training data.

    Returns:
        The data, the names of these columns, and notices; all as they are unless `declared.allow_missing`.
    """
    if not declared.allow_missing:
        return data, (), []
    lacking = [name for name in declared.use if name not in data]
    unread = [name for name in declared.use if name in data and _changed_type(data[name], declared.kinds.get(name))]
    empty = [name for name in declared.use if name in data and name not in unread and data[name].isna().all()]
    names = (*lacking, *unread, *empty)
    notices = [
        f"{what}: {some(which)}. They are filled in from similar training rows, as you allowed; only the other columns "
        f"are scored."
        for what, which in (
            ("Columns that these data do not have", lacking),
            ("Columns of numbers that hold text here", unread),
            ("Columns that are empty here", empty),
        )
        if which
    ]
    nothing = pd.DataFrame(np.nan, index=data.index, columns=pd.Index([*lacking, *unread], dtype=object))
    kept = list(data.columns)
    return pd.concat([data.drop(columns=unread), nothing], axis=1)[[*kept, *lacking]], names, notices


def similar(absent: Sequence[str], columns: Iterable[str]) -> str:
    """Columns that are perhaps the missing ones under another name, as the end of a clause; "" without any."""
    found = [
        f"{column!r} for {name!r}"
        for name in absent
        for column in map(str, columns)
        if _plain(column) == _plain(name) and column not in absent
    ]
    return f" (they have {', '.join(found[:LISTED])}: rename what is the same)" if found else ""


def _plain(name: str) -> str:
    """A column name without its unit, in small letters, letters and digits only."""
    return re.sub(r"[\W_]+", "", re.sub(r"[\[(].*", "", name)).casefold() or name.casefold()


def _changed_type(values: pd.Series, kind: ColumnKind | None) -> bool:
    if kind is not ColumnKind.NUMBER or is_number_type(values):
        return False
    bad = numbers(values)[1]
    return bool(bad.sum() > MOSTLY * int(values.notna().sum()))


def some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    return ", ".join(map(repr, names[:LISTED])) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")
