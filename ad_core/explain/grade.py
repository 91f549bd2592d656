"""The result of the checks of an explanation, as a grade and in a sentence."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

GRADES = ("supported", "weak", "not supported", "not checked")

DRAWS = 20
"""Number of random sets of other parts that are replaced; the smallest p of the deletion test is then 1/21."""

COVERED = 0.5
"""The parts named first hold this share of the positive attribution. Where parts are replaced, the score must also fall
by this share, or the explanation is at best weak.
"""

SAME = 0.5
"""Minimum share of another explanation's attribution to its own first parts that lies on the tested parts."""

OWN_MAP = "own_map"
"""In place of a second method: the detector's own map of an image."""

BASELINE, USUAL = "baseline", "usual"
"""What the lost share of a score counts from: the baseline's score, or that of a typical normal item."""

GAP = 0.25
"""Maximum gap between the sum of shares and the score, as a share of it; with more, an explanation is at best weak."""


def grades(checks: pd.DataFrame) -> np.ndarray:
    """(k,) str: the grade of each explanation, one of GRADES.

    Inpainting can itself look anomalous, wherever it is. So where that test fails but the detector's own map names the
    same region, an explanation is weak.

    Args:
        checks: a line per explanation, as `faithfulness.Checks.table` returns it.
    """
    lines = checks.to_dict("records")
    holds = np.array([_falls(line) or _on_own_map(line) for line in lines], dtype=bool)
    doubts = np.array([bool(_doubts(line)) for line in lines], dtype=bool)
    return np.select([checks["p"].isna(), ~holds, doubts], ["not checked", "not supported", "weak"], "supported")


def nothing_stands_out(checked: Mapping[str, Any], severity: str | None) -> bool:
    """Whether no explanation of an item holds because its score is normal.

    Args:
        severity: of the score, see `calibration.severity`.
    """
    return severity == "Low" and checked["grade"] in ("not supported", "not checked")


def in_words(checked: Mapping[str, Any], severity: str | None = None) -> str:
    """A line of `Checks.table` in one or two plain sentences.

    Args:
        severity: of the score, see `calibration.severity`; None = not known.
    """
    if nothing_stands_out(checked, severity):
        return (
            "It scores like many normal ones, so there is little to explain: which parts raise a normal score hardly "
            "matters."
        )
    if checked["grade"] == "not checked":
        return (
            "This explanation can't be tested: nothing raises the score above the baseline's, or too little else is "
            "left to compare with."
        )
    finding = _finding(checked)
    if checked["grade"] == "not supported":
        others = "Other places" if _is_region(checked) else "Other parts"
        why = f"{others} do as much" if checked["drop"] > 0 else "The score does not fall"
        return f"{finding} {why}, so don't rely on these shares: compare with the nearest normal items."
    doubts = _doubts(checked)
    return f"{finding} But {' and '.join(doubts)}." if doubts else finding


def _finding(checked: Mapping[str, Any]) -> str:
    named, elsewhere = int(checked["named"]), _percent(checked["drop_random"])
    drop = "all" if checked["drop"] >= 0.995 else _percent(checked["drop"])
    if _is_region(checked):
        regions = "the region named first" if named == 1 else f"the {named} regions named first"
        area = f"{_percent(checked['area'])} of the image" if checked["area"] >= 0.005 else "under 1 % of the image"
        return (
            f"With {regions} ({area}) painted over as in a normal image, {drop} of the score above the baseline is "
            f"gone; with as much painted over elsewhere, {elsewhere} on average."
        )
    parts = "the part named first" if named == 1 else f"the {named} parts named first"
    above = "that of a typical normal one" if checked.get("above") == USUAL else "the baseline"
    return (
        f"Without {parts}, {drop} of the score above {above} is gone; without as many other parts, {elsewhere} on "
        "average."
    )


def _doubts(checked: Mapping[str, Any]) -> list[str]:
    found = []
    if not _falls(checked) and _is_region(checked):
        found.append("painting over other places does as much")
    if checked["drop"] < COVERED and not _is_region(checked):
        found.append("most of the score comes from elsewhere")
    if not checked["agreement"] >= SAME:
        own = checked.get("second_method") == OWN_MAP
        found.append("the detector's own map names other places" if own else "another method names other parts")
    if not checked["stability"] >= SAME:
        found.append("a tiny change of the values names other parts")
    if checked["gap"] > GAP:
        found.append(f"the shares miss the score by {_percent(checked['gap'])}")
    return found


def _falls(checked: Mapping[str, Any]) -> bool:
    """Whether the score falls, and further than in any of the random draws."""
    return bool(checked["drop"] > 0 and checked["p"] <= 1 / (DRAWS + 1) + 1e-9)


def _on_own_map(checked: Mapping[str, Any]) -> bool:
    return bool(checked.get("second_method") == OWN_MAP and checked["agreement"] >= SAME)


def _is_region(checked: Mapping[str, Any]) -> bool:
    """Whether regions of an image were tested; older runs have no such test."""
    return bool(checked.get("area", np.nan) >= 0)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.005 else "nothing"
