"""The parts of the Reasons page: what counts, the ranking, and how it differs by group, by column and over time."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from ad_core.data.dataset import Role
from ad_core.errors import AdError
from ad_core.evaluation.report_card import MOST_SEGMENTS
from ad_core.explain import figures_global
from ad_core.explain.global_importance import GlobalImportance, over_time, ranking, split
from ad_core.explain.image_grid import FIELDS
from pages._ui.alerts.alert_groups import group_names
from pages._ui.alerts.part_filter import KEY
from pages._ui.shell import words
from pages._ui.shell.navigate import go_filtered
from pages._ui.shell.shell import chart, table_height
from pages._ui.shell.stored import batch, ranked

WAYS = {"group": "By group", "column": "By a column", "time": "Over time"}
WORTH_NAMING = 0.5
"""The sentence names a second part only when its share is at least this much of the largest."""
FEWEST = 2
LINES, PARTS = 12, 8
"""So many values and parts are drawn where alerts are told apart."""


def counted_in_words(found: GlobalImportance, unit: str) -> str:
    """How many alerts count, and why the others don't."""
    total = words.count(found.alerts, unit)
    if not found.left_out and found.alerts == 1:
        return f"There is a single {unit}; it is explained, and the explanation passed its check."
    if not found.left_out:
        return f"All {total} count: each is explained, and the explanation passed its check."
    why = {
        "not explained": "not explained yet",
        "not checked": "an explanation that could not be checked",
        "not supported": "an explanation that failed its check",
    }
    rest = ", ".join(
        f"{count:,} with {why[name]}" if name != "not explained" else f"{count:,} {why[name]}"
        for name, count in sorted(found.left_out.items())
    )
    verb = "counts" if len(found.shares) == 1 else "count"
    return f"{len(found.shares):,} of {total} {verb}. Left out: {rest}."


def finding(found: GlobalImportance, modality: str, unit: str) -> str:
    """The parts with the largest shares in one sentence."""
    table = ranking(found)
    named = [
        f"*{words.plain(line.part)}* ({100 * line.share:.0f} %)"
        for line in table[table["share"] >= WORTH_NAMING * table["share"].max()].head(3).itertuples()
    ]
    one = len(found.shares) == 1
    if modality == "image":
        return (
            f"What is unusual {'in this image' if one else 'in these images'} lies mainly here: {words.listed(named)}."
        )
    return f"{f'This {unit} is' if one else f'These {unit}s are'} driven mainly by {words.listed(named)}."


def overall(found: GlobalImportance, modality: str, unit: str) -> None:
    """The ranking as bars, or as the nine fields of a picture, and as a table that leads to the alerts."""
    table = ranking(found)
    left, right = st.columns([1, 1], gap="large")
    with left:
        if modality == "image":
            chart(
                figures_global.field_shares(table),
                alt=figures_global.importance_in_words(table, len(found.shares)),
                caption="Where in the picture the scores come from, by nine fields.",
                key="driver-fields",
            )
        else:
            interval = "Lines are 95 % intervals." if table["low"].notna().any() else "Too few for intervals."
            chart(
                figures_global.importance_bars(table),
                alt=figures_global.importance_in_words(table, len(found.shares)),
                caption=f"Mean share of each part in the score of an alert; each alert counts the same. {interval}",
                key="driver-bars",
            )
    with right:
        _table(table, "field" if modality == "image" else "part", unit)


def _table(table: pd.DataFrame, part: str, unit: str) -> None:
    """Every part with its share; its button shows the alerts that it raises most."""
    shown = pd.DataFrame(
        {
            part: table["part"],
            "mean share": 100 * table["share"],
            "95 % interval": [_interval(line) for line in table.to_dict("records")],
            "first in": [f"Show {n:,}" if n else None for n in table["first"]],
        }
    )
    if not table["low"].notna().any():
        shown = shown.drop(columns="95 % interval")
    st.dataframe(
        shown,
        hide_index=True,
        height=table_height(len(shown), 430),
        placeholder="–",
        alt="Parts with their mean share, largest first",
        column_config={
            "mean share": st.column_config.NumberColumn(format="%.1f %%"),
            "first in": st.column_config.ButtonColumn(
                f"first in {unit}s",
                type="tertiary",
                key="driver-click",
                on_click=_show,
                args=(table["part"].tolist(),),
                help=f"Opens the {unit}s whose score this {part} raises most, also those that don't count here.",
            ),
        },
    )


def told_apart(run_id: str, found: GlobalImportance, modality: str, unit: str) -> None:
    """One of several views: by group, by a column of the data, over time; as far as the data allow."""
    if len(found.shares) < FEWEST:
        st.caption(f"Where that differs can be told from {FEWEST} {unit}s on.")
        return
    st.subheader("Where it differs", anchor=False)
    ways = {name: title for name, title in WAYS.items() if not (name == "group" and modality == "image")}
    way = st.segmented_control(
        "Tell apart",
        list(ways),
        default=next(iter(ways)),
        format_func=ways.get,
        key="apart_by",
        required=True,
        bind="query-params",
        label_visibility="collapsed",
    )
    if way == "time":
        _over_time(run_id, found, unit)
        return
    values = group_names(run_id) if way == "group" else _column(run_id)
    if values is None:
        return
    table = split(found, values)
    if table.empty:
        st.info(
            "These alerts form no groups: fewer than six are explained, or no two share their reasons."
            if way == "group"
            else "No alert that counts has a value in this column.",
            icon=":material/info:",
        )
        return
    names = table["value"].unique()
    parts = ranking(found)["part"].head(PARTS).tolist()
    if set(parts) <= set(FIELDS):
        parts = list(FIELDS)
    chart(
        figures_global.split_shades(table[table["value"].isin(names[:LINES])], parts),
        alt=figures_global.split_in_words(table),
        caption=f"Mean share within each, in brackets how many {unit}s. {min(len(names), LINES)} of {len(names)} values"
        f" and {len(parts)} of {words.count(found.shares.shape[1], 'part')} shown. Intervals in the hover, from "
        f"five {unit}s on.",
        key="driver-split",
    )


def _column(run_id: str) -> pd.Series | None:
    """Row id -> value of a column of few levels that the user chooses."""
    rows = ranked(run_id)
    recording = ["recording"] if "entity" in rows and rows["entity"].nunique() > 1 else []
    try:
        data = batch(run_id)
        possible = [*recording, *_few_levels(run_id, id(data))]
    except AdError as error:
        st.caption(f"The data can't be opened any more, so their columns are missing here: {words.plain(str(error))}")
        data, possible = None, recording
    if not possible:
        st.info(f"No column of these data has between 2 and {MOST_SEGMENTS} values.", icon=":material/info:")
        return None
    chosen = st.selectbox(
        "Column", possible, index=None, placeholder="Choose a column", key="segment", bind="query-params", width=320
    )
    if chosen is None:
        return None
    if data is None or chosen not in data.data:
        return pd.Series(rows["entity"].to_numpy(), index=rows["row_id"])
    return pd.Series(data.data[chosen].to_numpy(), index=data.rows["row_id"].to_numpy())


@st.cache_resource(show_spinner=False, max_entries=6)
def _few_levels(run_id: str, data_id: int) -> list[str]:  # noqa: ARG001  other data have another key
    """Columns that tell alerts apart: neither ids nor times, with few values."""
    data = batch(run_id)
    apart = (Role.ID, Role.TIME, Role.ENTITY)
    names = [column.name for column in data.schema.columns if column.role not in apart and column.name in data.data]
    return [name for name in names if 2 <= data.data[name].nunique() <= MOST_SEGMENTS]


def _over_time(run_id: str, found: GlobalImportance, unit: str) -> None:
    rows = ranked(run_id)
    if "time" not in rows:
        st.info("These data have no time column, so nothing can be said of when.", icon=":material/info:")
        return
    known = rows.loc[rows["time"].notna()]
    table = over_time(found, pd.Series(known["time"].to_numpy(), index=known["row_id"]))
    if table.empty:
        st.info("The alerts that count have no times that differ.", icon=":material/info:")
        return
    chart(
        figures_global.importance_over_time(table, ranking(found)["part"].tolist(), f"{unit}s"),
        alt=figures_global.over_time_in_words(table),
        caption=f"{unit.capitalize()}s in each of 24 stretches of equal length, shared out among the parts.",
        key="driver-time",
    )


def _interval(line: Mapping[str, float]) -> str | None:
    return f"{100 * line['low']:.0f}–{100 * line['high']:.0f} %" if line["low"] == line["low"] else None


def _show(parts: list[str]) -> None:
    """Callback: the alerts that one part raises most, on the Alerts page."""
    go_filtered("alerts", **{KEY: parts[st.session_state["driver-click"]["row"]], "alerts_only": "true"})
