"""Channels in which only a new value counts: commands with few states, texts with few states, and empty channels.

A command also has a channel that methods learn from, in which a state that was never seen may lie between the others.
Texts with several states and empty channels have none. Each has an entry of an item that is 0 until a value occurs that
the training rows never held.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from ad_core.data.dataset import Column, ColumnKind, Dataset, Role
from ad_core.data.recordings.channels import Channel, some
from ad_core.data.recordings.timeline import Timeline
from ad_core.data.tables.encoding import cells_of
from ad_core.data.tables.watched_encoding import WatchedEncoding, learn_watched

MOST_STATES = 8
"""Maximum number of states of a command; a measured value that is rounded has more."""

MANY, SEVERAL = 25, 3
"""Number of constant channels from which on changes are expected, and of single changes that are taken as evidence."""

FEWEST_SAMPLES, SMALLEST_SHARE = 20, 0.01
"""Minimum number of samples in each state of a command, and their minimum share."""


class WatchedChannel(BaseModel):
    """A channel whose new values count."""

    model_config = ConfigDict(frozen=True)

    values: WatchedEncoding
    """The values of the training rows; of two-valued texts their codes."""
    channel: int | None = None
    """Position of the channel that methods learn from; None where there is none."""

    @property
    def name(self) -> str:
        return self.values.name

    def of_numbers(self, numbers: np.ndarray) -> np.ndarray:
        """(samples,) how new each value of a command is: 0 where it is missing or known."""
        return np.asarray(np.nan_to_num(np.abs(self.values.farther(numbers))))

    def of_cells(self, cells: pd.Series) -> np.ndarray:
        """(rows,) how new each cell of another channel is: 0 where it is missing or known."""
        return np.asarray(np.abs(self.values.encode(cells)[:, 0]))

    def of_cell(self, cell: Any) -> float:
        """One cell as `of_cells` would read it."""
        return float(self.of_cells(pd.Series([cell], dtype=object))[0]) if cell is not None else 0.0

    def in_rows(self, data: pd.DataFrame, channels: Sequence[Channel]) -> np.ndarray:
        """(rows,) how new the value of each row is; 0 where the data do not have the channel."""
        if self.name not in data:
            return np.zeros(len(data))
        if self.channel is None:
            return self.of_cells(data[self.name])
        return self.of_numbers(channels[self.channel].numbers(data[self.name]))

    def differences(self, data: pd.DataFrame, channels: Sequence[Channel]) -> list[str]:
        """A sentence about the new values of a recording, or that it does not have the channel."""
        if self.name not in data:
            return [f"{self.name!r} is not in these data, so no change of it can be seen."]
        rows = np.flatnonzero(self.in_rows(data, channels))
        return [new_values(self.name, self.values.held, data[self.name], rows)] if len(rows) else []


def new_values(name: str, held: str, cells: pd.Series, rows: np.ndarray) -> str:
    """A sentence about cells that hold what the training rows never held."""
    return f"{name!r} {held}. Another value, which raises the score, is in {cells_of(cells, rows)}."


def in_samples(
    watched: Sequence[WatchedChannel], data: pd.DataFrame, channels: Sequence[Channel], line: Timeline
) -> np.ndarray:
    """(samples, watched) float32: how new the value of each sample is."""
    found = [one.in_rows(data, channels)[line.first] for one in watched]
    return np.column_stack(found).astype(np.float32) if found else np.zeros((len(line.first), 0), dtype=np.float32)


def learn_watched_channels(
    dataset: Dataset, training: np.ndarray, channels: Sequence[Channel], is_resampled: bool
) -> tuple[tuple[WatchedChannel, ...], list[str]]:
    """The channels whose new values count, those that methods don't learn from first; and notices.

    Args:
        training: (k,) positions of the training rows.
        channels: those that methods learn from.
        is_resampled: whether samples are interpolated, so that values occur that nothing has measured.
    """
    known = {channel.name: i for i, channel in enumerate(channels)}
    columns = [c for c in dataset.schema.columns if c.role is Role.WATCHED or c.role is Role.FEATURE]
    apart, left_out, commands = [], [], []
    for column in columns:
        cells = dataset.data[column.name].iloc[training]
        if column.name in known:
            values = None if is_resampled else _states(column, channels[known[column.name]], cells)
            commands += [] if values is None else [WatchedChannel(values=values, channel=known[column.name])]
        elif (found := None if is_resampled else learn_watched(column, cells, None)) is not None:
            apart.append(WatchedChannel(values=found))
        else:
            left_out.append(column.name)
    notices = []
    if apart:
        notices.append(
            f"Nothing can be learnt from {some([one.name for one in apart])}, but a value that the training rows never "
            f"held is an alarm."
        )
    if commands:
        notices.append(
            f"Only a few states in the training rows, so another one is an alarm: "
            f"{some([one.name for one in commands])}."
        )
    if left_out:
        why = "empty or text in resampled recordings" if is_resampled else "text that is ever new"
        notices.append(f"Left out, because they are {why}: {some(left_out)}.")
    return (*apart, *commands), notices


def novelty(numbers: Sequence[np.ndarray], constant: int, window: int) -> float:
    """Estimated share of normal windows in which a channel changes that is constant so far.

    By the windows in which a channel leaves its usual value for the only time (leave-one-out), if there are several.
    Where MANY channels are constant, 1: sooner or later one of them changes, as rare commands do.

    Args:
        numbers: (samples,) of each channel that varies, in the order of time.
        constant: number of channels that don't.
        window: length of a window [samples].
    """
    single, windows = set[int](), max(1.0, max(map(len, numbers), default=0) / window)
    for values in numbers:
        same = values[0] if len(values) > 2 and (values[:3] == values[0]).sum() > 1 else np.nan
        away = np.flatnonzero(np.isfinite(values) & (values != same))
        if np.isfinite(same) and len(away) and len(away) == away[-1] - away[0] + 1:
            single.add(int(away[0]) // window)
    if constant >= MANY:
        return 1.0
    return min(1.0, len(single) / windows) if len(single) >= SEVERAL else 0.0


def _states(column: Column, channel: Channel, cells: pd.Series) -> WatchedEncoding | None:
    """The states of a command; None for other channels, and where only the shape of a channel counts."""
    if channel.is_constant or channel.judged_by == "shape":
        return None
    numbers = channel.numbers(cells)
    states, counts = np.unique(numbers[np.isfinite(numbers)], return_counts=True)
    enough = max(FEWEST_SAMPLES, SMALLEST_SHARE * counts.sum())
    if len(states) > MOST_STATES or counts.min() < enough:
        return None
    as_numbers = column.model_copy(update={"kind": ColumnKind.NUMBER})
    return learn_watched(as_numbers, pd.Series(numbers), None)
