"""What would make a case normal, in plain sentences."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ad_core.explain.counterfactual.search import MOST_PARTS
from ad_core.types import ItemShape, Modality

UNITS = {Modality.TABLE: "row", Modality.IMAGE: "image", Modality.SENSOR: "window"}
PARTS = {Modality.TABLE: "column", Modality.IMAGE: "region", Modality.SENSOR: "channel"}
NUMBERS = {1: "one", 2: "two", 3: "three"}

SMOOTH = "its surroundings"
"""Name of the source of a region that is filled smoothly instead of from another image."""


@dataclass(frozen=True)
class Description:
    """One changed part in the user's terms: a cell with old and new value, or a region or segment and its source."""

    part: str
    value: Any = None
    to: Any = None
    as_in: str | None = None
    t0: Any = None
    t1: Any = None
    y0: int | None = None
    y1: int | None = None
    x0: int | None = None
    x1: int | None = None

    def facts(self) -> dict[str, Any]:
        """As JSON-able facts, without those that do not apply."""
        if self.as_in is None:
            return {"part": self.part, "value": plain(self.value), "to": plain(self.to)}
        place = {name: plain(getattr(self, name)) for name in ("t0", "t1", "y0", "y1", "x0", "x1")}
        return {"part": self.part, "as_in": self.as_in, **{k: v for k, v in place.items() if v is not None}}

    def in_words(self) -> str:
        """Such as `hour 3 → 11`."""
        if self.as_in is None:
            return f"{self.part} {short(self.value)} → {short(self.to)}"
        if self.t0 is not None:
            return (
                f"{self.part} from {_clock(self.t0)} to {_clock(self.t1)} as in the normal window around {self.as_in}"
            )
        like = f"smoothly from {SMOOTH}" if self.as_in == SMOOTH else f"as in {self.as_in}"
        return f"area {self.part} [px] filled {like}"


def described(changes: Sequence[Description]) -> str:
    """All changes in one line; channels with the same change are named together."""
    alike: dict[tuple[Any, ...], list[Description]] = {}
    for number, change in enumerate(changes):
        same = (change.as_in, change.t0, change.t1) if change.t0 is not None else (number,)
        alike.setdefault(same, []).append(change)
    return ", ".join(replace(some[0], part=_listed([one.part for one in some])).in_words() for some in alike.values())


def sentence_of(
    shape: ItemShape,
    *,
    normal_again: bool | None = None,
    free: int = 0,
    moves: int = 0,
    begin: float = np.nan,
    lowest: tuple[float, str] | None = None,
) -> str:
    """Why there is no counterfactual.

    Args:
        normal_again: None = it is an alert; else whether it was one and is normal when scored again.
        free: parts that may be changed.
        moves: number of values to try.
        begin: score from which on it is an alert.
        lowest: the lowest score that was reached, and by which change.
    """
    unit, part = UNITS[shape.modality], PARTS[shape.modality]
    if normal_again is not None:
        if shape.modality is Modality.SENSOR:
            return "The window around this time stamp is no alert by itself, so there is nothing to change in it."
        if not normal_again:
            return f"This {unit} is no alert by the rule in force, so there is nothing to change."
        again = "Scored again by the detector that was trained on it"
        return f"{again}, this {unit} is normal, so there is nothing to change."
    if shape.modality is not Modality.IMAGE and free == 0:
        return f"Every {part} is marked as fixed, so nothing may change. Free at least one."
    if not moves:
        why = {
            Modality.IMAGE: "its anomaly map has no region that stands out",
            Modality.TABLE: "the nearest normal rows have the same values in every column that may change",
            Modality.SENSOR: "the nearest normal windows are the same in every channel that may change",
        }[shape.modality]
        return f"There is nothing to try: {why}."
    most = min(MOST_PARTS, free) if shape.modality is not Modality.IMAGE else MOST_PARTS
    amount = f"up to {NUMBERS[most]} {part}s" if most > 1 else f"its one free {part}"
    text = f"No change of {amount} makes this {unit} normal."
    if lowest is None:
        return f"{text} Nothing that was tried lowers its score."
    score, how = lowest
    if score < begin:
        return f"{text} A score below {begin:.3g} was reached, but far from all normal {unit}s: {how}."
    return f"{text} The lowest score that was reached is {score:.3g}, an alert from {begin:.3g} on: {how}."


def short(value: Any) -> str:
    """A cell as text for people."""
    if (
        value is None
        or value is pd.NaT
        or value is pd.NA
        or (isinstance(value, float | np.floating) and np.isnan(value))
    ):
        return "(missing)"
    if isinstance(value, bool | np.bool_):
        return str(value)
    if isinstance(value, pd.Timestamp):
        return str(value.date()) if value == value.normalize() else str(value)
    if isinstance(value, int | float | np.number):
        number = float(value)
        return f"{number:,.0f}" if number == int(number) else f"{number:,.6g}"
    return str(value)


def plain(value: Any) -> Any:
    """The value as a JSON type."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and not np.isfinite(value)):
        return None
    return value if isinstance(value, str | int | float | bool) else str(value)


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _clock(moment: Any) -> str:
    return str(pd.Timestamp(moment)) if isinstance(moment, np.datetime64 | pd.Timestamp) else f"{moment:g}"
