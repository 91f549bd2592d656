"""Columns that may hold true labels: one question, in the words of the app, the command line and Python."""

import shlex
from typing import Literal

from ad_core.data.dataset import Dataset, Role, Schema
from ad_core.errors import DataError

Face = Literal["app", "shell", "python"]
"""Where the answer is given."""


def undecided(schema: Schema) -> list[str]:
    """Columns of which the user has to say whether they hold true labels."""
    return [column.name for column in schema.columns if column.asked]


def questions(dataset: Dataset, face: Face) -> list[str]:
    """A question per undecided column, with the ways to answer it."""
    has_label = dataset.schema.one(Role.LABEL) is not None
    asked = [column for column in dataset.schema.columns if column.asked]
    texts = [
        f"Column {column.name!r} may hold true labels ({column.asked}), which must not be trained on. "
        f"{_ways(column.name, face, has_label)}"
        for column in asked
    ]
    if len(texts) > 1 and not has_label and face != "app":
        texts.append(f"Only one of them can be the label: {_leave_out(face)} the others that hold one.")
    return texts


def refuse_undecided(dataset: Dataset, face: Face) -> None:
    """Nothing is trained before the user has answered.

    Raises:
        DataError: with all questions.
    """
    if texts := questions(dataset, face):
        raise DataError(" ".join(texts))


def _ways(name: str, face: Face, has_label: bool) -> str:
    """Where there is a label already, a further one is left out."""
    if face == "app":
        return "Say whether it does."
    if face == "shell":
        quoted = shlex.quote(name)
        return f"Add --{'ignore' if has_label else 'label'} {quoted} if it does, or --use {quoted} if it does not."
    does = f"ignore=[{name!r}]" if has_label else f"label={name!r}"
    return f"Open the data with {does} if it does, or use=[{name!r}] if it does not."


def _leave_out(face: Face) -> str:
    return "--ignore" if face == "shell" else "list in ignore=[...]"
