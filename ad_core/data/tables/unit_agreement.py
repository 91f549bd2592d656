"""Columns of a new file in the units of the training data: the same, converted, assumed and said, or refused."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ad_core.data.files.reading import Reading
from ad_core.data.files.units import conversion, unit
from ad_core.data.tables.kind_inference import unit_of
from ad_core.errors import DataError


def in_wanted_units(
    frame: pd.DataFrame, units: Mapping[str, str], reading: Reading, source: str
) -> tuple[pd.DataFrame, dict[str, str], list[str]]:
    """The frame in the units that are wanted, its units, and what to say of it.

    Args:
        units: units of the frame's columns, as its cells or a line of units give them.

    Raises:
        DataError: a column is in a unit that can't be converted into the one that is wanted.
    """
    now, said, changed = dict(units), [], {}
    for name, want in reading.units.items():
        if name not in frame.columns or name in reading.texts:
            continue
        have = units.get(name) or unit_of(name) or ""
        change = conversion(have, want)
        now[name] = want or have
        if have == want:
            continue
        if not have:
            said.append(f"{name!r} has no unit in {source}; it was taken as {want}, as in {reading.like}.")
        elif change is None and unit(have) and unit(want):
            raise DataError(
                f"{name!r} is in {have} in {source}, but in {want} in {reading.like}, and one can't be converted into "
                f"the other. Convert the column, or leave it out."
            )
        elif change is None:
            other = f"in {want}" if want else "without a unit"
            said.append(f"{name!r} is in {have} in {source} and {other} in {reading.like}; nothing was converted.")
        elif change != (1.0, 0.0):
            changed[name] = _converted(frame[name], *change)
            said.append(f"{name!r} is in {have} in {source}; it was converted into {want}, as in {reading.like}.")
    return (frame.assign(**changed) if changed else frame), {n: u for n, u in now.items() if u}, said


def _converted(values: pd.Series, factor: float, offset: float) -> pd.Series:
    """The numbers of a column in another unit; cells that are none stay as they are."""
    if pd.api.types.is_numeric_dtype(values):
        return values.astype("float64") * factor + offset
    numbers = pd.to_numeric(values.astype(object), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    texts = [repr(float(n * factor + offset)) for n in numbers]
    return values.where(np.isnan(numbers), pd.Series(texts, index=values.index, dtype="str"))
