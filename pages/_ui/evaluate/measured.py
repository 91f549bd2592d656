"""Metrics of the Evaluate page, cached because they take a moment."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.evaluation.indistinguishable import equal_to_normal
from ad_core.evaluation.metrics import evaluate
from ad_core.evaluation.report_card import known_rows
from pages._ui.shell.stored import batch_or_none


@st.cache_data(show_spinner="Computing the metrics ...", max_entries=8)
def measured(labels: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    """See `evaluation.metrics.evaluate`."""
    return evaluate(labels, scores)


@st.cache_data(show_spinner="Comparing rows ...", max_entries=8)
def equal_rows(run_id: str, row_ids: np.ndarray, labels: np.ndarray) -> int:
    """See `evaluation.indistinguishable.equal_to_normal`; 0 where the data can't be opened any more."""
    if (data := batch_or_none(run_id)) is None:
        return 0
    known = pd.Series(labels, index=row_ids)
    return equal_to_normal(data, known[~known.index.duplicated()].reindex(data.rows["row_id"]).to_numpy())


def present_point(labels: np.ndarray, alert: np.ndarray, against: str) -> tuple[float, float] | None:
    """The current threshold on a curve: (recall, precision), or (false positive rate, recall); None without alerts.

    Args:
        against: "precision" or "false alarms".
    """
    known = known_rows(labels, labels)
    y, alert = labels[known] > 0, alert[known]
    if not alert.any() or not y.any() or y.all():
        return None
    recall = float(alert[y].mean())
    return (recall, float(y[alert].mean())) if against == "precision" else (float(alert[~y].mean()), recall)
