"""The top of the Alerts page: counts, and the histogram of the scores beside the curve of alerts by threshold."""

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.alerts import figures
from ad_core.storage.results import detector_run
from ad_core.storage.store import RunRecord
from pages._ui.alerts.threshold_panel import threshold_curve
from pages._ui.shell import words
from pages._ui.shell.shell import chart
from pages._ui.shell.stored import calibration_scores, said, store
from pages._ui.shell.threshold import Threshold, events_at


def counts(run_id: str, rows: pd.DataFrame, threshold: Threshold) -> None:
    """One number each: rows scored, alerts, reviewed alerts, events, alerts expected to be false, smallest p."""
    scored = int(rows["score"].notna().sum())
    reviewed = int(rows.loc[threshold.of(rows), "row_id"].isin(said(run_id).index).sum())
    events = events_at(run_id)
    with st.container(horizontal=True):
        without = f"{len(rows) - scored:,} without" if scored < len(rows) else None
        _metric("Rows scored", f"{scored:,}", delta=without)
        _metric("Alerts", f"{threshold.alerts:,}")
        _metric("Reviewed", f"{reviewed:,}", "Alerts that have a verdict.")
        if events is not None:
            closely = "Alerts of one recording that follow each other closely, merged."
            _metric("Events", f"{len(events):,}", closely)
        _metric(
            "Expected false at most",
            words.number(threshold.found.guarantee.expected),
            "Maximum number of alerts that are expected to be false; the sentence beside the threshold says whether "
            "that is guaranteed. It can be more than there are alerts.",
        )
        _metric(
            "Smallest p",
            words.p_text(threshold.smallest_p),
            "1 / (calibration rows + 1): no row can get a smaller one.",
        )


def score_charts(run: RunRecord, rows: pd.DataFrame, threshold: Threshold) -> None:
    """The histogram of the scores, and the number of alerts by the value of the rule."""
    scores, alert = rows["score"].to_numpy(), threshold.of(rows)
    scored = int(rows["score"].notna().sum())
    is_divided = not alert.any() or figures.single_threshold(scores, alert) is not None
    note = " No single score divides the alerts from the other rows, so there is no line."
    chart(
        figures.score_histogram(scores, alert, _calibration(run, scored)),
        alt=figures.histogram_in_words(scores, alert),
        caption=f"{words.count(scored, 'row')} of {len(rows):,} have a score. Counts on a logarithmic axis."
        + ("" if is_divided else note),
        key="histogram",
    )
    threshold_curve(run.id, threshold)


def _calibration(run: RunRecord, scored: int) -> np.ndarray | None:
    """Scores of the calibration rows; None where every scored row is one of them."""
    training = detector_run(store(), run.id)
    scores = calibration_scores(training.id)
    every_row_calibrates = training.id == run.id and scores is not None and len(scores) == scored
    return None if every_row_calibrates else scores  # else the outline would be that of the bars


def _metric(label: str, value: str, help: str | None = None, delta: str | None = None) -> None:
    quiet = {"delta": delta, "delta_color": "off", "delta_arrow": "off"} if delta else {}
    st.metric(label, value, border=True, width="stretch", help=help, **quiet)
