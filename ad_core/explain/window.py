"""A window of a recording in the user's terms: clock, units and columns."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from ad_core.data.dataset import Dataset
from ad_core.data.item_set import ItemSet
from ad_core.data.reader import Reader

NAMED = 3
"""Maximum number of columns that are named for a channel that several share, the most changed first."""


@dataclass(frozen=True)
class Window:
    """One item of a recording, and the user's rows behind it."""

    reader: Reader
    data: pd.DataFrame
    """(time,) rows of `Dataset.data`."""
    times: pd.Series
    """(time,) of each sample."""
    is_resampled: bool
    """Whether its values are interpolated between rows, so that no cell holds them."""
    entity: str | None
    """The recording that it is cut from."""

    @classmethod
    def of(cls, reader: Reader, dataset: Dataset, item_set: ItemSet, item: int) -> Self:
        """The window of one item.

        Args:
            item_set: of this data set.
            item: position in it.
        """
        start = int(item_set.items["start"].iloc[item])
        rows = item_set.row_of_sample()[start : start + item_set.span]
        if item_set.times is None:
            times = item_set.rows["time"].iloc[rows]
        else:
            times = item_set.times.iloc[start : start + item_set.span]
        entity = str(item_set.rows["entity"].iloc[rows[0]]) if "entity" in item_set.rows else None
        return cls(reader, dataset.data.iloc[rows], times, item_set.times is not None, entity)

    def label(self, channel: int) -> str:
        """The name of a channel; where several columns share it, also those of them that changed in this window."""
        name = self.reader.shape.parts.names[channel]
        behind = [column for column in self.reader.columns_behind(channel, self.data, self.entity) if column != name]
        return f"{name}: {', '.join(behind[:NAMED])}" if behind else name

    def actual(self, channel: int, values: np.ndarray) -> np.ndarray:
        """(time,) the measured values; the interpolated ones after resampling.

        Args:
            values: (time,) the channel as it is in the item.
        """
        if self.is_resampled:
            return self.in_units(channel, values)
        return self.reader.measured(channel, self.data, self.entity)

    def in_units(self, channel: int, values: np.ndarray) -> np.ndarray:
        """(time,) values of an item's channel in the user's unit."""
        return self.reader.channel_in_units(channel, values, self.entity)

    def expected(self, channel: int, values: np.ndarray, *, follows_level: bool) -> np.ndarray:
        """(time,) what a model expected of a channel, in the user's unit; see `Reader.course_in_units`."""
        return self.reader.course_in_units(channel, values, self.entity, follows_level=follows_level)
