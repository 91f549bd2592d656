"""Checks of the signals of the channels: frozen ones, drifting ones, commands."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from ad_core.data.dataset import Column, ColumnKind, Dataset, Role, Schema
from ad_core.data.recordings.channels import as_numbers, some
from ad_core.data.recordings.level_shift import level_findings
from ad_core.data.recordings.timeline import Timeline, in_words, timeline
from ad_core.data.recordings.timestamps import Clock, ClockKind, time_texts

COMMAND = "A command: it is on or off."

MOST_DESCRIBED = 5
"""Maximum number of findings that are described, the clearest first; the others are only counted."""

FROZEN, TIMES_TYPICAL = 32, 20
"""Frozen: one value for at least FROZEN samples and TIMES_TYPICAL x the 90 % quantile of the channel's run lengths."""

END = 0.2
"""Share of the training samples at the beginning and at the end that are compared for drift."""
BLOCKS = 20
"""Number of blocks of time; the typical spread is the median over the spreads within them."""
DRIFTED = 1.0
"""Minimum change of the level of a drifting channel, in typical spreads (within one block of time)."""
SEGMENT = 64
"""Number of samples per mean where levels of the training rows are compared with the others."""

FEWEST = 200
"""Minimum number of training samples for a check of drift."""


def is_command(values: pd.Series) -> bool:
    """Whether a column of numbers or booleans is a command: it holds 0 and 1, both of them, and nothing else."""
    if not (pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)):
        return False
    if values.min() != 0 or values.max() != 1:  # a cheap check that excludes most columns
        return False
    return set(pd.unique(values.dropna())) == {0, 1}


def frozen(data: pd.DataFrame, schema: Schema, line: Timeline, clock: Clock) -> list[str]:
    """Sentences about channels that kept one value for long although they otherwise change all the time.

    A value that is kept for long repeatedly is a state, such as a pump at rest, and not reported. Channels that froze
    at the same time are reported together.
    """
    together: dict[tuple[int, int], list[str]] = {}
    for name, numbers in _signals(data, schema, line):
        begin, end = _runs(numbers, line.segment)
        length = end - begin
        typical = float(np.quantile(length, 0.9)) if len(length) else 0.0
        long = np.flatnonzero(length >= max(FROZEN, TIMES_TYPICAL * typical))
        values = pd.Series(numbers[begin[long]])
        for run in long[~values.duplicated(keep=False).to_numpy()]:
            shown = f"{name!r} at {numbers[begin[run]]:.6g}"
            together.setdefault((int(begin[run]), int(end[run])), []).append(shown)
    longest = sorted(together, key=lambda span: span[0] - span[1])
    sentences = []
    for first, last in longest[:MOST_DESCRIBED]:
        seconds = float(line.seconds[last - 1] - line.seconds[first])
        lasts = f"{last - first} samples" + ("" if clock.kind is ClockKind.ROW else f" ({in_words(seconds)})")
        since = time_texts(clock.time.iloc[[line.first[first]]]).iloc[0]
        sentences.append(
            f"Perhaps frozen for {lasts} from {since} on: {some(together[first, last], MOST_DESCRIBED)}; elsewhere "
            f"{'it changes' if len(together[first, last]) == 1 else 'they change'} all the time."
        )
    more = (
        [f"{len(longest) - MOST_DESCRIBED} more segments with frozen channels."]
        if len(longest) > MOST_DESCRIBED
        else []
    )
    return sentences + more


def drifts(dataset: Dataset, rows: np.ndarray) -> list[str]:
    """A sentence about the channels whose level at the end of some rows differs from that at their beginning.

    The level is the median over a fifth of a recording's samples. Its unit is the typical spread, the median of the
    interquartile range / 1.35 over twentieths of the time, so that the drift itself does not enlarge its own unit.

    Args:
        rows: (rows,) bool, the rows to check, such as the training rows.
    """
    if "time" not in dataset.rows:
        return []
    line = timeline(dataset.rows)
    chosen = np.zeros(len(line.first), dtype=bool)
    chosen[line.sample[rows & (line.sample >= 0)]] = True
    moved: list[tuple[float, str]] = []
    for name, numbers in _signals(dataset.data, dataset.schema, line):
        shifts = [_shift(numbers[chosen & (line.entity == entity)]) for entity in np.unique(line.entity[chosen])]
        shift = max(shifts, key=abs, default=0.0)
        if abs(shift) >= DRIFTED:
            moved.append((abs(shift), f"{name} ({shift:+.2g})"))
    if not moved:
        return []
    names = [name for _, name in sorted(moved, key=lambda one: -one[0])]
    return [
        f"The level drifts within the training rows; the last fifth against the first, in typical spreads: "
        f"{some(names, MOST_DESCRIBED)}. Later rows may lie outside the range of the training rows: choose recent ones."
    ]


def level_shifts(dataset: Dataset, rows: np.ndarray) -> list[str]:
    """Sentences about the channels whose level permanently left its range after these rows, and what to do.

    Args:
        rows: (rows,) bool, the training rows.
    """
    if "time" not in dataset.rows:
        return []
    line = timeline(dataset.rows)
    is_training = np.zeros(len(line.first), dtype=bool)
    is_training[line.sample[rows & (line.sample >= 0)]] = True
    shifts = []
    for name, numbers in _signals(dataset.data, dataset.schema, line):
        training, others = (_segment_means(numbers[chosen]) for chosen in (is_training, ~is_training))
        shifts += level_findings([name], training[:, None], others[:, None])
    open_question = [f for f in shifts if f.drifted and f.channel not in dataset.declared.judged_by]
    return [
        f"{finding.reason} If this is only drift, judge the channel by its shape; if it is a fault, by its level."
        for finding in open_question[:MOST_DESCRIBED]
    ]


def _segment_means(numbers: np.ndarray) -> np.ndarray:
    """(k,) means of consecutive blocks of SEGMENT known values."""
    known = numbers[np.isfinite(numbers)]
    whole = len(known) // SEGMENT * SEGMENT
    return np.asarray(known[:whole].reshape(-1, SEGMENT).mean(axis=1))


def command_notice(columns: Sequence[Column]) -> list[str]:
    """A sentence about the columns that are commands."""
    names = [column.name for column in columns if column.role is Role.FEATURE and column.reason == COMMAND]
    return [f"Treated as commands, on or off, because they hold only 0 and 1: {some(names)}."] if names else []


def _signals(data: pd.DataFrame, schema: Schema, line: Timeline) -> Iterator[tuple[str, np.ndarray]]:
    """Name and (samples,) values of the channels that are numbers."""
    for column in schema.columns:
        if column.role is Role.FEATURE and column.kind is ColumnKind.NUMBER and column.distinct > 2:
            yield column.name, as_numbers(data[column.name])[line.first]


def _runs(numbers: np.ndarray, segment: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Begin and end of the runs in which a channel keeps one known value."""
    if not len(numbers):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    new = np.ones(len(numbers), dtype=bool)
    new[1:] = (numbers[1:] != numbers[:-1]) | (np.diff(segment) != 0)
    begin = np.flatnonzero(new)
    end = np.append(begin[1:], len(numbers))
    known = np.isfinite(numbers[begin])
    return begin[known], end[known]


def _shift(numbers: np.ndarray) -> float:
    """Change of the level from beginning to end, in typical spreads; 0 where too little is known."""
    known = numbers[np.isfinite(numbers)]
    if len(known) < FEWEST:
        return 0.0
    blocks = np.array_split(known, BLOCKS)
    spread = float(np.median([np.subtract(*np.quantile(block, [0.75, 0.25])) for block in blocks])) / 1.35
    part = int(END * len(known))
    moved = float(np.median(known[-part:]) - np.median(known[:part]))
    return moved / spread if spread > 1e-9 * max(1.0, abs(float(np.median(known)))) else 0.0
