"""Metrics by segment: for each value of a column, to show where a ranking works less well."""

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.errors import AdError
from ad_core.evaluation.report_card import MOST_SEGMENTS, by_segment
from pages._ui.shell.stored import batch


def segments(run_id: str, rows: pd.DataFrame, labels: np.ndarray) -> None:
    """A column to choose, and a line for each of its values."""
    try:
        data = batch(run_id)
    except AdError:
        return
    levels = {name: data.data[name].nunique() for name in data.data.columns}
    possible = [name for name, count in levels.items() if 2 <= count <= MOST_SEGMENTS]
    if not possible:
        return
    st.subheader("By segment", anchor=False)
    column = st.selectbox(
        "Column", possible, index=None, placeholder="Choose a column", key="segment", bind="query-params", width=320
    )
    if column is None:
        return
    values = pd.Series(data.data[column].to_numpy(), index=data.rows["row_id"].to_numpy())
    values = values[~values.index.duplicated()].reindex(rows["row_id"])
    found = by_segment(labels, rows["score"].to_numpy(dtype=np.float64), values.reset_index(drop=True))
    st.dataframe(found.round(3), hide_index=True, alt=f"Metrics for each value of {column}")
    st.caption(
        "95 % intervals by bootstrap. Segments with fewer than five anomalies or five normal rows are only counted."
    )
