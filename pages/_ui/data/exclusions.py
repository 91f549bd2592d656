"""Times of a recording that are excluded from training: known downtime, maintenance, repaired faults."""

from typing import Any

import pandas as pd
import streamlit as st

from ad_core.data.dataset import Dataset, Declared
from ad_core.storage.store import DatasetRecord
from pages._ui.data.datasets import draft, propose
from pages._ui.shell import words

FIELDS = ["from", "to", "recording"]


def exclusions(record: DatasetRecord, dataset: Dataset, declared: Declared) -> None:
    """An editable table of time ranges; each complete line is declared, and the data are read again."""
    entities = dataset.rows["entity"].unique().tolist() if "entity" in dataset.rows else []
    fields = FIELDS if entities else FIELDS[:2]
    version = (st.session_state.get("_draft") or {}).get("version", 0)
    key = f"exclude-{record.id}-{version}"
    now = [dict(zip(FIELDS, one, strict=False)) for one in declared.exclude]
    with st.expander(
        f"Excluded times ({len(now)})" if now else "Excluded times",
        icon=":material/event_busy:",
        expanded=bool(now),
    ):
        st.data_editor(
            pd.DataFrame(now, columns=fields, dtype="str"),
            key=key,
            num_rows="dynamic",
            hide_index=True,
            alt=f"{len(now)} time ranges excluded from training",
            placeholder="",
            column_config={
                "from": st.column_config.TextColumn("from", required=True, help=_example(dataset)),
                "to": st.column_config.TextColumn(
                    "to",
                    required=True,
                    help="The last excluded time stamp. A date without a time includes the whole day.",
                ),
                "recording": st.column_config.SelectboxColumn("recording", options=entities, help="Empty = all."),
            },
            on_change=_edited,
            args=(record, key, now),
        )
        if "excluded" in dataset.rows:
            out = int(dataset.rows["excluded"].sum())
            st.caption(f"{words.count(out, 'row')} excluded from training and calibration; they are scored and marked.")


def _example(dataset: Dataset) -> str:
    """The first time stamp, as an example of the format."""
    return f"Such as {dataset.rows['time'].min()}."


def _edited(record: DatasetRecord, key: str, now: list[dict[str, str]]) -> None:
    """Callback: declare the lines as they are now; a line is reported only when it has both ends."""
    propose(record, draft(record).model_copy(update={"exclude": after_edit(now, st.session_state[key])}))


def after_edit(now: list[dict[str, str]], change: dict[str, Any]) -> tuple[tuple[str, ...], ...]:
    """The ranges after an edit of the table that shows them.

    Args:
        change: `edited_rows`, `added_rows` and `deleted_rows`, as an editor reports them.
    """
    lines = [
        {**line, **change["edited_rows"].get(at, {})} for at, line in enumerate(now) if at not in change["deleted_rows"]
    ]
    texts = [[str(line.get(field) or "").strip() for field in FIELDS] for line in [*lines, *change["added_rows"]]]
    return tuple(tuple(text for text in line if text) for line in texts if line[0] and line[1])
