"""The values of a row as in the file, column by column."""

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.errors import AdError
from pages._ui.shell.shell import table_height
from pages._ui.shell.stored import batch


def row_values(run_id: str, row_id: str) -> None:
    """A table of its features; a warning where the file can't be opened any more."""
    try:
        dataset = batch(run_id)
    except AdError as error:
        st.warning(f"The data can't be opened any more, so the row can't be shown: {error}")
        return
    columns = [c for c in dataset.schema.scored if c in dataset.data]
    at = np.flatnonzero((dataset.rows["row_id"] == row_id).to_numpy())
    if not len(at) or not columns:
        return
    values = dataset.data[columns].iloc[int(at[0])].astype("string")
    shown = pd.DataFrame({"column": columns, "value": values.to_numpy()})
    st.dataframe(
        shown,
        hide_index=True,
        height=table_height(len(shown), 320),
        placeholder="(missing)",
        alt=f"The values of {row_id}",
    )
