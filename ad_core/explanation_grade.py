"""What the checks of an explanation add up to, as a word and in a sentence."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

GRADES = ("supported", "weak", "not supported", "not checked")

DRAWS = 20
"""So many random sets of other parts are replaced; with them the smallest p of the deletion test is 1/21."""

COVERED = 0.5
"""The parts that are named first must hold this share of the score; without it the explanation is at best weak."""

SAME = 0.5
"""At least this share of what another explanation gives to its own first parts must lie on those that are tested."""

GAP = 0.25
"""Shares that miss the score by more than this part of it are at best weak."""


def grades(checks: pd.DataFrame) -> np.ndarray:
    """(k,) str, of GRADES: what to think of each explanation.

    Args:
        checks: `drop`, `p`, `agreement`, `stability`, `gap`, a line per explanation; see `explanation_check.Checks`.
    """
    holds = checks["p"] <= 1 / (DRAWS + 1) + 1e-9
    doubts = [bool(_doubts(line)) for line in checks.to_dict("records")]
    return np.select([checks["p"].isna(), ~holds, doubts], ["not checked", "not supported", "weak"], "supported")


def in_words(checked: Mapping[str, Any]) -> str:
    """What a line of `Checks.table` says of an explanation, in one or two plain sentences."""
    if checked["grade"] == "not checked":
        return (
            "This explanation can't be tested: nothing raises the score above the baseline's, or there are too few "
            "other parts to compare with."
        )
    named = int(checked["named"])
    parts = "the part named first" if named == 1 else f"the {named} parts named first"
    finding = (
        f"Without {parts}, {_percent(checked['drop'])} of the score above the baseline is gone; without as many other "
        f"parts, {_percent(checked['drop_random'])} on average."
    )
    if checked["grade"] == "not supported":
        return (
            f"{finding} Other parts do as much, so don't rely on these shares: compare with the nearest normal items."
        )
    doubts = _doubts(checked)
    return f"{finding} But {' and '.join(doubts)}." if doubts else finding


def _doubts(checked: Mapping[str, Any]) -> list[str]:
    found = []
    if checked["drop"] < COVERED:
        found.append("most of the score comes from elsewhere")
    if not checked["agreement"] >= SAME:
        found.append("another method names other parts")
    if not checked["stability"] >= SAME:
        found.append("a tiny change of the values names other parts")
    if checked["gap"] > GAP:
        found.append(f"the shares miss the score by {_percent(checked['gap'])}")
    return found


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.005 else "nothing"
