"""Colours of the points of a map, for plotly and for the canvas."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ad_core.theme import ALERT, CHOSEN, MUTED, NORMAL, shortened

FAR, FAR_WORDS = "#C25577", "position misleads: far from the others"
"""Colour and name of the ring around points with a misleading position."""

TINTS = (NORMAL, "#4F7CC4", "#B8922E", CHOSEN, "#C25577", "#5E9B4A", "#6E8790")
"""Colours of the most common values of a column; all others are MUTED."""

LEVELS, UNKNOWN = 255, 255
"""Number of steps of the colour scale for numbers; UNKNOWN is the code for a missing number."""


@dataclass(frozen=True)
class Colouring:
    """A colour for each point: groups with a name and a tint each, or numbers on a scale."""

    title: str
    codes: np.ndarray
    """(n,) uint8: the group; or the step on the scale, UNKNOWN where there is no number."""
    names: tuple[str, ...] = ()
    tints: tuple[str, ...] = ()
    """Parallel to names; both empty for numbers."""
    low: float = 0.0
    high: float = 1.0
    """Values at the ends of the scale; values beyond have the colour of the end."""
    values: np.ndarray | None = None
    """(n,) the numbers themselves; None for groups."""


def colouring(points: pd.DataFrame, colour: str) -> Colouring:
    """Colours by a column of the points; "alert" has the colours of normal rows and alerts."""
    title = shortened({"kept": "neighbours kept"}.get(colour, colour.removeprefix("data:")))
    values = points[colour]
    if colour == "alert":
        return Colouring(title, values.to_numpy(dtype=np.uint8), ("normal", "alert"), (NORMAL, ALERT))
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return _numbers(title, values.to_numpy(dtype=np.float64, na_value=np.nan))
    text = values.astype("string").fillna("(missing)")
    common = text.value_counts().index[: len(TINTS)]
    at = common.get_indexer(text)
    codes = np.where(at < 0, len(common), at).astype(np.uint8)
    others = ("(all others)",) if (at < 0).any() else ()
    tints = (*TINTS[: len(common)], *(MUTED for _ in others))
    return Colouring(title, codes, (*map(shortened, common), *others), tints)


def _numbers(title: str, values: np.ndarray) -> Colouring:
    known = values[np.isfinite(values)]
    low, high = map(float, np.quantile(known, [0.01, 0.995])) if len(known) else (0.0, 1.0)
    share = np.clip((values - low) / ((high - low) or 1.0), 0, 1)
    codes = np.where(np.isfinite(values), np.round(np.nan_to_num(share) * (LEVELS - 1)), UNKNOWN).astype(np.uint8)
    return Colouring(title, codes, low=low, high=high, values=values)
