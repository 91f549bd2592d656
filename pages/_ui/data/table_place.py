"""Where in a file the table is: the sheet of a workbook, the line of the header, and which lines are rows."""

from pathlib import Path

import streamlit as st

from ad_core.data.dataset import Declared
from ad_core.data.files.excel_files import sheet_names
from ad_core.storage.store import DatasetRecord
from pages._ui.data.datasets import propose


def table_place(record: DatasetRecord, declared: Declared) -> None:
    """Fields for what is otherwise guessed from the file; a change is declared, and the data are read again."""
    version = (st.session_state.get("_draft") or {}).get("version", 0)
    sheets = sheet_names(Path(record.sources[0])) if record.sources else []
    with st.expander("Where the table is in the file", icon=":material/table_view:"):
        sheet = declared.sheet
        if len(sheets) > 1:
            sheet = st.selectbox(
                "Sheet",
                sheets,
                index=sheets.index(declared.sheet) if declared.sheet in sheets else None,
                placeholder="The first filled one",
                key=f"sheet-{record.id}-{version}",
            )
        header = st.number_input(
            "Line of the column names",
            min_value=0,
            value=declared.header,
            placeholder="Guessed",
            key=f"header-{record.id}-{version}",
            help="1 = the first line; 0 = the file has no column names. Empty = guessed from the file.",
        )
        every_line = st.checkbox(
            "Every line below is a row",
            value=declared.every_line,
            key=f"every-line-{record.id}-{version}",
            help="Otherwise lines that hold units, a repeated header, a total or a footer are left out, and it is said "
            "which ones.",
        )
    changed = {"sheet": sheet, "header": header, "every_line": every_line}
    if changed != {name: getattr(declared, name) for name in changed}:
        propose(record, declared.model_copy(update=changed))
        st.rerun()
