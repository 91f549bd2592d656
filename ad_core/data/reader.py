"""Contract of a reader: from the user's files to items, and from items back to the user's units.

`open` reads the files once and proposes a schema; the analyst may change it. `fit` learns scales and categories from
the training rows only; `item_set` applies them to a data set. Explanations and events ask the reader for units, columns
and the time axis, so that they need not know which reader it is.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic

import numpy as np
import pandas as pd

from ad_core.data.dataset import Dataset, Declared
from ad_core.data.item_set import ItemSet
from ad_core.data.limits import Limits
from ad_core.registry import Registry
from ad_core.settings import S_co, SettingsClass
from ad_core.types import ItemShape, Modality


@dataclass(frozen=True)
class EventsGap:
    """Maximum number of rows without an alert between two alerts of one event."""

    rows: int
    windows: float
    """The setting behind it, in multiples of the window length."""


class Reader(ABC, Generic[S_co]):
    """Turns files or tables into items. Once fitted it is saved in the bundle as JSON and arrays, never as a pickle."""

    name: ClassVar[str]
    title: ClassVar[str]
    modalities: ClassVar[frozenset[Modality]]
    Settings: ClassVar[SettingsClass]

    def __init__(self, settings: S_co) -> None:
        self.settings = settings

    @classmethod
    @abstractmethod
    def open(cls, sources: Sequence[Path] | pd.DataFrame, declared: Declared) -> Dataset:
        """Read the data and propose roles and kinds of columns; `declared` has priority over what is inferred.

        Raises:
            DataError: the data can't be read, or no column or image can be used.
        """

    @abstractmethod
    def fit(self, dataset: Dataset, rows: np.ndarray) -> None:
        """Learn scales, categories and sizes from the chosen rows only.

        Args:
            rows: (rows,) bool.

        Raises:
            DataError: nothing can be learnt from these rows (too few, all constant, ...).
        """

    @abstractmethod
    def item_set(self, dataset: Dataset) -> ItemSet:
        """Items of a data set, scaled and encoded as in training. Call `match` first where the data set is new."""

    @abstractmethod
    def match(self, dataset: Dataset) -> list[str]:
        """Compare a new data set with the training data.

        Returns:
            Sentences for the analyst about differences that can be handled: extra columns, new categories, values out
            of range, columns in another order.

        Raises:
            DataError: it can't be scored, because used columns are missing or of another type; names all of them.
        """

    @property
    @abstractmethod
    def shape(self) -> ItemShape:
        """Shape of the items, known after `fit`."""

    @abstractmethod
    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Everything that `fit` learnt, as JSON-able facts and arrays."""

    @abstractmethod
    def restore(self, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """The inverse of `state`."""

    def channel_in_units(self, channel: int, values: np.ndarray, entity: str | None = None) -> np.ndarray:  # noqa: ARG002
        """Values of one channel of windows or images in the user's unit; by default as they are in the item.

        Args:
            channel: position in `shape.parts.names`.
            values: as they are in items, of any shape.
            entity: the recording that they come from, where each recording has its own scale.

        Returns:
            float64 of the same shape.
        """
        return np.asarray(values, dtype=np.float64)

    def course_in_units(
        self,
        channel: int,
        values: np.ndarray,
        entity: str | None = None,
        *,
        follows_level: bool = False,  # noqa: ARG002
    ) -> np.ndarray:
        """(time,) what a model expected of a channel of a window, in the user's unit.

        Args:
            follows_level: whether the model expects any level that the window has.
        """
        return self.channel_in_units(channel, values, entity)

    def expected_in_units(self, part: int, encoded_entries: np.ndarray) -> list[str | float]:
        """Entries of one part, encoded or predicted, in the user's own unit; by default each is a value of a channel.

        Args:
            part: position in `shape.parts.names`.
            encoded_entries: (k, entries of the part).

        Returns:
            k values.
        """
        first = np.asarray(encoded_entries)[:, 0]
        return [float(value) for value in self.channel_in_units(part, first)]

    def measured(self, part: int, data: pd.DataFrame, entity: str | None = None) -> np.ndarray:  # noqa: ARG002
        """(rows,) float64: the user's values of one part, in its unit; NaN where a row has no number.

        By default that is the column with the part's name.

        Args:
            data: some rows of `Dataset.data`.
        """
        name = self.shape.parts.names[part]
        cells = data[name] if name in data else pd.Series(np.nan, index=data.index)
        return np.asarray(pd.to_numeric(cells, errors="coerce"), dtype=np.float64)

    def columns_behind(self, part: int, data: pd.DataFrame, entity: str | None = None) -> list[str]:  # noqa: ARG002
        """The user's columns that determine a part in these rows, the largest share first; by default its own name."""
        return [self.shape.parts.names[part]]

    @property
    def limits(self) -> Limits | None:
        """What the training rows never left, known after `fit`; None where items are learnt from as they are."""
        return None

    @property
    def has_clock(self) -> bool:
        """Whether differences of times are durations [s]; False where rows have no time or only a number."""
        return False

    def events_gap(self, item_set: ItemSet) -> EventsGap:  # noqa: ARG002
        """Maximum gap between alarms of one event; by default every run of consecutive alarms is its own event."""
        return EventsGap(rows=0, windows=0.0)


READERS: Registry[Reader] = Registry("reader", "ad_core.data.readers", "anomaly_lens.readers")
"""All readers by name."""

READER_OF: dict[Modality, str] = {Modality.TABLE: "table", Modality.IMAGE: "images", Modality.SENSOR: "sensor"}
"""The reader of each kind of data."""
