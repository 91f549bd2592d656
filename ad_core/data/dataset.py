"""The user's data, opened: columns with roles and kinds, rows with ids and notes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
)

from ad_core.data.column_report import ColumnReport, column_report
from ad_core.errors import DataError
from ad_core.types import JudgedBy, Modality

if TYPE_CHECKING:
    from ad_core.data.files.reading import Reading


class Role(StrEnum):
    """What a column is used for."""

    FEATURE = "feature"
    ID = "id"
    LABEL = "label"
    CLASS = "class"
    TIME = "time"
    ENTITY = "entity"
    WATCHED = "watched"
    """Nothing can be learnt from it, as it never or hardly ever changes; a value that it never held is an alarm."""
    IGNORE = "ignore"


class ColumnKind(StrEnum):
    """What a column holds."""

    NUMBER = "number"
    CATEGORY = "category"
    BOOLEAN = "boolean"
    DATE = "date"
    CALENDAR = "calendar"
    """A running clock, which only moves on: its hour, weekday and month count, the elapsed time does not."""
    TEXT = "text"


class Column(BaseModel):
    """One column of the user's data, with its role and kind."""

    model_config = ConfigDict(frozen=True)

    name: str
    role: Role
    kind: ColumnKind
    unit: str | None = None
    missing: float = 0.0
    """Share of missing cells, 0..1."""
    distinct: int = 0
    grade: str = "A"
    """A = fine, B = usable with a caveat, C = left out unless the analyst insists."""
    reason: str = ""
    """Why the grade and the role, in one sentence."""
    asked: str = ""
    """The values seen, where the user has to say whether the column holds true labels; see `label_questions`."""
    judged_by: JudgedBy | None = None
    """Channels only: the user's choice of level or shape, None if unset."""


class Schema(BaseModel):
    """The columns of a data set, in file order."""

    model_config = ConfigDict(frozen=True)

    columns: tuple[Column, ...]

    def names(self, role: Role) -> list[str]:
        """Names of the columns of a role, in file order."""
        return [c.name for c in self.columns if c.role is role]

    @property
    def scored(self) -> list[str]:
        """Names of the columns that scores depend on: features, then those that are only watched."""
        return [*self.names(Role.FEATURE), *self.names(Role.WATCHED)]

    def one(self, role: Role) -> str | None:
        """The column of a role that at most one column can have."""
        return next(iter(self.names(role)), None)

    def judged(self, declared: "Declared") -> "Schema":
        """The same schema with the user's choice of level or shape per channel.

        Raises:
            DataError: there is no such column.
        """
        if unknown := sorted(set(declared.judged_by) - {c.name for c in self.columns}):
            raise DataError(
                f"There is no column {unknown[0]!r} that could be judged by its level or shape. "
                f"The channels are: {', '.join(self.names(Role.FEATURE)[:30])}."
            )
        changed = (c.model_copy(update={"judged_by": declared.judged_by.get(c.name)}) for c in self.columns)
        return Schema(columns=tuple(changed))

    def with_units(self, units: Mapping[str, str]) -> "Schema":
        """The same schema with units that are not in the names of columns."""
        changed = (c.model_copy(update={"unit": units.get(c.name, c.unit)}) for c in self.columns)
        return Schema(columns=tuple(changed))

    def with_roles(self, roles: Mapping[str, Role]) -> "Schema":
        """The same schema with some roles changed.

        Raises:
            DataError: a column does not exist, or two columns have a role that only one can have.
        """
        known = {c.name for c in self.columns}
        for name in roles:
            if name not in known:
                raise DataError(f"There is no column {name!r}. The columns are: {', '.join(sorted(known)[:30])}.")
        changed = Schema(
            columns=tuple(c.model_copy(update={"role": Role(roles.get(c.name, c.role))}) for c in self.columns)
        )
        for role in (Role.ID, Role.LABEL, Role.CLASS, Role.TIME, Role.ENTITY):
            if len(twice := changed.names(role)) > 1:
                raise DataError(f"Only one column can be the {role} column, but {' and '.join(twice)} are. Choose one.")
        return changed


LATER_FIELDS = {"folders": {}, "ids_by_source": False, "sheet": None, "header": None, "every_line": False, "units": {}}
"""Fields of `Declared` that were added later, and what they are where they say nothing: then they are not written, so
that the declarations of older versions stay as they are."""


class Declared(BaseModel):
    """What the user declared when opening the data; the rest is inferred."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    modality: Modality | None = None
    id: str | None = None
    label: str | None = None
    class_column: str | None = None
    time: str | None = None
    entity: str | None = None
    ignore: tuple[str, ...] = ()
    use: tuple[str, ...] = ()
    """Columns to use as features although the reader would leave them out."""
    watch: tuple[str, ...] = ()
    """Columns that are not learnt from, but whose new values are an alarm."""
    only: tuple[str, ...] = ()
    """`COLUMN=VALUE` texts: only the rows that fulfil all of them are training rows. All rows are scored."""
    exclude: tuple[tuple[str, ...], ...] = ()
    """Recordings only: times such as known downtime, as (from, to) or (from, to, entity), both ends included. Their
    rows are used neither for training nor for calibration; they are scored and marked."""
    kinds: dict[str, ColumnKind] = {}
    """Columns whose kind the user corrected."""
    folders: dict[str, str] = {}
    """Images only: folder (part of a path, `/PATH` from the top, or `*` for all) -> train, normal, anomaly, unknown or
    mask, where its name says something else, or nothing."""
    ids_by_source: bool = False
    """Whether a row id that occurs in several files begins with the name of its file. Data sets that were opened by
    older versions number such ids over all files instead, and keep doing so."""
    judged_by: dict[str, JudgedBy] = {}
    """Channels of recordings for which the user chose whether the level, only the shape, or both matter."""
    allow_missing: bool = Field(False, exclude=True)
    """New data of a detector: whether used columns may be missing or empty; they are filled in. Not kept with data."""
    of_training: bool = Field(False, exclude=True)
    """Whether all this was learnt from training data: new data are read in this way whatever they hold, since an
    unknown value is for the detector to score. Not kept with data."""
    sheet: str | None = None
    """Sheet of a workbook; None = the first filled one."""
    header: int | None = Field(None, ge=0)
    """Line of the column names, 1 = the first; 0 = there is none; None = guessed."""
    every_line: bool = False
    """Every line below the header is a row: no units, repeated headers, totals or footers are looked for."""
    units: dict[str, str] = {}
    """Units in which columns are wanted: other ones are converted or refused."""

    @field_validator("exclude")
    @classmethod
    def _ranges(cls, exclude: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        if wrong := [part for part in exclude if len(part) not in (2, 3)]:
            raise ValueError(f"a range is (from, to) or (from, to, entity), not {wrong[0]}")
        return exclude

    @model_serializer(mode="wrap")
    def _without_later_fields(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Fields that earlier versions did not have are written only where they say something."""
        fields: dict[str, Any] = written(self)
        silent = {name for name, nothing in LATER_FIELDS.items() if getattr(self, name) == nothing}
        return {name: value for name, value in fields.items() if name not in silent}

    def reading(self) -> "Reading":
        """How files are to be read."""
        from ad_core.data.files.reading import Reading

        named = {self.id, self.label, self.class_column, self.time, self.entity} - {None}
        written = {name for name, kind in self.kinds.items() if kind is not ColumnKind.NUMBER} | named
        return Reading(
            sheet=self.sheet,
            header=self.header,
            every_line=self.every_line,
            names=frozenset(map(str, {*self.roles(), *self.kinds})),
            texts=frozenset(map(str, written)),
            numbers=frozenset(self.kinds) - frozenset(map(str, written)),
            units=self.units,
        )

    def roles(self) -> dict[str, Role]:
        """Column name -> role, for what was declared."""
        named = {
            Role.ID: self.id,
            Role.LABEL: self.label,
            Role.CLASS: self.class_column,
            Role.TIME: self.time,
            Role.ENTITY: self.entity,
        }
        return {
            **dict.fromkeys(self.ignore, Role.IGNORE),
            **dict.fromkeys(self.watch, Role.WATCHED),
            **dict.fromkeys(self.use, Role.FEATURE),
            **{name: role for role, name in named.items() if name is not None},
        }


@dataclass(frozen=True)
class Dataset:
    """The user's data, opened: nothing is scaled or encoded yet.

    `data` has one line per input row in input order: the user's own columns for tables and recordings; for images
    `path` (relative, the row_id), `file` (where the bytes are), `height`, `width`, `mode`, `folder`. `rows` runs
    parallel to it.
    """

    modality: Modality
    schema: Schema
    data: pd.DataFrame
    rows: pd.DataFrame
    """`row_id`, `note` ("" = fine, else why the row can't be used), and where they exist `entity`, `time` (as read),
    `label` (0/1), `cls` (the class as text), `excluded` (bool, see `Declared.exclude`), and of tables from files
    `source` (the name of the file).
    """
    declared: Declared
    sources: tuple[str, ...]
    name: str
    is_training: np.ndarray
    """(rows,) bool: rows for training and calibration; by default all without a note, see `Declared.only`."""
    fingerprint: str = ""
    """sha256 over the content; the same data give the same fingerprint."""
    notices: tuple[str, ...] = field(default=())
    training_notices: tuple[str, ...] = ()
    """Those of the notices that matter only where a detector is trained on these data."""
    folders: pd.DataFrame | None = None
    """Images only: `folder`, `images` and `use` of each folder: train, normal, anomaly, unknown (only scored), mask."""
    absent: tuple[str, ...] = ()
    """Columns that the training data had and these lack, as `Declared.allow_missing` allows: they are filled in."""

    def __len__(self) -> int:
        return len(self.rows)

    def report(self) -> ColumnReport:
        """What is done with each column, and why: `print(dataset.report())`."""
        return column_report(self)

    def with_training_rows(self, is_training: np.ndarray) -> "Dataset":
        """The same data with another choice of training rows."""
        can = (self.rows["note"] == "").to_numpy()
        if "excluded" in self.rows:
            can = can & ~self.rows["excluded"].to_numpy()
        return replace(self, is_training=np.asarray(is_training, dtype=bool) & can)


def row_ids(parts: pd.DataFrame | pd.Series) -> pd.Series:
    """Make texts unique in input order: the second `a` becomes `a#2`, the third `a#3`."""
    text = parts.astype(str)
    while text.duplicated().any():  # repeated, as `a#2` may be among the texts already
        earlier = text.groupby(text).cumcount()
        text = text.where(earlier == 0, text + "#" + (earlier + 1).astype(str))
    return text


SOURCE_END = "|"
"""Ends the name of the file at the beginning of a row id; see `Declared.ids_by_source`."""

HASHED_AT_A_TIME = 500_000
"""Number of rows that are copied and hashed at a time."""


def fingerprint_of(data: pd.DataFrame) -> str:
    """sha256 over a data frame's content and column names."""
    digest = hashlib.sha256("\x1f".join(map(str, data.columns)).encode())
    for begin in range(0, len(data), HASHED_AT_A_TIME):
        part = data.iloc[begin : begin + HASHED_AT_A_TIME]
        digest.update(pd.util.hash_pandas_object(part, index=False).to_numpy().tobytes())
    return digest.hexdigest()
