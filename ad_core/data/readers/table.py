"""Tables: one item per row, its columns encoded as numbers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field, TypeAdapter

from ad_core.data.absent import ALLOW, MOSTLY, similar
from ad_core.data.dataset import Column, ColumnKind, Dataset, Declared, Role
from ad_core.data.item_set import ItemSet
from ad_core.data.limits import LARGEST, NEW_AT_MOST, Limits, limits_of
from ad_core.data.reader import READERS, Reader
from ad_core.data.tables.choose_encoding import AnyEncoding, NumberForm, learn_encoding
from ad_core.data.tables.dataset import open_table
from ad_core.data.tables.encoding import ColumnEncoding
from ad_core.data.tables.values import coded, date_format, infinities, is_number_type
from ad_core.data.tables.watched_encoding import WatchedEncoding, learn_watched, novelty
from ad_core.errors import DataError
from ad_core.settings import Settings
from ad_core.types import ItemShape, Modality, Parts

_CODES: TypeAdapter[list[AnyEncoding]] = TypeAdapter(list[AnyEncoding])
_NAMES: TypeAdapter[list[str]] = TypeAdapter(list[str])
FEW = 4
"""Maximum number of unreadable cells of a column that are no sign of another type: a row is also scored alone."""
AT_A_TIME = 500_000
"""Number of rows of a column that are encoded at a time."""


class TableSettings(Settings):
    """How rows become items."""

    max_levels: int = Field(
        20,
        ge=2,
        le=1000,
        description="A category with more levels than this is encoded by how frequent its values are.",
    )
    numbers: NumberForm = Field(
        "z-score",
        description="How numbers are scaled: quantile reduces heavy tails, and keeps extreme values extreme.",
    )
    clip: float = Field(
        30.0,
        ge=1.0,
        le=1000.0,
        description="A method sees numbers clipped at this distance from the mean [standard deviations]; beyond, the "
        "score rises with the distance.",
    )


@READERS.register
class Table(Reader[TableSettings]):
    """A row is an item; each column is a part.

    Numbers and dates are z-scores of the training rows, booleans 0 or 1, categories one entry per level. A category
    part's entries are one block: its argmax is the level, the last entry stands for new levels. Free text is
    encoded by its wording. Whole numbers with few levels stay numbers: mark them as a category where their order has
    no meaning. Columns that are constant, empty or nearly empty in the training rows come last: a method does not learn
    from them, but any other value is an alarm (see `data.limits`).

    Units: each column is scaled separately, so a column in millimetres and one in tonnes have the same weight, and a
    new file in other units is reported as values out of range. Two units in one column can't be detected: split it.
    """

    title = "Table"
    modalities = frozenset({Modality.TABLE})
    Settings = TableSettings

    def __init__(self, settings: TableSettings) -> None:
        super().__init__(settings)
        self._codes: list[ColumnEncoding] = []
        self._classes: list[str] = []
        self._class_column: str | None = None
        self._columns: list[str] = []
        self._dropped: list[str] = []
        self._novelty = 0.0
        self._limited = True
        """False for bundles before format 3: their items were clipped here, and nothing was watched."""

    @classmethod
    def open(cls, sources: Sequence[Path] | pd.DataFrame, declared: Declared) -> Dataset:
        """CSV, Parquet or Excel files of the same columns, or a data frame; see `Reader.open`."""
        return open_table(sources, declared)

    def fit(self, dataset: Dataset, rows: np.ndarray) -> None:
        """Learn from the chosen rows; nothing can be learnt from constant columns, which are watched for changes."""
        chosen = np.asarray(rows, dtype=bool) & (dataset.rows["note"] == "").to_numpy()
        if chosen.sum() < 2:
            raise DataError(
                f"{chosen.sum()} rows can be used for training, but at least 2 are needed. Choose more training rows."
            )
        used = [column for column in dataset.schema.columns if column.role is Role.FEATURE]
        if not used:
            raise DataError("No column is used. Mark at least one as a feature on the Data page.")
        encodings = {column.name: self._learn(column, dataset, chosen) for column in used}
        self._codes = [code for code in encodings.values() if code is not None]
        if not self._codes:
            raise DataError(
                f"None of the {len(used)} used columns changes within the {chosen.sum()} training rows. "
                f"Choose other training rows or columns."
            )
        unlearnt = [c for c in dataset.schema.columns if c.role is Role.WATCHED or encodings.get(c.name, 0) is None]
        found = {c.name: learn_watched(c, dataset.data[c.name][chosen], self._form(c, dataset)) for c in unlearnt}
        self._codes += [code for code in found.values() if code is not None]
        self._dropped = [name for name, code in found.items() if code is None]
        scored = dataset.schema.scored if any(found.values()) else []
        self._novelty = novelty(dataset.data[name][chosen] for name in scored)
        self._columns = [str(name) for name in dataset.data.columns]
        self._class_column = dataset.schema.one(Role.CLASS)
        known = dataset.rows["cls"][chosen].dropna() if "cls" in dataset.rows else []
        self._classes = sorted(set(known))

    def _learn(self, column: Column, dataset: Dataset, chosen: np.ndarray) -> ColumnEncoding | None:
        values, own = dataset.data[column.name][chosen], self._own
        return learn_encoding(column, values, own.max_levels, own.numbers, self._form(column, dataset))

    @staticmethod
    def _form(column: Column, dataset: Dataset) -> str | None:
        """The format of dates that are texts: all rows decide whether day or month comes first."""
        values = dataset.data[column.name]
        is_text = not (pd.api.types.is_datetime64_any_dtype(values) or is_number_type(values))
        if column.kind not in (ColumnKind.DATE, ColumnKind.CALENDAR) or not is_text:
            return None
        return date_format(coded(values).levels)[0]

    def item_set(self, dataset: Dataset) -> ItemSet:
        """One item per row that has a value; text in a number column counts as missing, which the row's note says."""
        notes = dataset.rows["note"].astype("object").to_numpy().copy()
        usable = notes == ""
        notices = self._drop_notices()
        for code in self._codes[: self._learnt]:
            values = dataset.data[code.name]
            for row in np.flatnonzero(code.bad(values) & usable):
                notes[row] += (" " if notes[row] else "") + (
                    f"Column {code.name!r} has {str(values.iloc[row])[:40]!r}, which is not a {code.kind}: it counts "
                    f"as missing."
                )
            if count := infinities(values):
                notices.append(f"{count} infinite cells of {code.name!r} count as missing.")
        x = self._encoded(dataset.data, np.flatnonzero(usable))
        rows = dataset.rows.drop(columns="cls", errors="ignore").reset_index(drop=True)
        rows["note"] = pd.array(notes, dtype="str")
        rows["sample"] = np.where(usable, np.cumsum(usable) - 1, -1)
        items = pd.DataFrame({"start": np.arange(len(x))})
        if self._classes:
            items["cls"] = self._class_codes(dataset)[usable]
        return ItemSet(self.shape, x, items, rows, notices=notices, absent=self._absent(dataset), limits=self.limits)

    def _encoded(self, data: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
        """(rows, entries) float32, some rows at a time, as the float64 encoding needs more memory."""
        x = np.zeros((len(rows), sum(code.entries for code in self._codes)), dtype=np.float32)
        at = 0
        for code in self._codes:
            low, high = self._ends(code)
            for begin in range(0, len(rows) if code.name in data else 0, AT_A_TIME):
                part = slice(begin, begin + AT_A_TIME)
                encoded = code.encode(data[code.name].iloc[rows[part]])
                np.clip(encoded, low, high, out=x[part, at : at + code.entries], casting="same_kind")
            at += code.entries
        return x

    def _ends(self, code: ColumnEncoding) -> tuple[np.ndarray | float, np.ndarray | float]:
        """The smallest and the largest value of a column's entries in an item."""
        if self._limited:
            return -LARGEST, LARGEST
        limits = code.limits(self._own.clip)
        return np.array([entry.low for entry in limits]), np.array([entry.high for entry in limits])

    def _class_codes(self, dataset: Dataset) -> np.ndarray:
        if "cls" not in dataset.rows:
            return np.full(len(dataset), -1, dtype=np.int64)
        codes: np.ndarray = pd.Index(self._classes).get_indexer(pd.Index(dataset.rows["cls"]))
        return codes.astype(np.int64)

    def _drop_notices(self) -> list[str]:
        """What can't be learnt from, and what a change in it means."""
        watched = [code for code in self._codes if isinstance(code, WatchedEncoding)]
        is_alarm = "is an alarm" if self._novelty <= NEW_AT_MOST else "raises the score"
        groups = {
            f"Constant in the training rows, so a change there {is_alarm}: {{}}.": [c for c in watched if not c.empty],
            f"Empty in the training rows, so a value there {is_alarm}: {{}}.": [c for c in watched if c.empty == 1],
            f"Nearly empty in the training rows, so a value that they never held {is_alarm}: {{}}.": [
                c for c in watched if 0 < c.empty < 1
            ],
        }
        notices = [text.format(_named([c.name for c in group])) for text, group in groups.items() if group]
        if watched and self._novelty > NEW_AT_MOST:
            notices.append(
                f"In {self._novelty:.1%} of the training rows a column changes that is constant in all others. Normal "
                "rows will change one of these columns as often, so a single change raises a score only as far."
            )
        if self._dropped and self._limited:
            notices.append(
                f"Left out, because they are nearly empty and hold ever new values: {_named(self._dropped)}."
            )
        elif self._dropped:
            notices.append(f"Left out, because they are constant in the training rows: {_named(self._dropped)}.")
        return notices

    def match(self, dataset: Dataset) -> list[str]:
        """Missing and unreadable columns are an error; empty and extra ones, new levels and values out of range are
        reported.
        """
        if dataset.modality is not Modality.TABLE:
            raise DataError(
                f"The detector was trained on tables, but {dataset.name} was opened as {dataset.modality} data. "
                f"Open it as the training data were: `detector.open(...)`."
            )
        self._require(dataset)
        absent = {self._codes[part].name for part in self._absent(dataset)}
        columns = [str(name) for name in dataset.data.columns]
        both = set(columns) & set(self._columns) - set(dataset.absent)
        extra = [name for name in columns if name not in self._columns]
        sentences = []
        if extra:
            shown = ", ".join(map(repr, extra[:10])) + (f" and {len(extra) - 10} more" if len(extra) > 10 else "")
            sentences.append(f"Columns that the detector does not know are not used: {shown}.")
        if [n for n in columns if n in both] != [n for n in self._columns if n in both]:
            sentences.append("The columns are in another order; they are matched by name.")
        for code in self._codes:
            if code.name not in columns:
                if isinstance(code, WatchedEncoding):
                    sentences.append(f"{code.name!r} is not in these data, so no change of it can be seen.")
            elif code.name not in absent:
                sentences += code.differences(dataset.data[code.name])
        return sentences + self._empty(dataset, absent)

    def _absent(self, dataset: Dataset) -> tuple[int, ...]:
        """Positions of the parts that these data lack, or that are empty though none was in the training rows."""
        empty = {column.name for column in dataset.schema.columns if column.distinct == 0}
        return tuple(
            part
            for part, code in enumerate(self._codes[: self._learnt])
            if code.name in dataset.absent or (code.name in empty and not code.has_missing)
        )

    def _empty(self, dataset: Dataset, absent: set[str]) -> list[str]:
        """Sentences about columns that are empty in the whole file; those that are allowed to be have a notice."""
        empty = {column.name for column in dataset.schema.columns if column.distinct == 0} - set(dataset.absent)
        return [
            f"100% of {code.name!r} is missing; nothing was missing in the training rows. It is filled in from similar "
            f"training rows; only the other columns are scored."
            if code.name in absent
            else f"100% of {code.name!r} is missing. Every row counts as one with a missing value, which some training "
            f"rows have; allow missing columns to score only the others."
            for code in self._codes[: self._learnt]
            if code.name in empty
        ]

    def _require(self, dataset: Dataset) -> None:
        data = dataset.data
        learnt = self._codes[: self._learnt]
        absent = [code.name for code in learnt if code.name not in data.columns]
        if absent:
            raise DataError(
                f"The detector needs {', '.join(map(repr, absent))}, which these data do not have"
                f"{similar(absent, data.columns)}. Add {'that column' if len(absent) == 1 else 'those columns'}, "
                f"{ALLOW}."
            )
        changed = []
        for code in learnt:
            values = data[code.name]
            bad = code.bad(values)
            if bad.sum() > max(MOSTLY * int(values.notna().sum()), FEW):
                value = str(values.iloc[int(np.flatnonzero(bad)[0])])[:40]
                changed.append(f"{code.name!r} was a {code.kind} and now holds {value!r}")
        if changed:
            raise DataError(f"The columns changed their type: {'; '.join(changed)}. Repair them, {ALLOW}.")
        if len(self._absent(dataset)) == len(self._codes):
            raise DataError(
                f"None of the {len(self._codes)} columns that the detector uses has a value in these data. "
                f"Choose a file with the columns of the training data."
            )

    @property
    def shape(self) -> ItemShape:
        """One part per column that is used and changes, then those that are watched."""
        if not self._codes:
            raise RuntimeError("The reader was not fitted.")
        of_entry = tuple(part for part, code in enumerate(self._codes) for _ in range(code.entries))
        parts = Parts(
            names=tuple(code.name for code in self._codes),
            of_entry=of_entry,
            kinds=tuple(code.part_kind for code in self._codes),
            units=tuple(code.unit for code in self._codes),
        )
        return ItemShape(modality=Modality.TABLE, size=(len(of_entry),), parts=parts, classes=len(self._classes))

    @property
    def _learnt(self) -> int:
        """Number of columns that a method learns from; the others are watched."""
        return sum(not isinstance(code, WatchedEncoding) for code in self._codes)

    @property
    def limits(self) -> Limits | None:
        """See `ItemSet.limits`; None for bundles before format 3."""
        if not self._limited:
            return None
        seen = sum(code.entries for code in self._codes[: self._learnt])
        entries = [entry for code in self._codes for entry in code.limits(self._own.clip)]
        return limits_of(self.shape, seen, entries, self._novelty)

    @property
    def codes(self) -> tuple[ColumnEncoding, ...]:
        """The fitted encoding of each column, one per part of `shape`."""
        return tuple(self._codes)

    def encoded_cells(self, part: int, cells: Sequence[Any]) -> np.ndarray:
        """(k, entries of the part) float32: these cells of one column, encoded as in an item."""
        encoded = self._codes[part].encode(pd.Series(list(cells), dtype="object").infer_objects())
        return np.asarray(np.clip(encoded, *self._ends(self._codes[part])), dtype=np.float32)

    def expected_in_units(self, part: int, encoded_entries: np.ndarray) -> list[str | float]:
        """Entries of one part, as encoded or as predicted, in the user's own unit.

        Args:
            part: position in `shape.parts.names`.
            encoded_entries: (k, entries of the part).

        Returns:
            k values: a number, the most likely level, or a date as ISO text; `(missing)` where that is most likely.
        """
        return self._codes[part].decode(np.asarray(encoded_entries, dtype=np.float64))

    @property
    def classes(self) -> list[str]:
        """The user's classes, in the order of their codes."""
        return list(self._classes)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        facts = {
            "codes": _CODES.dump_python(self._codes, mode="json"),  # type: ignore[arg-type]
            "classes": self._classes,
            "class_column": self._class_column,
            "columns": self._columns,
            "dropped": self._dropped,
            "limited": self._limited,
            "novelty": self._novelty,
        }
        return facts, {}

    def restore(self, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:  # noqa: ARG002
        self._codes = list(_CODES.validate_python(facts["codes"]))
        self._classes, self._class_column = list(facts["classes"]), facts["class_column"]
        self._columns, self._dropped = _NAMES.validate_python(facts["columns"]), list(facts["dropped"])
        self._limited, self._novelty = bool(facts.get("limited", False)), float(facts.get("novelty", 0.0))

    @property
    def _own(self) -> TableSettings:
        if not isinstance(self.settings, TableSettings):
            raise TypeError(f"expected TableSettings, got {type(self.settings).__name__}")
        return self.settings


def _named(names: Sequence[str]) -> str:
    """The first names in quotes."""
    return ", ".join(map(repr, names[:10])) + (" and more" if len(names) > 10 else "")
