"""Which rows are alerts: one slider for all pages, in p-values where the calibration allows, else in percentiles."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from pages._ui import words
from pages._ui.stored import ranked, summary

ALPHAS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
WORST_P = 0.05
"""A calibration that can't give a smaller p-value than this has too few rows for p-values that mean much."""


@dataclass(frozen=True)
class Threshold:
    """Where alerts begin."""

    alpha: float
    by_p: bool
    score: float
    """The lowest score of an alert; infinite when there is none."""
    smallest_p: float | None
    alerts: int

    def of(self, rows: pd.DataFrame) -> np.ndarray:
        """(rows,) bool."""
        return _alerts(rows, self.alpha, self.by_p)

    def in_words(self, scored: int) -> str:
        """What the choice means."""
        if not self.by_p:
            return (
                "Too few calibration rows for p-values: alerts are the rows above percentile "
                f"{100 * (1 - self.alpha):g} "
                "of the calibration rows. Nothing is promised about false alerts."
            )
        if self.smallest_p and self.alpha < self.smallest_p:
            return (
                f"p ≤ {self.alpha:g} can't be reached: with these calibration rows the smallest p is "
                f"{words.p_text(self.smallest_p)}."
            )
        expected = self.alpha * scored
        return (
            f"If all {scored:,} rows were usual, about {words.number(expected)} of them would be alerts by "
            f"chance at p ≤ {self.alpha:g}."
        )


def threshold_slider(run_id: str) -> Threshold:
    """The slider, bound to the URL, and what it means for this run."""
    smallest = (summary(run_id).get("calibration") or {}).get("smallest_p")
    default = 0.01 if smallest and smallest <= 0.01 else 0.05
    alpha = st.select_slider(
        "False alarms among usual rows",
        ALPHAS,
        value=default,
        key="alpha",
        bind="query-params",
        format_func=lambda a: f"{100 * a:g} %",
        help="How many of 100 usual rows may become alerts by chance: alerts are the rows with p at most this share.",
    )
    return threshold_at(run_id, alpha)


def threshold_at(run_id: str, alpha: float | None = None) -> Threshold:
    """The threshold of a run for a share, by default the one that the slider stands at."""
    smallest = (summary(run_id).get("calibration") or {}).get("smallest_p")
    by_p = bool(smallest and smallest <= WORST_P)
    if alpha is None:
        alpha = st.session_state.get("alpha") or (0.01 if smallest and smallest <= 0.01 else 0.05)
    rows = ranked(run_id)
    scores = rows["score"].to_numpy()[_alerts(rows, alpha, by_p)]
    return Threshold(alpha, by_p, float(scores.min()) if len(scores) else float("inf"), smallest, len(scores))


def _alerts(rows: pd.DataFrame, alpha: float, by_p: bool) -> np.ndarray:
    if by_p:
        return (rows["p_value"] <= alpha * (1 + 1e-9)).to_numpy(dtype=bool, na_value=False)
    return (rows["percentile"] >= 100 * (1 - alpha)).to_numpy(dtype=bool, na_value=False)
