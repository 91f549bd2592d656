"""Contract of a reader: from the user's files to items, and the columns' roles on the way.

`open` looks at the files once and proposes a schema; the analyst may change it. `fit` learns scales and categories from
the rows that may train, and from them only; `frame` turns a data set into items with what was learnt.
"""

from typing import TYPE_CHECKING, Any

from ad_core.types import Modality

if TYPE_CHECKING:
    pass
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Generic

import numpy as np
import pandas as pd

from ad_core.data.dataset import Dataset, Declared
from ad_core.data.item_set import ItemSet
from ad_core.registry import Registry
from ad_core.settings import S_co, SettingsClass
from ad_core.types import ItemShape


class Reader(ABC, Generic[S_co]):
    """From files or frames to items. Once fitted it travels in the bundle as JSON and arrays, never as a pickle."""

    name: ClassVar[str]
    title: ClassVar[str]
    modalities: ClassVar[frozenset[Modality]]
    Settings: ClassVar[SettingsClass]

    def __init__(self, settings: S_co) -> None:
        self.settings = settings

    @classmethod
    @abstractmethod
    def open(cls, sources: Sequence[Path] | pd.DataFrame, declared: Declared) -> Dataset:
        """Look at the data and propose roles and kinds; `declared` wins over what is found out.

        Raises:
            DataError: the data can't be read, or nothing is left to learn from.
        """

    @abstractmethod
    def fit(self, dataset: Dataset, rows: np.ndarray) -> None:
        """Learn scales, categories and sizes from the chosen rows only.

        Args:
            rows: (rows,) bool.

        Raises:
            DataError: these rows can't teach anything (too few, all constant, ...).
        """

    @abstractmethod
    def item_set(self, dataset: Dataset) -> ItemSet:
        """Items of a data set, by what was learnt. The data set may be new: see `match` first."""

    @abstractmethod
    def match(self, dataset: Dataset) -> list[str]:
        """Compare a new data set with the one that was learnt from.

        Returns:
            Sentences about what differs but can be handled (extra columns, new categories, values out of range, a
            column
            of another order), for the analyst to read.

        Raises:
            DataError: it can't be scored (a used column is missing or of another type); names every such column.
        """

    @property
    @abstractmethod
    def shape(self) -> ItemShape:
        """Shape of the items, known after `fit`."""

    @abstractmethod
    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """All that was learnt, as JSON-able facts and arrays."""

    @abstractmethod
    def restore(self, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """The inverse of `state`."""


READERS: Registry[Reader] = Registry("reader", "ad_core.data.readers", "anomaly_lens.readers")


READER_OF: dict[Modality, str] = {Modality.TABLE: "table", Modality.IMAGE: "images", Modality.SENSOR: "sensor"}
