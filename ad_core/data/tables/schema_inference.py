"""What the columns of a table should be used for: proposed with a grade and a reason, open to change."""

import re

import numpy as np
import pandas as pd

from ad_core.data.dataset import Column, ColumnKind, Declared, Role, Schema
from ad_core.data.tables.kind_inference import FEW_LEVELS, ColumnTraits, check_kind, look_at
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
    """Kinds, roles, units and grades of all columns, what was declared first; and notices.

    Raises:
        DataError: a declared column does not exist, has a role or a kind that it can't have.
    """
    known = Schema(columns=tuple(Column(name=n, role=Role.IGNORE, kind=ColumnKind.TEXT) for n in data.columns))
    known.with_roles(declared.roles() | dict.fromkeys(declared.kinds, Role.IGNORE))
    known.with_roles(declared.roles())
    looks = [look_at(data[name], declared.kinds.get(name)) for name in data.columns]
    label = _give_label(looks, declared)
    for look in looks:
        _grade(look, len(data), max_levels)
    _give_id(looks, declared, label)
    _compare(looks, label, data)
    for look in looks:
        role = declared.roles().get(look.name)
        if role is not None:
            if role is Role.FEATURE and look.role is not Role.FEATURE:
                look.reasons.append("Used because you asked for it.")
            look.role = role
        if look.role is Role.FEATURE and look.name in declared.kinds:
            check_kind(look.values, look.kind)
    notices = [notice for look in looks if (notice := _infinite(look))]
    return Schema(columns=tuple(look.column() for look in looks)), notices


def _give_label(looks: list[ColumnTraits], declared: Declared) -> str | None:
    """The label column; further ones are left out, for they know the answer too."""
    taken = declared.roles()
    alike = [look for look in looks if LABEL_NAME.match(look.name) and look.distinct == 2 and _is_label(look.values)]
    free = [look for look in alike if look.name not in taken]
    label = declared.label or (free[0].name if free else None)
    for look in alike:
        if look.name == label:
            look.lower("A", "Name and values look like the truth: used to judge, never to train.", Role.LABEL)
        else:
            look.lower("C", "Looks like the truth about the rows: it would give the answer away.", Role.IGNORE)
    return label


def _is_label(values: pd.Series) -> bool:
    try:
        label_values(values, str(values.name))
    except DataError:
        return False
    return True


def _grade(look: ColumnTraits, rows: int, max_levels: int) -> None:
    """Caveats that a column has by itself."""
    if look.role is not Role.FEATURE:
        return
    if look.distinct == 0:
        look.lower("C", "Every cell is missing.", Role.IGNORE)
    elif look.missing > NEARLY_EMPTY:
        look.lower("C", f"{look.missing:.1%} of the cells are missing.", Role.IGNORE)
    elif look.distinct == 1 and look.missing == 0:
        look.lower("C", "Every row has the same value.", Role.IGNORE)
    elif look.missing > MOSTLY_MISSING:
        look.lower("B", f"{look.missing:.0%} of the cells are missing.")
    elif look.distinct == 1:
        look.lower("B", "One value or nothing: only whether it is filled can count.")
    if look.role is not Role.FEATURE:
        return
    if look.kind is ColumnKind.TEXT and look.is_wording:
        look.lower("B", f"Free text, {look.distinct} different ones: what counts is its wording and its length.")
    elif look.kind is ColumnKind.TEXT:
        look.lower("C", f"Free text: {look.distinct} different values in {rows} rows.", Role.IGNORE)
    elif look.kind is ColumnKind.CATEGORY and look.distinct > max_levels:
        look.lower("B", f"{look.distinct} different values: what counts is how frequent a row's value is.")


def _give_id(looks: list[ColumnTraits], declared: Declared, label: str | None) -> None:
    """Identifiers are no features; the most likely one names the rows."""
    found = []
    for look in looks:
        if look.name == label or look.distinct == 0 or look.name in declared.roles():
            continue
        if _can_name_rows(look):
            found.append((not _has_id_name(look), look))
        elif (
            _has_id_name(look)
            and look.kind in (ColumnKind.TEXT, ColumnKind.CATEGORY, ColumnKind.NUMBER)
            and _is_whole(look)
        ):
            _repeats(look)
    for place, (_, look) in enumerate(sorted(found, key=lambda pair: pair[0])):
        if place == 0 and declared.id is None:
            look.grade, look.reasons = "A", ["Different in every row: used to name the rows, not to train."]
            look.role = Role.ID
        else:
            look.lower("C", "Different in every row, like an identifier.", Role.IGNORE)


def _has_id_name(look: ColumnTraits) -> bool:
    name = look.name.strip()
    return bool(ID_NAME.search(name) or ID_NAME.search(name.lower()))


def _can_name_rows(look: ColumnTraits) -> bool:
    """Different in every row, and an identifier by its name or by how its values look."""
    if not look.is_unique or look.is_mixed or look.kind is ColumnKind.DATE:
        return False
    if _has_id_name(look):
        return _is_whole(look)
    return look.distinct >= 10 and (look.is_sequence or _is_codes(look))


def _repeats(look: ColumnTraits) -> None:
    """An identifier of something that occurs in several rows."""
    if look.distinct > FEW_LEVELS:
        look.lower("C", f"An identifier by its name, with {look.distinct} different values.", Role.IGNORE)
    elif look.role is Role.FEATURE:
        look.kind = ColumnKind.CATEGORY
        look.lower("B", "An identifier by its name: its values are taken as categories.")


def _is_whole(look: ColumnTraits) -> bool:
    """Whole numbers, or no numbers."""
    if look.kind is not ColumnKind.NUMBER:
        return True
    found, _ = numbers(look.values)
    there = known_of(found)
    return bool((there == np.floor(there)).all())


def _is_codes(look: ColumnTraits) -> bool:
    """Texts without blanks, different in every row."""
    if look.kind not in (ColumnKind.TEXT, ColumnKind.CATEGORY) or look.distinct <= FEW_LEVELS:
        return False
    head = look.values.head(200).astype("str").str.strip()
    return bool((~head.str.contains(r"\s", regex=True) & (head.str.len() <= 40)).all())


def _compare(looks: list[ColumnTraits], label: str | None, data: pd.DataFrame) -> None:
    """Caveats that a column has because of another one."""
    used = [look for look in looks if look.role is Role.FEATURE]
    for name, (other, r) in near_copies(
        {look.name: look.values for look in used if look.kind is ColumnKind.NUMBER}
    ).items():
        look = next(look for look in used if look.name == name)
        look.lower("B", f"Nearly the same as {other!r} (r = {r:.5f}).")
    if label is None:
        return
    truth = label_values(data[label], label)
    for look in used:
        found = leak(look.values, look.kind, truth)
        if found == "leak":
            # it stays in: labels never choose what is learnt from, and a true anomaly can be as plain as this
            look.lower("B", f"Tells {label!r} apart without an error: if it was written down afterwards, ignore it.")
        elif found == "strong":
            look.lower("B", f"Known anomalies of {label!r} all lie on one side: is it known beforehand?")


def _infinite(look: ColumnTraits) -> str | None:
    count = infinities(look.values)
    if not count:
        return None
    row = int(np.flatnonzero(np.isinf(look.values.to_numpy(dtype=np.float64, na_value=np.nan)))[0]) + 1
    return f"{look.name!r} has {count} infinite cells, first in row {row}; they count as missing."
