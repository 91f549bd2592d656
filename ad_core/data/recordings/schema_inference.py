"""Infer the roles of a recording's columns: time, entity, label and channels."""

import re

import numpy as np
import pandas as pd

from ad_core.data.dataset import Column, ColumnKind, Declared, Role, Schema
from ad_core.data.label_search import ASKED, Labels, find_labels
from ad_core.data.label_words import is_label_name
from ad_core.data.recordings.channel_checks import COMMAND, is_command
from ad_core.data.recordings.channels import as_numbers, unit_of
from ad_core.data.recordings.entities import entity_column
from ad_core.data.recordings.timestamps import ClockKind, read_clock
from ad_core.errors import DataError

TIME_NAMES = re.compile(
    r"(?i)^(time|timestamp|date|date[ _-]?time|ts|t|epoch|zeit|zeitstempel|datum)"
    r"(_?(utc|s|ms|us|ns|sec|seconds|iso|local))?([ _]*[\[(].*)?$"
)
TIME_ENDINGS = re.compile(r"(?i)([ _-]|^)(time|timestamp|datetime|date)$")
PART_NAMES = re.compile(r"(?i)^(split|fold|subset|train[ _-]?test)$")

MOST_WATCHED = 20
"""Maximum number of different values of a text whose new values are an alarm."""

MOSTLY = 0.9
"""Minimum share of numbers for a text column to be read as numbers; the other cells count as missing."""


def propose(data: pd.DataFrame, declared: Declared, stem: str | None = None) -> tuple[Schema, list[str]]:
    """Roles and kinds of the columns, with priority for declared ones, and notices.

    Args:
        stem: the column that holds the file of each row, where there are several files.

    Raises:
        DataError: a declared column does not exist or can't have its role.
    """
    named = declared.roles()
    Schema(columns=tuple(Column(name=n, role=Role.IGNORE, kind=ColumnKind.TEXT) for n in data.columns)).with_roles(
        named
    )
    inferred: dict[str, Role] = {}
    taken = {role for role in named.values() if role in (Role.TIME, Role.ENTITY)}
    time = declared.time
    if Role.TIME not in taken and (time := time_column(data, {*named, *([stem] if stem else [])})):
        inferred[time] = Role.TIME
    told: list[str] = []
    if Role.ENTITY not in taken and stem is None:
        stem, told = entity_column(data, {*named, *inferred}, time)
    if Role.ENTITY not in taken and stem is not None:
        inferred[stem] = Role.ENTITY
    labels = find_labels(data, declared.label, {*named, *inferred})
    if labels.label:
        inferred[labels.label] = Role.LABEL
    columns, notices = [], told + labels.notices()
    for name in data.columns:
        column, notice = _column(name, data[name], inferred | named, declared)
        column = _as_label(column, labels)
        columns.append(column)
        notices += notice
    return Schema(columns=tuple(columns)), notices


def time_column(data: pd.DataFrame, without: set[str]) -> str | None:
    """The column that is most likely the time, by its name and its values."""
    for pattern in (TIME_NAMES, TIME_ENDINGS, None):
        for name in data.columns:
            if name in without or (pattern is not None and not pattern.search(name)):
                continue
            if pattern is None and not pd.api.types.is_datetime64_any_dtype(data[name]):
                continue
            if _is_time(data[name], is_sure=pattern is TIME_NAMES):
                return str(name)
    return None


def looks_like_recording(frame: pd.DataFrame) -> bool:
    """Whether a table is a recording: a time column that runs forward in roughly equal steps, and numbers beside it."""
    if isinstance(frame.index, pd.DatetimeIndex):
        frame = frame.rename_axis(frame.index.name or "time").reset_index()
    data = frame.set_axis(frame.columns.astype(str), axis=1).reset_index(drop=True)
    if len(data) < 10 or data.columns.has_duplicates or (time := time_column(data, set())) is None:
        return False
    numbers = [n for n in data.columns if n != time and _holds_numbers(data[n]) and not is_label_name(n)]
    if not numbers:
        return False
    entity, _ = entity_column(data, {time}, time)
    clock = read_clock(data[time], time)
    groups = np.zeros(len(data)) if entity is None else pd.factorize(data[entity])[0]
    steps = np.concatenate(
        [
            seconds_of(part).diff().dropna().to_numpy()
            for _, part in clock.time.dropna().groupby(groups[clock.time.notna()])
        ]
    )
    if not len(steps) or (steps > 0).mean() < 0.9:
        return False
    typical = np.median(steps[steps > 0])
    return bool(((steps >= 0.5 * typical) & (steps <= 2 * typical)).mean() >= 0.7)


def seconds_of(time: pd.Series) -> pd.Series:
    """Times as float64 seconds from the first."""
    return (time - time.min()).dt.total_seconds() if pd.api.types.is_datetime64_dtype(time) else time - time.min()


def _is_time(values: pd.Series, *, is_sure: bool) -> bool:
    """Dates and texts count if they can be read; plain numbers only if they ascend or the name is certain."""
    head = values.iloc[:2000]
    if pd.api.types.is_bool_dtype(head) or head.notna().mean() < 0.5:
        return False
    try:
        clock = read_clock(head, str(values.name))
    except DataError:
        return False
    if clock.kind is ClockKind.DATE or is_sure:
        return bool(clock.time.nunique() > 1)
    steps = clock.time.dropna().diff().dropna()
    return bool(len(steps) and (steps > 0).mean() >= 0.9)


def _column(name: str, values: pd.Series, roles: dict[str, Role], declared: Declared) -> tuple[Column, list[str]]:
    """One column with its role, grade and reason; and sentences for the notices."""
    kind = declared.kinds.get(name) or _kind(values)
    missing, distinct = float(values.isna().mean()), int(values.nunique())
    column = Column(name=name, role=Role.IGNORE, kind=kind, unit=unit_of(name), missing=missing, distinct=distinct)
    if name in roles and roles[name] is not Role.FEATURE:
        return column.model_copy(update={"role": roles[name], "reason": _why(roles[name])}), []
    if kind is ColumnKind.NUMBER and not pd.api.types.is_numeric_dtype(values) and not PART_NAMES.match(name):
        return _mostly_numbers(column, values)
    update = _judged(column, values)
    if name in declared.kinds:
        update.pop("kind", None)
    if roles.get(name) is Role.FEATURE and update.get("role") in (Role.IGNORE, Role.WATCHED):
        if not declared.of_training and (
            kind in (ColumnKind.TEXT, ColumnKind.DATE)
            or distinct == 0
            or (kind is ColumnKind.CATEGORY and distinct > 2)
        ):
            raise DataError(
                f"Column {name!r} can't be a channel: {update['reason']} Leave it out, or turn it into numbers first."
            )
        update["role"] = Role.FEATURE
    return column.model_copy(update=update), _infinite(name, values)


def _as_label(column: Column, labels: Labels) -> Column:
    """A column whose role is not known, as what its name and values say of it as a label."""
    name = column.name
    if name in labels.left_out:
        return column.model_copy(update={"role": Role.IGNORE, "grade": "C", "reason": labels.left_out[name]})
    if name in labels.asked:
        update = {"role": Role.IGNORE, "grade": "C", "reason": ASKED, "asked": labels.asked[name]}
        return column.model_copy(update=update)
    if name in labels.used and column.role is Role.FEATURE:
        update = {"grade": max(column.grade, "B"), "reason": f"{column.reason} {labels.used[name]}".strip()}
        return column.model_copy(update=update)
    return column


def _judged(column: Column, values: pd.Series) -> dict[str, object]:
    def left_out(reason: str) -> dict[str, object]:
        return {"role": Role.IGNORE, "grade": "C", "reason": reason}

    def watched(reason: str) -> dict[str, object]:
        if is_label_name(column.name):
            return left_out(f"{reason} Its name is that of true labels.")
        reason = f"{reason} Nothing can be learnt from it, but a new value is an alarm."
        return {"role": Role.WATCHED, "grade": "C", "reason": reason}

    if PART_NAMES.match(column.name):
        return left_out("By its name it marks training and test rows.")
    if column.distinct == 0:
        return watched("It is empty.")
    if column.kind is ColumnKind.DATE:
        return left_out("It holds dates, and is not the time column.")
    if column.kind in (ColumnKind.TEXT, ColumnKind.CATEGORY) and 2 < column.distinct <= MOST_WATCHED:
        return watched(f"It is text with {column.distinct} different values; a channel takes numbers or two values.")
    if column.kind in (ColumnKind.TEXT, ColumnKind.CATEGORY) and column.distinct > 2:
        return left_out(f"It is text with {column.distinct} different values; a channel takes numbers or two values.")
    if column.kind is ColumnKind.NUMBER and _counts(values):
        return left_out("It only counts the rows.")
    if column.distinct == 1:
        return {"role": Role.FEATURE, "grade": "B", "reason": "It is constant here; a later change is an alarm."}
    if column.missing > 0.6:
        return {"role": Role.FEATURE, "grade": "B", "reason": f"{column.missing:.0%} of its cells are missing."}
    if is_command(values):
        return {"role": Role.FEATURE, "kind": ColumnKind.BOOLEAN, "reason": COMMAND}
    return {"role": Role.FEATURE}


def _mostly_numbers(column: Column, values: pd.Series) -> tuple[Column, list[str]]:
    """A number column with some texts, such as the "Bad" of a plant historian."""
    numbers = as_numbers(values)
    texts = values.notna().to_numpy() & np.isnan(numbers)
    row = int(np.flatnonzero(texts)[0]) if texts.any() else 0
    first = f"first in row {row + 1}: {str(values.iloc[row])[:30]!r}"
    summary = f"{int(texts.sum())} of {len(values)} cells are not numbers ({first})"
    update = {
        "role": Role.FEATURE if np.isfinite(numbers).any() else Role.IGNORE,
        "missing": float(np.isnan(numbers).mean()),
        "distinct": len(np.unique(numbers[np.isfinite(numbers)])),
        "grade": "B",
        "reason": f"{summary}.",
    }
    return column.model_copy(update=update), [f"Column {column.name!r}: {summary}; they count as missing."]


def _infinite(name: str, values: pd.Series) -> list[str]:
    if not pd.api.types.is_float_dtype(values):
        return []
    at = np.flatnonzero(np.isinf(values.to_numpy(dtype=np.float64, na_value=np.nan)))
    return (
        [f"Column {name!r}: {len(at)} infinite values count as missing, first in row {at[0] + 1}."] if len(at) else []
    )


def _holds_numbers(values: pd.Series) -> bool:
    """Whether a column is a channel of numbers; a few cells may be words such as Bad."""
    return pd.api.types.is_numeric_dtype(values) or _kind(values) is ColumnKind.NUMBER


def _kind(values: pd.Series) -> ColumnKind:
    if pd.api.types.is_bool_dtype(values):
        return ColumnKind.BOOLEAN
    if pd.api.types.is_numeric_dtype(values):
        return ColumnKind.NUMBER
    if pd.api.types.is_datetime64_any_dtype(values):
        return ColumnKind.DATE
    known = values.dropna()
    if len(known) and pd.to_numeric(known.astype(object), errors="coerce").notna().mean() >= MOSTLY:
        return ColumnKind.NUMBER
    return ColumnKind.CATEGORY if known.nunique() <= max(2, min(50, len(known) / 20)) else ColumnKind.TEXT


def _counts(values: pd.Series) -> bool:
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    return len(numbers) > 2 and bool(np.isfinite(numbers).all() and (np.diff(numbers) == 1).all())


def _why(role: Role) -> str:
    return {
        Role.LABEL: "Only used for evaluation, never for training.",
        Role.WATCHED: "Not learnt from, but a new value is an alarm, as declared.",
        Role.IGNORE: "Left out as declared.",
    }.get(role, "")
