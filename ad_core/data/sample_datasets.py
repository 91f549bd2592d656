"""The small data sets that ship with the product, in its folder `sample_data/`."""

from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from ad_core.data.product_files import product_folder
from ad_core.errors import DataError
from ad_core.types import Modality

FOLDER = product_folder() / "sample_data"


class Sample(BaseModel):
    """A data set that ships with the product: its files, meaning, origin and licence."""

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    modality: Modality
    train: tuple[Path, ...]
    """Files or folders of the training data."""
    new: tuple[Path, ...] = ()
    """Files or folders of a later time, to be scored by the trained detector."""
    declared: dict[str, Any] = {}
    """Arguments of `open_dataset`, such as the roles of columns."""
    about: str
    anomalous: str
    """What counts as anomalous here."""
    origin: str
    licence: str
    units: str = ""
    synthetic: bool
    rows: int


@cache
def samples() -> tuple[Sample, ...]:
    """All samples, the three of the home page first; empty where the package is installed without its samples."""
    index = FOLDER / "samples.json"
    if not index.exists():
        return ()
    listed = TypeAdapter(list[Sample]).validate_json(index.read_bytes())
    return tuple(
        s.model_copy(update={"train": tuple(FOLDER / p for p in s.train), "new": tuple(FOLDER / p for p in s.new)})
        for s in listed
    )


def sample(name: str) -> Sample:
    """One sample by name.

    Raises:
        DataError: there is none of that name.
    """
    for candidate in samples():
        if candidate.name == name:
            return candidate
    raise DataError(f"There is no sample {name!r}. There is: {', '.join(s.name for s in samples())}.")
