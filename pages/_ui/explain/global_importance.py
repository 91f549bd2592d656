"""The elements of the Reasons page: counted alerts, ranking, and differences by group, by column and over time."""

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
"""The sentence names a second feature only if its share is at least this fraction of the largest."""
FEWEST = 2
LINES, PARTS = 12, 8
"""Maximum number of values and of features drawn where alerts are compared."""
PART = {"table": "column", "image": "image field", "sensor": "channel"}
"""The name of a feature in each kind of data."""


def counted_in_words(found: GlobalImportance, unit: str) -> str:
    """How many alerts are counted, and why the others are not."""
    total = words.count(found.alerts, unit)
    if not found.left_out and found.alerts == 1:
        return f"There is one {unit}, and its explanation passed the faithfulness check."
    if not found.left_out:
        return f"All {total} are counted: each has an explanation that passed the faithfulness check."
    why = {
        "not explained": "not explained yet",
        "not checked": "an explanation that could not be checked",
        "not supported": "an explanation that failed the check",
    }
    rest = ", ".join(
        f"{count:,} with {why[name]}" if name != "not explained" else f"{count:,} {why[name]}"
        for name, count in sorted(found.left_out.items())
    )
    verb = "is counted" if len(found.shares) == 1 else "are counted"
    return f"{len(found.shares):,} of {total} {verb}. Left out: {rest}."


def main_features(found: GlobalImportance, modality: str, unit: str) -> str:
    """The features with the largest shares in one sentence."""
    table = ranking(found)
    named = [
        f"*{words.plain(line.part)}* ({100 * line.share:.0f} %)"
        for line in table[table["share"] >= WORTH_NAMING * table["share"].max()].head(3).itertuples()
    ]
    one = len(found.shares) == 1
    if modality == "image":
        return f"The scores of {'this image' if one else 'these images'} come mainly from: {words.listed(named)}."
    return f"{f'This {unit} is' if one else f'These {unit}s are'} driven mainly by {words.listed(named)}."


def overall(found: GlobalImportance, modality: str, unit: str) -> None:
    """The ranking as bars, or as the nine fields of an image, and as a table with links to the alerts."""
    table = ranking(found)
    left, right = st.columns([1, 1], gap="large")
    with left:
        if modality == "image":
            chart(
                figures_global.field_shares(table),
                alt=figures_global.importance_in_words(table, len(found.shares)),
                caption="Global feature importance: mean share of each of nine image fields in the scores.",
                key="driver-fields",
            )
        else:
            interval = "Lines are 95 % intervals." if table["low"].notna().any() else f"Too few {unit}s for intervals."
            chart(
                figures_global.importance_bars(table),
                alt=figures_global.importance_in_words(table, len(found.shares)),
                caption=f"Global feature importance: mean share of each {PART[modality]} in the score of an {unit}; "
                f"every {unit} has the same weight. {interval}",
                key="driver-bars",
            )
    with right:
        _table(table, PART[modality], unit)


def _table(table: pd.DataFrame, part: str, unit: str) -> None:
    """Every feature with its share; its button shows the alerts whose score it raises most."""
    shown = pd.DataFrame(
        {
            part: table["part"],
            "mean share": 100 * table["share"],
            "95 % interval": [_interval(line) for line in table.to_dict("records")],
            "first in": [f"Show {words.count(n, unit)}" if n else None for n in table["first"]],
        }
    )
    if not table["low"].notna().any():
        shown = shown.drop(columns="95 % interval")
    st.dataframe(
        shown,
        hide_index=True,
        height=table_height(len(shown), 430),
        placeholder="–",
        alt="Features with their mean share, largest first",
        column_config={
            "mean share": st.column_config.NumberColumn(format="%.1f %%"),
            "first in": st.column_config.ButtonColumn(
                f"main {part} of",
                type="tertiary",
                key="driver-click",
                on_click=_show,
                args=(table["part"].tolist(),),
                help=f"Opens the {unit}s whose score this {part} raises most, including those that are not counted "
                "here.",
            ),
        },
    )


def differences(run_id: str, found: GlobalImportance, modality: str, unit: str) -> None:
    """Importance by group, by a column of the data, or over time; as far as the data allow."""
    if len(found.shares) < FEWEST:
        st.caption(f"Differences are shown from {FEWEST} counted {unit}s on.")
        return
    st.subheader(f"Differences between {unit}s", anchor=False)
    ways = {name: title for name, title in WAYS.items() if not (name == "group" and modality == "image")}
    way = st.segmented_control(
        "Compare by",
        list(ways),
        default=next(iter(ways)),
        format_func=ways.get,
        key="apart_by",
        required=True,
        bind="query-params",
        label_visibility="collapsed",
    )
    if way == "time":
        _over_time(run_id, found, unit, PART[modality])
        return
    values = group_names(run_id) if way == "group" else _column(run_id)
    if values is None:
        return
    table = split(found, values)
    if table.empty:
        st.info(
            "These alerts form no groups: fewer than six are explained, or no two have the same main features."
            if way == "group"
            else "No counted alert has a value in this column.",
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
        caption=f"Mean share for each value, with the number of {unit}s in brackets. {min(len(names), LINES)} of "
        f"{len(names)} values and {len(parts)} of {words.count(found.shares.shape[1], PART[modality])} shown. From "
        f"five {unit}s on, the tooltip shows an interval.",
        key="driver-split",
    )


def _column(run_id: str) -> pd.Series | None:
    """Row id -> value of a column with few levels that the user chooses."""
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
    """Columns by which alerts can be compared: neither ids nor times, with few values."""
    data = batch(run_id)
    apart = (Role.ID, Role.TIME, Role.ENTITY)
    names = [column.name for column in data.schema.columns if column.role not in apart and column.name in data.data]
    return [name for name in names if 2 <= data.data[name].nunique() <= MOST_SEGMENTS]


def _over_time(run_id: str, found: GlobalImportance, unit: str, part: str) -> None:
    rows = ranked(run_id)
    if "time" not in rows:
        st.info("These data have no time column, so there is no view over time.", icon=":material/info:")
        return
    known = rows.loc[rows["time"].notna()]
    table = over_time(found, pd.Series(known["time"].to_numpy(), index=known["row_id"]))
    if table.empty:
        st.info("The counted alerts don't have different times.", icon=":material/info:")
        return
    chart(
        figures_global.importance_over_time(table, ranking(found)["part"].tolist(), f"{unit}s"),
        alt=figures_global.over_time_in_words(table),
        caption=f"Number of {unit}s in each of 24 intervals of equal length, divided by the share of each {part}.",
        key="driver-time",
    )


def _interval(line: Mapping[str, float]) -> str | None:
    return f"{100 * line['low']:.0f}–{100 * line['high']:.0f} %" if line["low"] == line["low"] else None


def _show(parts: list[str]) -> None:
    """Callback: open the Alerts page with the alerts whose score one feature raises most."""
    go_filtered("alerts", **{KEY: parts[st.session_state["driver-click"]["row"]], "alerts_only": "true"})
