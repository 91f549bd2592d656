"""What happens with each column of a data set, in words: the same for the app, the command line and Python."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from ad_core.types import Modality

if TYPE_CHECKING:
    from ad_core.data.dataset import Column, Dataset  # which itself reports with this file

KINDS = {
    "number": ("number", "numbers"),
    "category": ("category", "categories"),
    "boolean": ("on/off value", "on/off values"),
    "date": ("date", "dates"),
    "calendar": ("date by hour, weekday and month", "dates by hour, weekday and month"),
    "text": ("free text", "free texts"),
}
ROLES = {
    "id": "names the rows",
    "label": "the label: used for evaluation, never for training",
    "class": "the class of normal rows",
    "time": "the time",
    "entity": "tells recordings apart",
    "watched": "not learnt from, but a new value is an alarm",
}
SHORT = {"id": "row id", "label": "label", "class": "class", "time": "time", "entity": "recording"}
SHOWN = 10
"""Maximum number of columns that a sentence names."""


@dataclass(frozen=True)
class ColumnReport:
    """What is done with each column: `summary` in a sentence or two, `table` and `lines` one line per column."""

    summary: str
    table: pd.DataFrame
    """`column`, `role`, `kind`, `unit`, `treatment` (used, left out, or as what it is taken, and why)."""

    @property
    def lines(self) -> list[str]:
        """A line per column, in file order."""
        return [f"{name}: {text}" for name, text in zip(self.table["column"], self.table["treatment"], strict=True)]

    def __str__(self) -> str:
        return "\n".join([self.summary, *(f"  {line}" for line in self.lines)])


def column_report(dataset: "Dataset") -> ColumnReport:
    """Report on the columns as they are declared or inferred now."""
    columns, has_labels = dataset.schema.columns, "label" in dataset.rows
    table = pd.DataFrame(
        [(c.name, str(c.role), str(c.kind), c.unit, treatment(c, has_labels)) for c in columns],
        columns=["column", "role", "kind", "unit", "treatment"],
    )
    return ColumnReport(_of_images(dataset) if dataset.modality is Modality.IMAGE else _summary(columns), table)


def treatment(column: "Column", has_labels: bool) -> str:
    """What is done with one column, and why.

    Args:
        has_labels: whether the label column could be read.
    """
    if column.asked:
        return f"not decided: {column.reason} Seen: {column.asked}."
    if column.role == "ignore":
        return f"left out: {column.reason.removeprefix('Left out ') or 'as declared.'}"
    if column.role == "label" and not has_labels:
        return "the label, but it can't be read: used for nothing."
    if column.role == "watched":
        return f"only watched: {column.reason or ROLES['watched'] + '.'}"
    if column.role != "feature":
        return f"{ROLES[column.role]}."
    unit = f" [{column.unit}]" if column.unit else ""
    levels = f" with {column.distinct:,} values" if column.kind == "category" else ""
    return f"used as {_a(KINDS[column.kind][0])}{unit}{levels}. {column.reason}".strip()


def _a(noun: str) -> str:
    return noun if noun == KINDS["text"][0] else f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"


def _summary(columns: Sequence["Column"]) -> str:
    used = [c for c in columns if c.role == "feature"]
    kinds = [f"{n} {KINDS[kind][n > 1]}" for kind, n in Counter(c.kind for c in used).items()]
    parts = [f"{len(used)} used ({', '.join(kinds)})" if used else "none used"]
    parts += [f"{SHORT[c.role]} {c.name!r}" for c in columns if c.role in SHORT]
    if watched := [c.name for c in columns if c.role == "watched"]:
        parts.append(f"{len(watched)} only watched for new values ({_names(watched)})")
    left_out = [c for c in columns if c.role == "ignore" and not c.asked]
    if asked := [c.name for c in columns if c.asked]:
        parts.append(f"not decided {_names(asked)}")
    parts.append(f"{len(left_out)} left out" if left_out else "none left out")
    reasons: dict[str, list[str]] = {}
    for column in left_out:
        reasons.setdefault(column.reason or "As declared.", []).append(column.name)
    why = [f" Left out: {_names(names)}. {reason}" for reason, names in list(reasons.items())[:SHOWN]]
    more = f" {len(reasons) - SHOWN} more reasons." if len(reasons) > SHOWN else ""
    return f"{len(columns)} {'columns' if len(columns) != 1 else 'column'}: {'; '.join(parts)}.{''.join(why)}{more}"


def _names(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:SHOWN]))
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown


def _of_images(dataset: "Dataset") -> str:
    role = {"label": "the label", "class": "the class of normal images"}
    folder = next((role.get(c.role, "not used") for c in dataset.schema.columns if c.name == "folder"), "not used")
    n = int((dataset.rows["note"] == "").sum())
    return f"{n:,} of {len(dataset):,} images can be used: their pixels are; their folder is {folder}."
