"""The role and the kind of each column, editable in place."""

import pandas as pd
import streamlit as st

from ad_core.data.dataset import ColumnKind, Dataset, Declared, Role
from ad_core.storage.store import DatasetRecord
from ad_core.types import Modality
from pages._ui.data.datasets import draft, propose, with_kind, with_role
from pages._ui.data.folder_uses import folder_uses
from pages._ui.shell import words
from pages._ui.shell.shell import table_height

ROLES = {
    Role.FEATURE: "feature",
    Role.ID: "row id",
    Role.LABEL: "label (evaluation)",
    Role.CLASS: "class of normal rows",
    Role.TIME: "time",
    Role.ENTITY: "recording",
    Role.WATCHED: "watched for changes",
    Role.IGNORE: "ignored",
}


JUDGED = {"both": "both", "level": "level", "shape": "shape"}


def schema_editor(record: DatasetRecord, dataset: Dataset, declared: Declared) -> None:
    """An editable table of the columns; a changed role or kind is declared, and the data are read again."""
    if dataset.modality is Modality.IMAGE:
        st.subheader("Folders", anchor=False)
        folder_uses(record, dataset, declared)
        return
    report = dataset.report()
    st.subheader("Columns", anchor=False)
    st.caption(report.summary)
    columns = pd.DataFrame([c.model_dump(mode="json") for c in dataset.schema.columns])
    columns["reason"] = report.table["treatment"]
    columns["role"] = [ROLES[c.role] for c in dataset.schema.columns]
    columns["missing"] = 100 * columns["missing"]
    shown = ["name", "role", "kind", "grade", "reason", "missing", "distinct", "unit"]
    if dataset.modality is Modality.SENSOR:
        columns["judged_by"] = [
            JUDGED[c.judged_by or "both"] if c.role is Role.FEATURE else None for c in dataset.schema.columns
        ]
        shown.insert(2, "judged_by")
    version = (st.session_state.get("_draft") or {}).get("version", 0)
    key = f"schema-{record.id}-{version}"
    st.data_editor(
        columns[shown],
        key=key,
        hide_index=True,
        placeholder="",
        disabled=["name", "unit", "missing", "distinct", "grade", "reason"],
        height=table_height(len(columns), 520),
        alt=f"{len(columns)} columns with role, kind, missing share and grade",
        column_config={
            "name": st.column_config.TextColumn("column", pinned=True),
            "role": st.column_config.SelectboxColumn("role", options=list(ROLES.values()), required=True, width=125),
            "kind": st.column_config.SelectboxColumn(
                "kind", options=[str(k) for k in ColumnKind], required=True, width=90
            ),
            "judged_by": st.column_config.SelectboxColumn(
                "anomaly in", options=list(JUDGED.values()), width=85, help=words.JUDGED_BY
            ),
            "unit": st.column_config.TextColumn("unit", width=60),
            "missing": st.column_config.NumberColumn("missing", format="%.1f %%", width=75),
            "distinct": st.column_config.NumberColumn("distinct", format="localized", width=75),
            "grade": st.column_config.TextColumn(
                "grade",
                width=55,
                help="A: no problem. B: usable with a caveat. C: ignored, or only watched for changes, unless you make "
                "it a feature.",
            ),
            "reason": st.column_config.TextColumn("what is done with it", width=230),
        },
        on_change=_edited,
        args=(record, dataset, key),
    )
    if st.session_state.get("_draft"):
        st.button(
            "Undo my changes",
            icon=":material/undo:",
            type="tertiary",
            on_click=lambda: st.session_state.pop("_draft", None),
        )


def _edited(record: DatasetRecord, dataset: Dataset, key: str) -> None:
    declared = draft(record)
    names = {text: role for role, text in ROLES.items()}
    for at, change in st.session_state[key]["edited_rows"].items():
        column = dataset.schema.columns[int(at)].name
        if "role" in change:
            declared = with_role(declared, dataset.schema, column, names[change["role"]])
        if "kind" in change:
            declared = with_kind(declared, column, ColumnKind(change["kind"]))
        if change.get("judged_by"):
            by = next(by for by, text in JUDGED.items() if text == change["judged_by"])
            declared = declared.model_copy(update={"judged_by": {**declared.judged_by, column: by}})
    propose(record, declared)
