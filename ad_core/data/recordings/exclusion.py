"""Times excluded from training, such as known downtime: texts are parsed and matched to rows."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ad_core.data.recordings.channels import some
from ad_core.data.recordings.timestamps import ClockKind, read_time
from ad_core.errors import DataError

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
"""As the end of a range, a day without an hour lasts until midnight."""


def parse_range(text: str) -> tuple[str, ...]:
    """`FROM..TO` or `FROM..TO@ENTITY` -> (from, to) or (from, to, entity), as `Declared.exclude` takes them.

    Raises:
        DataError: there is no `..` in it, or nothing on a side of it.
    """
    begin, dots, rest = text.partition("..")
    end, _, entity = rest.partition("@")
    parts = tuple(part.strip() for part in (begin, end, entity) if part.strip())
    if not dots or not begin.strip() or not end.strip():
        raise DataError(f"{text!r} is not a range of time. Write FROM..TO, such as 2024-03-01T08:00..2024-03-01T12:00.")
    return parts


def excluded(time: pd.Series, entity: pd.Series | None, ranges: Sequence[Sequence[str]], kind: ClockKind) -> np.ndarray:
    """(rows,) bool: rows within any of the ranges, both ends included.

    Args:
        time: (rows,) as written in the file.
        entity: (rows,) the recording of each row, as text; None = there is one.
        ranges: (from, to) or (from, to, entity); without an entity all recordings are meant.

    Raises:
        DataError: a time can't be read, a range ends before it begins or holds no row, or there is no such recording.
    """
    inside_any = np.zeros(len(time), dtype=bool)
    for begin, end, *names in ranges:
        low: Any = read_time(begin, kind)[0]
        high: Any = read_time(end, kind)[0]
        if high < low:
            raise DataError(f"The range from {begin} to {end} ends before it begins. Swap its ends.")
        is_day = kind is ClockKind.DATE and DAY.fullmatch(end.strip())
        before_end = time < high + pd.Timedelta(days=1) if is_day else time <= high
        inside = np.asarray((time >= low) & before_end, dtype=bool)
        if names:
            known = [] if entity is None else entity.dropna().unique().tolist()
            if names[0] not in known:
                raise DataError(f"There is no recording {names[0]!r} to exclude times of. There is: {some(known)}.")
            inside = inside & np.asarray(entity == names[0], dtype=bool)
        if not inside.any():
            where = f" of {names[0]}" if names else ""
            raise DataError(
                f"No row{where} lies between {begin} and {end}. The recording lasts from {time.min()} to {time.max()}."
            )
        inside_any |= inside
    return inside_any
