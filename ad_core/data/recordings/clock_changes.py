"""Local clocks that are put forward or back by an hour: the repeated or skipped hour is no gap and no disorder.

Times without a zone may be those of a wall clock. Where summer time ends, an hour is written twice; where it begins,
one is missing. In a file that is otherwise in order of time, a change is recognised by a step that is an hour too long
or too short, across a full hour, in a night in which clocks are changed. From there on, times are counted on the clock
that the recording began with.
"""

import numpy as np
import pandas as pd

HOUR = pd.Timedelta(hours=1)
LAST = 0
SUNDAYS = frozenset({(3, 2), (3, LAST), (4, 1), (9, 1), (9, LAST), (10, 1), (10, LAST), (11, 1)})
"""Month, and which of its Sundays: when clocks are changed in Europe, America, Australia and New Zealand."""
SUNDAY, NIGHT_ENDS = 6, 4
LATE = 2.0
"""Maximum time from the row before a change to the row after it, in typical intervals."""
IN_ORDER = 0.99
"""Minimum share of the other steps that go forward: in an unordered file a step back is no evidence."""


def clock_change(before: pd.Timestamp, after: pd.Timestamp, interval_s: float) -> int:
    """By how many hours a local clock was put between two consecutive rows: 1 forward, -1 back, 0 not at all.

    Args:
        before, after: as written, without a zone.
        interval_s: the typical interval [s].
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
    changes: list[tuple[int, int]] = []
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
            changes.append((int(rows[at]), change))
    if not changes:
        return time, []
    return time + pd.to_timedelta(hours, unit="h"), [_in_words(changes, time)]


def _changes(time: pd.Series) -> list[tuple[int, int]]:
    """Position of the first row after each change, and its hours."""
    steps = time.diff().dt.total_seconds().to_numpy()[1:]
    forward = steps[steps > 0]
    if not len(forward):
        return []
    typical = float(np.median(forward))
    passed = np.stack([steps - 3600, steps + 3600])
    possible = np.flatnonzero(((passed > 0) & (passed <= LATE * typical)).any(axis=0))
    changes = [(int(at) + 1, clock_change(time.iloc[at], time.iloc[at + 1], typical)) for at in possible]
    changes = [(at, change) for at, change in changes if change]
    others = np.delete(steps, [at - 1 for at, _ in changes])
    return changes if not len(others) or (others >= 0).mean() >= IN_ORDER else []


def _in_words(changes: list[tuple[int, int]], time: pd.Series) -> str:
    row, hours = min(changes)
    how = (
        "skips an hour, as local clocks do when summer time begins"
        if hours > 0
        else ("repeats an hour, as local clocks do when summer time ends")
    )
    more = f", and {len(changes) - 1} more such changes" if len(changes) > 1 else ""
    return (
        f"The clock {how}, before row {row + 1} ({time.iloc[row].isoformat()}){more}. From there on, times are counted "
        f"on the clock at the start of the recording, so that order and intervals are right; row ids are as written."
    )
