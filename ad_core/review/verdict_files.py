"""Export and import of verdicts: CSV, Parquet and JSON lines."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from io import BytesIO, StringIO
from itertools import islice
from typing import TYPE_CHECKING, Any

import pandas as pd

from ad_core.errors import DataError, StoreError
from ad_core.storage import results, verdicts
from ad_core.storage.safe_csv import as_written, safe_csv
from ad_core.storage.verdicts import COLUMNS, TAKEN_BACK, Verdict

if TYPE_CHECKING:
    from ad_core.storage.store import Store

FORMS = {"csv": "CSV", "parquet": "Parquet", "jsonl": "JSON lines"}
"""Ending of a file name -> name of the format."""

NEEDED = ("row_id", "verdict")
WRITTEN_BACK = "taken_back"
"""The verdict in a file that stands for TAKEN_BACK."""

TEXTS = ("row_id", "verdict", "tag", "note", "author", "run_id")
SAME = ("row_id", "verdict", "tag", "note", "author")
"""Columns that, with the time, identify a verdict."""

COMPARED = 20_000
"""Maximum number of row ids with which a mistyped one is compared: more would take seconds."""


@dataclass(frozen=True)
class Imported:
    """The result of an import."""

    added: int
    same: int
    """Number of lines that the store had already."""
    elsewhere: tuple[str, ...] = ()
    """Names of data sets with another content on whose rows added verdicts were given."""

    def in_words(self) -> str:
        lines = "verdict was" if self.added == 1 else "verdicts were"
        text = f"{self.added:,} {lines} added, {self.same:,} there already."
        if not self.elsewhere:
            return text
        named = " and ".join(map(repr, self.elsewhere))
        return (
            f"{text} Some were given on rows of {named}, whose content is not that of this data set: they were matched "
            f"by row id alone. Take them back if the ids stand for other rows here."
        )


def dataset_of(store: "Store", run_or_dataset: str) -> str:
    """The data set's id for the id of a data set or of a run.

    Raises:
        StoreError: it is neither of them.
    """
    if any(record.id == run_or_dataset for record in store.datasets()):
        return run_or_dataset
    try:
        return store.run(run_or_dataset).dataset_id
    except StoreError:
        raise StoreError(
            f"There is neither a run nor a data set {run_or_dataset!r}. Their ids are in the addresses of the app's "
            f"pages, after run= and data=."
        ) from None


def to_file(lines: pd.DataFrame, form: str) -> bytes:
    """Lines of `verdicts.history` or `verdicts.current` as a file of one of FORMS.

    Raises:
        DataError: there is no such form.
    """
    table = lines.assign(
        verdict=lines["verdict"].replace(TAKEN_BACK, WRITTEN_BACK), created=pd.to_datetime(lines["created"], utc=True)
    )
    if form == "jsonl":
        table["created"] = [moment.isoformat() for moment in table["created"]]
        return "".join(f"{_json(line)}\n" for line in table.to_dict("records")).encode()
    table["threshold"] = [json.dumps(rule) if rule else "" for rule in table["threshold"]]
    if form == "parquet":
        out = BytesIO()
        table.to_parquet(out, index=False)
        return out.getvalue()
    if form == "csv":
        return safe_csv(table.assign(created=[moment.isoformat() for moment in table["created"]]))
    raise DataError(f"Verdicts can't be written as {form!r}. Choose a name that ends in .{', .'.join(FORMS)}.")


def from_file(content: bytes, name: str) -> pd.DataFrame:
    """The verdicts in a file, unchecked; missing texts are empty.

    Args:
        content: the bytes of the file.
        name: its name, whose ending gives the format.

    Returns:
        COLUMNS; texts as text, `threshold` as mappings, the other columns as in the file.

    Raises:
        DataError: the format is unknown, the file can't be read, or a column of NEEDED is missing.
    """
    form = name.rpartition(".")[2].lower()
    if form not in FORMS:
        raise DataError(f"{name} is not a file of verdicts. Choose one that ends in .{', .'.join(FORMS)}.")
    try:
        table = {"csv": _from_csv, "parquet": _from_parquet, "jsonl": _from_lines}[form](content)
    except (ValueError, OSError) as error:  # of pandas, pyarrow, json, and of decoding
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{name} can't be read as {FORMS[form]} in UTF-8: {reason}. Save it again as such.") from None
    if missing := [column for column in NEEDED if column not in table]:
        raise DataError(f"{name} has no column {missing[0]!r}. A file of verdicts needs row_id and verdict.")
    table = table.reindex(columns=COLUMNS)
    for column in TEXTS:
        table[column] = table[column].astype("string").fillna("").str.strip().astype(object)
    return table.assign(threshold=[_rule(value) for value in table["threshold"]])


def import_verdicts(store: "Store", dataset_id: str, table: pd.DataFrame, author: str) -> Imported:
    """Add the new verdicts of a file; all are written, or none.

    Args:
        table: as `from_file` returns it.
        author: the author of verdicts that have none. Verdicts without a time get the present time.

    Raises:
        DataError: a row id, a verdict or a time is invalid; the text names the line and a similar valid value.
    """
    lines = table.assign(
        verdict=_checked_verdicts(table["verdict"]), author=table["author"].where(table["author"] != "", author.strip())
    )
    _check_rows(lines["row_id"], known_rows(store, dataset_id), store.dataset(dataset_id).name)
    for number in ("score", "p_value"):
        lines[number] = pd.to_numeric(lines[number], errors="coerce")
    moments = _moments(table["created"])
    lines["created"] = moments.fillna(pd.Timestamp(datetime.now(UTC)))
    stored = set(_keys(verdicts.history(store, dataset_id), timed=True))
    standing = set(_keys(verdicts.current(store, dataset_id), timed=False))
    new = []
    for timed, key, bare in zip(moments.notna(), _keys(lines, timed=True), _keys(lines, timed=False), strict=True):
        new.append(key not in stored if timed else bare not in standing)
        stored.add(key)  # a line that a file repeats counts once
        standing.add(bare)
    verdicts.add(store, dataset_id, lines.loc[new])
    return Imported(sum(new), len(new) - sum(new), _elsewhere(store, dataset_id, lines.loc[new, "run_id"]))


def _elsewhere(store: "Store", dataset_id: str, run_ids: pd.Series) -> tuple[str, ...]:
    """Names of the data sets of these runs that hold something else than this one; unknown runs don't count."""
    own = store.dataset(dataset_id).fingerprint
    of_run = {run.id: run.dataset_id for run in store.runs()}
    records = [store.dataset(of_run[run_id]) for run_id in run_ids.unique() if run_id in of_run]
    return tuple(sorted({record.name for record in records if record.fingerprint != own}))


def known_rows(store: "Store", dataset_id: str) -> set[str]:
    """All row ids of a data set: from the score table of a run, which has all rows, else from the data set's files.

    Raises:
        AdError: there are no scores and the files can't be read.
    """
    for run in store.runs(dataset_id=dataset_id):
        scores = results.table(store.folder(run.id), "scores") if run.kind != "explain" else None
        if scores is not None:
            return set(scores["row_id"].astype(str))
    from ad_core.data.dataset import Declared
    from ad_core.data.opening import open_as, open_declared

    record = store.dataset(dataset_id)
    if trained := record.facts.get("scored_by"):  # new data of a detector are read as its training data were
        dataset = open_as(results.summary(store.folder(trained))["declared"], list(record.sources), record.declared)
    else:
        dataset = open_declared(record.sources, Declared.model_validate(record.declared))
    return set(dataset.rows["row_id"].astype(str))


def _from_csv(content: bytes) -> pd.DataFrame:
    text = content.decode("utf-8-sig")
    header = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)  # spreadsheets use the delimiter of the user's country
    table = pd.read_csv(StringIO(text), sep=delimiter, dtype=str, keep_default_na=False)
    return table.rename(columns=lambda name: name.strip().lower()).apply(as_written)


def _from_parquet(content: bytes) -> pd.DataFrame:
    return pd.read_parquet(BytesIO(content))


def _from_lines(content: bytes) -> pd.DataFrame:
    lines = [json.loads(line) for line in content.decode("utf-8-sig").splitlines() if line.strip()]
    if not all(isinstance(line, dict) for line in lines):
        raise ValueError("a line is not a JSON object")
    return pd.DataFrame(lines)


def _json(line: dict[str, Any]) -> str:
    return json.dumps({name: None if value != value else value for name, value in line.items()}, ensure_ascii=False)


def _rule(value: Any) -> dict[str, Any]:
    """The rule that was in force, from a mapping or from JSON in a cell; {} for anything else."""
    if isinstance(value, str) and value:
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


def _checked_verdicts(column: pd.Series) -> list[str]:
    """Verdicts in the form of the store: `Data error` becomes `data_error`."""
    allowed = [*map(str, Verdict), WRITTEN_BACK]
    plain = [text.strip().lower().replace(" ", "_").replace("-", "_") for text in column]
    wrong = [(at, column.iloc[at]) for at, word in enumerate(plain) if word not in allowed]
    if wrong:
        at, text = wrong[0]
        raise DataError(
            f"There is no verdict {text!r} ({_where(at, len(wrong))}).{_close(plain[at], allowed)} "
            f"Choose one of: {', '.join(allowed)}."
        )
    return [TAKEN_BACK if word == WRITTEN_BACK else word for word in plain]


def _check_rows(row_ids: pd.Series, known: set[str], name: str) -> None:
    wrong = [(at, row_id) for at, row_id in enumerate(row_ids) if row_id not in known]
    if wrong:
        at, row_id = wrong[0]
        raise DataError(
            f"Data set {name!r} has no row {row_id!r} ({_where(at, len(wrong))}).{_close(row_id, known)} "
            f"Correct the file, or choose the data set that it belongs to."
        )


def _moments(column: pd.Series) -> pd.Series:
    """(lines,) times in UTC, NaT where none is given."""
    given = column.notna() & (column.astype("string").fillna("") != "")
    moments = pd.to_datetime(column.where(given), utc=True, errors="coerce", format="ISO8601")
    latest = pd.Timestamp(datetime.now(UTC) + timedelta(days=1))  # the clocks of two computers differ by less
    wrong = [at for at, bad in enumerate(given & (moments.isna() | (moments > latest))) if bad]
    if wrong:
        raise DataError(
            f"{column.iloc[wrong[0]]!r} is not a time in the past ({_where(wrong[0], len(wrong))}). "
            f"Write times such as 2026-03-01T14:30:00Z, or leave them empty."
        )
    return moments.dt.as_unit("us")


def _keys(lines: pd.DataFrame, timed: bool) -> list[tuple[Any, ...]]:
    columns = [lines[name] for name in SAME]
    if timed:
        columns.append(pd.to_datetime(lines["created"], utc=True).dt.as_unit("us"))
    return list(zip(*columns, strict=True))


def _where(at: int, wrong: int) -> str:
    return f"line {at + 1} of the file's verdicts" + (f", and {wrong - 1:,} more like it" if wrong > 1 else "")


def _close(text: str, known: Iterable[str]) -> str:
    near = get_close_matches(text, list(islice(known, COMPARED)), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
