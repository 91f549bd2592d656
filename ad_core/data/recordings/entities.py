"""Find the column that tells several recordings in one file apart, by its name, its values and the clock."""

import re

import numpy as np
import pandas as pd

from ad_core.data.recordings.timestamps import read_clock
from ad_core.errors import DataError

ENTITY_NAMES = re.compile(
    r"(?i)^(entity|device|machine|unit|pump|engine|asset|sensor|recording|series|subject|patient|vehicle|station|turbine|host|server|node)"
    r"([ _-]?(id|no|nr|name|number))?$"
)
SWITCHES = (
    {"on", "off"},
    {"true", "false"},
    {"yes", "no"},
    {"open", "closed"},
    {"run", "stop"},
    {"running", "stopped"},
)
"""Pairs of values that are never two recordings."""
FORWARD = 0.9
"""Minimum share of steps of a recording in which its clock runs forward."""
RUN = 3
"""Minimum mean length of runs of one value for them to be states; recordings in turn have runs of one row."""


def entity_column(data: pd.DataFrame, without: set[str], time: str | None) -> tuple[str | None, list[str]]:
    """The column that identifies recordings, and sentences about columns that only have such a name.

    Two values are those of a switch more often than of two recordings: they need the proof of a clock that starts
    again. More values only must not switch to and fro while one clock runs on.

    Args:
        without: columns that it can't be.
        time: the time column.
    """
    told: list[str] = []
    for name in data.columns:
        values = data[name]
        if name in without or not ENTITY_NAMES.match(name) or pd.api.types.is_float_dtype(values):
            continue
        distinct = values.nunique()
        if not 2 <= distinct <= len(values) / 20:
            continue
        if _is_entity(values, distinct, None if time is None else data[time]):
            return str(name), told
        told.append(
            f"{name!r} is not taken as the name of recordings, as its {distinct} values look like states of one. If "
            f"it tells recordings apart, declare it as the entity: --entity {name}, entity={name!r}, or its role on "
            f"the Data page."
        )
    return None, told


def _is_entity(values: pd.Series, distinct: int, time: pd.Series | None) -> bool:
    codes = pd.factorize(values)[0]
    seconds = None if time is None else _seconds(time)
    if distinct == 2:
        is_switch = {str(value).strip().lower() for value in values.dropna().unique()} in SWITCHES
        return seconds is not None and not is_switch and not _runs_on(seconds) and _each_runs_on(seconds, codes)
    runs = 1 + int((codes[1:] != codes[:-1]).sum())
    switches = runs > distinct and len(codes) >= RUN * runs
    return seconds is None or not (switches and _runs_on(seconds))


def _seconds(time: pd.Series) -> np.ndarray | None:
    """(rows,) float64, NaN where unknown; None where the clock can't be read."""
    try:
        read = read_clock(time, str(time.name)).time
    except DataError:
        return None
    if pd.api.types.is_datetime64_dtype(read):
        read = (read - read.min()).dt.total_seconds()
    return np.asarray(read.to_numpy(dtype=np.float64, na_value=np.nan))


def _runs_on(seconds: np.ndarray) -> bool:
    """Whether no time stamp repeats and the clock never starts again."""
    known = seconds[~np.isnan(seconds)]
    return len(np.unique(known)) == len(known) and bool((np.diff(known) > 0).mean() >= 1 - 1e-3)


def _each_runs_on(seconds: np.ndarray, codes: np.ndarray) -> bool:
    """Whether the clock runs forward within each value."""
    steps = np.concatenate([np.diff(seconds[codes == code]) for code in range(codes.max() + 1)])
    steps = steps[~np.isnan(steps)]
    return bool(len(steps) and (steps > 0).mean() >= FORWARD)
