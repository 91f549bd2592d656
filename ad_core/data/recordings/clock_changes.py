"""Local clocks that are put forward or back by an hour: what is repeated or skipped is no gap and no disorder.

Times without a zone may be those of a wall clock. Where summer time ends an hour is written twice, where it begins one
is never written. In a file that is otherwise in order of time the rows tell: a step of an hour too many or too few,
over a full hour, in a night in which clocks are changed. From there on times are counted on the clock that the
recording began with.
"""

import numpy as np
import pandas as pd

HOUR = pd.Timedelta(hours=1)
LAST = 0
SUNDAYS = frozenset({(3, 2), (3, LAST), (4, 1), (9, 1), (9, LAST), (10, 1), (10, LAST), (11, 1)})
"""Month, and which of its Sundays: when clocks are changed in Europe, America, Australia and New Zealand."""
SUNDAY, NIGHT_ENDS = 6, 4
LATE = 2.0
"""The row after a change may be late by so many usual intervals in all."""
IN_ORDER = 0.99
"""Share of the other steps that must go forward: in a file without order a step back says nothing."""


def clock_change(before: pd.Timestamp, after: pd.Timestamp, interval_s: float) -> int:
    """How many hours a local clock was put between two rows that follow each other: 1 forward, -1 back, 0 not at all.

    Args:
        before, after: as written, without a zone.
        interval_s: the usual interval [s].
    """
    written = (after - before).total_seconds()
    for hours in (1, -1):
        passed = written - 3600.0 * hours
        is_nearer = abs(passed - interval_s) < abs(written - interval_s)
        if 0 < passed <= LATE * interval_s and interval_s <= 3600 and is_nearer and _is_the_night(before):
            next_hour = before.floor("h") + HOUR
            if (next_hour - before).total_seconds() <= passed:
                return hours
    return 0


def _is_the_night(time: pd.Timestamp) -> bool:
    which = LAST if time.day + 7 > time.days_in_month else (time.day + 6) // 7
    return time.day_of_week == SUNDAY and time.hour < NIGHT_ENDS and (time.month, which) in SUNDAYS


def without_clock_change(time: pd.Series, entity: pd.Series | None) -> tuple[pd.Series, list[str]]:
    """Times on the clock that each recording began with, and sentences about the changes.

    Args:
        time: (rows,) datetime64 without a zone, in the order of the file.
        entity: (rows,) the recording of each row; None = there is one.
    """
    hours = np.zeros(len(time))
    found: list[tuple[int, int]] = []
    known = np.flatnonzero(time.notna().to_numpy())
    each = (
        {"": known}
        if entity is None
        else {
            name: known[rows]
            for name, rows in entity.iloc[known].groupby(entity.iloc[known].to_numpy()).indices.items()
        }
    )
    for rows in each.values():
        for at, change in _changes(time.iloc[rows]):
            hours[rows[at:]] -= change
            found.append((int(rows[at]), change))
    if not found:
        return time, []
    return time + pd.to_timedelta(hours, unit="h"), [_in_words(found, time)]


def _changes(time: pd.Series) -> list[tuple[int, int]]:
    """Position of the first row after each change, and its hours."""
    steps = time.diff().dt.total_seconds().to_numpy()[1:]
    forward = steps[steps > 0]
    if not len(forward):
        return []
    usual = float(np.median(forward))
    passed = np.stack([steps - 3600, steps + 3600])
    possible = np.flatnonzero(((passed > 0) & (passed <= LATE * usual)).any(axis=0))
    found = [(int(at) + 1, clock_change(time.iloc[at], time.iloc[at + 1], usual)) for at in possible]
    found = [(at, change) for at, change in found if change]
    others = np.delete(steps, [at - 1 for at, _ in found])
    return found if not len(others) or (others >= 0).mean() >= IN_ORDER else []


def _in_words(found: list[tuple[int, int]], time: pd.Series) -> str:
    row, hours = min(found)
    how = (
        "skips an hour, as local clocks do when summer time begins"
        if hours > 0
        else ("repeats an hour, as local clocks do when summer time ends")
    )
    more = f", and {len(found) - 1} more such changes" if len(found) > 1 else ""
    return (
        f"The clock {how}, before row {row + 1} ({time.iloc[row].isoformat()}){more}. From there on, times are counted "
        f"on the clock of the recording's begin, so that order and intervals stay right; row ids keep them as written."
    )
