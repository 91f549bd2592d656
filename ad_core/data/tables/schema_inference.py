"""Propose the roles of a table's columns, each with a grade and a reason; the analyst can change them."""

import re
import shlex

import numpy as np
import pandas as pd

from ad_core.data.dataset import Column, ColumnKind, Declared, Role, Schema
from ad_core.data.label_search import ASKED, Labels, find_labels
from ad_core.data.label_words import is_label_name
from ad_core.data.tables.kind_inference import FEW_LEVELS, ColumnTraits, check_kind, traits_of
from ad_core.data.tables.labels import read_labels
from ad_core.data.tables.leakage import leak, near_copies
from ad_core.data.tables.running_clock import running
from ad_core.data.tables.values import infinities, known_of, numbers

ID_NAME = re.compile(r"(^|[ _.\-])(id|uuid|guid|key)$|[a-z](Id|ID)$|^(index|idx|rownum|row|nr|no|unnamed: 0|column 1)$")
REPEATED = "An identifier by its name"
MOST_NAMED = 5
"""Maximum number of columns that a sentence names."""
MOSTLY_MISSING, NEARLY_EMPTY = 0.6, 0.95


def propose(data: pd.DataFrame, declared: Declared, max_levels: int = FEW_LEVELS) -> tuple[Schema, list[str]]:
    """Kinds, roles, units and grades of all columns, with priority for declared ones; and notices.

    Raises:
        DataError: a declared column does not exist, has a role or a kind that it can't have.
    """
    known = Schema(columns=tuple(Column(name=n, role=Role.IGNORE, kind=ColumnKind.TEXT) for n in data.columns))
    known.with_roles(declared.roles() | dict.fromkeys(declared.kinds, Role.IGNORE))
    known.with_roles(declared.roles())
    all_traits = _all_traits(data, declared)
    labels = find_labels(data, declared.label, declared.roles())
    label = declared.label or labels.label
    for traits in all_traits:
        _mark(traits, labels, declared.label)
        _grade(traits, len(data), max_levels)
    _give_id(all_traits, {*declared.roles(), *labels.names}, declared.id is not None)
    _compare(all_traits, label, data)
    clocks = [notice for traits in all_traits if (notice := _calendar(traits, declared))]
    for traits in all_traits:
        role = declared.roles().get(traits.name)
        if role is not None:
            if role is Role.FEATURE and traits.role is not Role.FEATURE:
                traits.reasons.append("Used because you marked it as a feature.")
            traits.role, traits.asked = role, ""
        if traits.role is Role.FEATURE and traits.name in declared.kinds and not declared.of_training:
            check_kind(traits.values, traits.kind)
    notices = (
        labels.notices()
        + _repeated(all_traits)
        + [notice for traits in all_traits if (notice := _infinite(traits))]
        + clocks
    )
    return Schema(columns=tuple(traits.column() for traits in all_traits)), notices


def _mark(traits: ColumnTraits, labels: Labels, declared: str | None) -> None:
    """What is known of one column from its name and values as a label."""
    name = traits.name
    if name == labels.label:
        traits.lower("A", "Name and values look like true labels: used for evaluation, never for training.", Role.LABEL)
    elif name == declared:
        traits.lower("A", "Used for evaluation, never for training.", Role.LABEL)
    elif name in labels.left_out:
        traits.lower("C", labels.left_out[name], Role.IGNORE)
    elif name in labels.asked:
        traits.lower("C", ASKED, Role.IGNORE)
        traits.asked = labels.asked[name]
    elif name in labels.used:
        traits.lower("B", labels.used[name])


def _all_traits(data: pd.DataFrame, declared: Declared) -> list[ColumnTraits]:
    """Properties of all columns, before any has a role."""
    found = [traits_of(data[name], declared.kinds.get(name)) for name in data.columns]
    is_numbered = list(data.columns) == [f"column {i + 1}" for i in range(len(found))]
    for traits in found:
        traits.is_numbered = is_numbered
    return found


def _grade(traits: ColumnTraits, rows: int, max_levels: int) -> None:
    """Caveats of a single column."""
    if traits.role is not Role.FEATURE:
        return
    role, change = _watched(traits)
    if traits.distinct == 0:
        traits.lower("C", f"Every cell is missing. {change}", role)
    elif traits.missing > NEARLY_EMPTY:
        traits.lower("C", f"{traits.missing:.1%} of the cells are missing. {change}", role)
    elif traits.distinct == 1 and traits.missing == 0:
        traits.lower("C", f"Every row has the same value. {change}", role)
    elif traits.missing > MOSTLY_MISSING:
        traits.lower("B", f"{traits.missing:.0%} of the cells are missing.")
    elif traits.distinct == 1:
        traits.lower("B", "One value or missing: only whether it is missing can matter.")
    if traits.role is not Role.FEATURE:
        return
    if traits.kind is ColumnKind.TEXT and traits.is_wording:
        traits.lower("B", f"Free text, {traits.distinct} different ones: its wording and its length are used.")
    elif traits.kind is ColumnKind.TEXT:
        traits.lower("C", f"Free text: {traits.distinct} different values in {rows} rows.", Role.IGNORE)
    elif traits.kind is ColumnKind.CATEGORY and traits.distinct > max_levels:
        traits.lower("B", f"{traits.distinct} different values: the frequency of a row's value is used.")


def _watched(traits: ColumnTraits) -> tuple[Role, str]:
    """The role of a column that nothing can be learnt from, and what a change of it means."""
    if is_label_name(traits.name):
        return Role.IGNORE, "Left out, as its name is that of true labels."
    return Role.WATCHED, "Nothing can be learnt from it, but a new value is an alarm."


def _give_id(all_traits: list[ColumnTraits], known: set[str], has_id: bool) -> None:
    """Identifiers are not features; the most likely one becomes the id column.

    Args:
        known: columns whose roles are certain.
        has_id: whether one of them is the id column.
    """
    candidates = []
    for traits in all_traits:
        if traits.distinct == 0 or traits.name in known:
            continue
        if _can_name_rows(traits):
            candidates.append((not _has_id_name(traits), traits))
        elif (
            _has_id_name(traits)
            and traits.kind in (ColumnKind.TEXT, ColumnKind.CATEGORY, ColumnKind.NUMBER)
            and _is_whole(traits)
        ):
            _repeats(traits)
    for place, (_, traits) in enumerate(sorted(candidates, key=lambda pair: pair[0])):
        if place == 0 and not has_id:
            traits.grade, traits.reasons = "A", ["Different in every row: used as the row id, not for training."]
            traits.role = Role.ID
        else:
            traits.lower("C", "Different in every row, like an identifier.", Role.IGNORE)


def _has_id_name(traits: ColumnTraits) -> bool:
    name = traits.name.strip()
    return not traits.is_numbered and bool(ID_NAME.search(name) or ID_NAME.search(name.lower()))


def _can_name_rows(traits: ColumnTraits) -> bool:
    """Different in every row, and an identifier by its name or the form of its values."""
    if not traits.is_unique or traits.is_mixed or traits.kind is ColumnKind.DATE:
        return False
    if _has_id_name(traits):
        return _is_whole(traits)
    return traits.distinct >= 10 and (traits.is_sequence or _is_codes(traits))


def _repeats(traits: ColumnTraits) -> None:
    """An identifier of something that occurs in several rows."""
    if traits.distinct > FEW_LEVELS:
        traits.lower("C", f"{REPEATED}, with {traits.distinct} different values.", Role.IGNORE)
    elif traits.role is Role.FEATURE:
        traits.kind = ColumnKind.CATEGORY
        traits.lower("B", "An identifier by its name: its values are used as categories.")


def _repeated(all_traits: list[ColumnTraits]) -> list[str]:
    """A sentence about identifiers that are left out, which the user may want as a category or a class."""
    left_out = [t for t in all_traits if t.role is Role.IGNORE and any(r.startswith(REPEATED) for r in t.reasons)]
    if not left_out:
        return []
    first, names = left_out[0].name, ", ".join(f"{t.name!r} ({t.distinct:,} values)" for t in left_out[:MOST_NAMED])
    more = f" and {len(left_out) - MOST_NAMED} more" if len(left_out) > MOST_NAMED else ""
    return [
        f"Left out as identifiers of things that occur in several rows: {names}{more}. To use {first!r}, declare it as "
        f"a category (--category {shlex.quote(first)}, or use=[{first!r}] and kinds={{{first!r}: 'category'}}) or as "
        f"the class of normal rows (--class-column {shlex.quote(first)}, class_column={first!r})."
    ]


def _is_whole(traits: ColumnTraits) -> bool:
    """Whether it holds whole numbers, or no numbers."""
    if traits.kind is not ColumnKind.NUMBER:
        return True
    parsed, _ = numbers(traits.values)
    known = known_of(parsed)
    return bool((known == np.floor(known)).all())


def _is_codes(traits: ColumnTraits) -> bool:
    """Whether it holds texts without blanks, such as codes."""
    if traits.kind not in (ColumnKind.TEXT, ColumnKind.CATEGORY) or traits.distinct <= FEW_LEVELS:
        return False
    head = traits.values.head(200).astype("str").str.strip()
    return bool((~head.str.contains(r"\s", regex=True) & (head.str.len() <= 40)).all())


def _compare(all_traits: list[ColumnTraits], label: str | None, data: pd.DataFrame) -> None:
    """Caveats that a column has because of another one."""
    used = [traits for traits in all_traits if traits.role is Role.FEATURE]
    for name, (other, r) in near_copies(
        {traits.name: traits.values for traits in used if traits.kind is ColumnKind.NUMBER}
    ).items():
        traits = next(traits for traits in used if traits.name == name)
        traits.lower("B", f"Nearly the same as {other!r} (r = {r:.5f}).")
    if label is None:
        return
    truth, _ = read_labels(data[label], label)
    if truth is None:
        return
    for traits in used:
        result = leak(traits.values, traits.kind, truth)
        if result == "leak":
            # it stays a feature: labels never choose features, and a true anomaly can be as obvious as this
            traits.lower("B", f"Predicts {label!r} without an error: if it was recorded afterwards, ignore it.")
        elif result == "strong":
            traits.lower("B", f"All known anomalies of {label!r} lie on one side: is it known beforehand?")


def _calendar(traits: ColumnTraits, declared: Declared) -> str | None:
    """Read a running clock as a calendar, unless the user has chosen its kind or marked it as a feature."""
    if traits.role is not Role.FEATURE or traits.name in declared.kinds or traits.name in declared.roles():
        return None
    why = running(traits.values, traits.kind)
    if not why:
        return None
    elapsed = f"set its kind to {traits.kind}, or mark it as a feature (--use {traits.name!r})"
    traits.kind = ColumnKind.CALENDAR
    traits.lower("B", f"{why}: its hour, weekday and month are used, its elapsed time is not.")
    return (
        f"{traits.name!r}: {why[0].lower()}{why[1:]}, so a later file lies wholly beyond the training rows. Hour, "
        f"weekday and month are used where they repeat, the elapsed time is not. To use it, {elapsed}."
    )


def _infinite(traits: ColumnTraits) -> str | None:
    count = infinities(traits.values)
    if not count:
        return None
    row = int(np.flatnonzero(np.isinf(traits.values.to_numpy(dtype=np.float64, na_value=np.nan)))[0]) + 1
    return f"{traits.name!r} has {count} infinite cells, first in row {row}; they count as missing."
