"""Propose the roles of a table's columns, each with a grade and a reason; the analyst can change them."""

import re

import numpy as np
import pandas as pd

from ad_core.data.dataset import Column, ColumnKind, Declared, Role, Schema
from ad_core.data.tables.kind_inference import FEW_LEVELS, ColumnTraits, check_kind, traits_of
from ad_core.data.tables.labels import label_values
from ad_core.data.tables.leakage import leak, near_copies
from ad_core.data.tables.values import infinities, known_of, numbers
from ad_core.errors import DataError

ID_NAME = re.compile(r"(^|[ _.\-])(id|uuid|guid|key)$|[a-z](Id|ID)$|^(index|idx|rownum|row|nr|no|unnamed: 0|column 1)$")
LABEL_NAME = re.compile(
    r"(?i)^((is|has)[ _-]?)?(label|target|y|class|anomal(y|ies|ous)|outlier|fraud(ulent)?|attack|intrusion|"
    r"defect(ive)?|fault(y)?|ground[ _-]?truth)([ _-]?(label|flag|point))?$"
)
MOSTLY_MISSING, NEARLY_EMPTY = 0.6, 0.95


def propose(data: pd.DataFrame, declared: Declared, max_levels: int = FEW_LEVELS) -> tuple[Schema, list[str]]:
    """Kinds, roles, units and grades of all columns, with priority for declared ones; and notices.

    Raises:
        DataError: a declared column does not exist, has a role or a kind that it can't have.
    """
    known = Schema(columns=tuple(Column(name=n, role=Role.IGNORE, kind=ColumnKind.TEXT) for n in data.columns))
    known.with_roles(declared.roles() | dict.fromkeys(declared.kinds, Role.IGNORE))
    known.with_roles(declared.roles())
    all_traits = [traits_of(data[name], declared.kinds.get(name)) for name in data.columns]
    label = _give_label(all_traits, declared)
    for traits in all_traits:
        _grade(traits, len(data), max_levels)
    _give_id(all_traits, declared, label)
    _compare(all_traits, label, data)
    for traits in all_traits:
        role = declared.roles().get(traits.name)
        if role is not None:
            if role is Role.FEATURE and traits.role is not Role.FEATURE:
                traits.reasons.append("Used because you marked it as a feature.")
            traits.role = role
        if traits.role is Role.FEATURE and traits.name in declared.kinds:
            check_kind(traits.values, traits.kind)
    notices = [notice for traits in all_traits if (notice := _infinite(traits))]
    return Schema(columns=tuple(traits.column() for traits in all_traits)), notices


def _give_label(all_traits: list[ColumnTraits], declared: Declared) -> str | None:
    """The label column; further ones are left out, because they hold the label too."""
    taken = declared.roles()
    alike = [
        traits
        for traits in all_traits
        if LABEL_NAME.match(traits.name) and traits.distinct == 2 and _is_label(traits.values)
    ]
    free = [traits for traits in alike if traits.name not in taken]
    label = declared.label or (free[0].name if free else None)
    for traits in alike:
        if traits.name == label:
            traits.lower(
                "A", "Name and values look like true labels: used for evaluation, never for training.", Role.LABEL
            )
        else:
            traits.lower("C", "Looks like true labels: using it would leak the label.", Role.IGNORE)
    return label


def _is_label(values: pd.Series) -> bool:
    try:
        label_values(values, str(values.name))
    except DataError:
        return False
    return True


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
    if LABEL_NAME.match(traits.name):
        return Role.IGNORE, "Left out, as its name is that of true labels."
    return Role.WATCHED, "Nothing can be learnt from it, but a new value is an alarm."


def _give_id(all_traits: list[ColumnTraits], declared: Declared, label: str | None) -> None:
    """Identifiers are not features; the most likely one becomes the id column."""
    candidates = []
    for traits in all_traits:
        if traits.name == label or traits.distinct == 0 or traits.name in declared.roles():
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
        if place == 0 and declared.id is None:
            traits.grade, traits.reasons = "A", ["Different in every row: used as the row id, not for training."]
            traits.role = Role.ID
        else:
            traits.lower("C", "Different in every row, like an identifier.", Role.IGNORE)


def _has_id_name(traits: ColumnTraits) -> bool:
    name = traits.name.strip()
    return bool(ID_NAME.search(name) or ID_NAME.search(name.lower()))


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
        traits.lower("C", f"An identifier by its name, with {traits.distinct} different values.", Role.IGNORE)
    elif traits.role is Role.FEATURE:
        traits.kind = ColumnKind.CATEGORY
        traits.lower("B", "An identifier by its name: its values are used as categories.")


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
    truth = label_values(data[label], label)
    for traits in used:
        result = leak(traits.values, traits.kind, truth)
        if result == "leak":
            # it stays a feature: labels never choose features, and a true anomaly can be as obvious as this
            traits.lower("B", f"Predicts {label!r} without an error: if it was recorded afterwards, ignore it.")
        elif result == "strong":
            traits.lower("B", f"All known anomalies of {label!r} lie on one side: is it known beforehand?")


def _infinite(traits: ColumnTraits) -> str | None:
    count = infinities(traits.values)
    if not count:
        return None
    row = int(np.flatnonzero(np.isinf(traits.values.to_numpy(dtype=np.float64, na_value=np.nan)))[0]) + 1
    return f"{traits.name!r} has {count} infinite cells, first in row {row}; they count as missing."
