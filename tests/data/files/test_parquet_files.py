"""What Parquet says only in its metadata, or in a form that is easily misread."""

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.orc
import pyarrow.parquet as pq
import pytest

from ad_core.data.dataset import ColumnKind
from ad_core.data.files.tabular_files import read_files, read_head
from ad_core.data.opening import as_used, open_as, open_dataset
from ad_core.data.readers.table import Table
from ad_core.errors import DataError

ROWS = 120
X = np.random.default_rng(0).normal(size=ROWS)


def kinds(source) -> dict[str, str]:
    return {c.name: str(c.kind) for c in open_dataset(source, modality="table").schema.columns}


@pytest.mark.parametrize("year", [1, 1600, 1677, 2262, 9999])
def test_dates_of_int96_are_those_that_were_written(tmp_path, year):
    if year < 1678 and int(pa.__version__.split(".")[0]) < 26:
        pytest.skip("older pyarrow reads INT96 dates before 1678 as later ones")
    """Spark and Impala write INT96; in nanoseconds, pyarrow's default, 9999-12-31 would become 1816-03-29."""
    dates = [dt.datetime(2020, 1, 1, 12, 30, 15, 250) + dt.timedelta(days=i) for i in range(ROWS)]
    dates[3], dates[4] = dt.datetime(year, 12, 31, 23, 59, 59), None
    table = pa.table({"when": pa.array(dates, pa.timestamp("us")), "x": X})
    pq.write_table(table, tmp_path / "a.parquet", use_deprecated_int96_timestamps=True)

    for frame in (read_files([tmp_path / "a.parquet"])[0][1], read_head(tmp_path / "a.parquet", 10)):
        assert frame["when"].iloc[3] == pd.Timestamp(dates[3]).as_unit("us")
        assert frame["when"].iloc[0] == pd.Timestamp(dates[0])
        assert pd.isna(frame["when"].iloc[4])


def categories() -> pd.DataFrame:
    random = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "state": pd.Categorical(random.integers(1, 6, ROWS)),
            "gaps": pd.Categorical([None if i % 9 == 0 else i % 4 for i in range(ROWS)]),
            "share": pd.Categorical(random.choice([0.5, 1.5, 2.5], ROWS)),
            "on": pd.Categorical(np.arange(ROWS) % 2),
            "text": pd.Categorical(random.choice(["a", "b", "c"], ROWS)),
            "count": random.integers(1, 6, ROWS),
            "x": X,
        }
    )


EXPECTED = {
    **dict.fromkeys(("state", "gaps", "share", "text"), "category"),
    **{"on": "boolean", "count": "number", "x": "number"},
}


@pytest.mark.parametrize("row_group_size", [None, 50])
def test_whole_numbers_that_were_categories_stay_categories(tmp_path, row_group_size):
    categories().to_parquet(tmp_path / "a.parquet", row_group_size=row_group_size)

    dataset = open_dataset(tmp_path / "a.parquet", modality="table")

    assert {c.name: str(c.kind) for c in dataset.schema.columns} == EXPECTED
    reasons = {c.name: c.reason for c in dataset.schema.columns}
    assert reasons["state"] == "Its numbers are categories, as the data say."
    assert reasons["count"] == ""
    assert kinds(categories()) == EXPECTED, "a data frame says the same"


@pytest.mark.parametrize("kept", [b"ARROW:schema", b"pandas"])
def test_either_of_the_two_places_in_the_metadata_is_enough(tmp_path, kept):
    """Not every writer fills both."""
    categories().to_parquet(tmp_path / "a.parquet")
    said = pq.ParquetFile(tmp_path / "a.parquet").metadata.metadata
    plain = pq.read_table(tmp_path / "a.parquet").replace_schema_metadata(None)
    plain = plain.cast(pa.schema([pa.field(f.name, getattr(f.type, "value_type", f.type)) for f in plain.schema]))
    with pq.ParquetWriter(tmp_path / "b.parquet", plain.schema, store_schema=False) as writer:
        writer.write_table(plain)
        writer.add_key_value_metadata({kept: said[kept]})

    assert kinds(tmp_path / "b.parquet")["state"] == "category"


@pytest.mark.parametrize("broken", ["{", "[]", '{"columns": [3]}', '{"columns": [{"pandas_type": "categorical"}]}'])
def test_metadata_that_can_not_be_read_say_nothing(tmp_path, broken):
    plain = pa.table({"state": np.arange(ROWS) % 5, "x": X})
    with pq.ParquetWriter(tmp_path / "a.parquet", plain.schema, store_schema=False) as writer:
        writer.write_table(plain)
        writer.add_key_value_metadata({"pandas": broken})

    assert kinds(tmp_path / "a.parquet")["state"] == "number"


def test_two_files_below_each_other_keep_their_categories(tmp_path):
    categories().to_parquet(tmp_path / "a.parquet")
    more = categories().assign(state=pd.Categorical(np.arange(ROWS) % 9))
    more.to_parquet(tmp_path / "b.parquet")

    dataset = open_dataset([tmp_path / "a.parquet", tmp_path / "b.parquet"], modality="table")

    assert {c.name: str(c.kind) for c in dataset.schema.columns} == EXPECTED


def test_the_user_may_say_that_they_are_numbers_after_all(tmp_path):
    categories().to_parquet(tmp_path / "a.parquet")

    dataset = open_dataset(tmp_path / "a.parquet", modality="table", kinds={"state": ColumnKind.NUMBER})

    assert next(c for c in dataset.schema.columns if c.name == "state").kind is ColumnKind.NUMBER


def test_a_new_file_without_that_metadata_has_the_same_levels(tmp_path):
    categories().to_parquet(tmp_path / "a.parquet")
    pd.DataFrame(categories().astype({"state": "int64", "gaps": "float64", "share": "float64"})).to_csv(
        tmp_path / "new.csv", index=False
    )
    train = open_dataset(tmp_path / "a.parquet", modality="table")
    reader = Table(Table.Settings())
    reader.fit(train, train.is_training)

    new = open_as(as_used(train), tmp_path / "new.csv")

    assert reader.match(new) == []
    assert np.array_equal(reader.item_set(new).x, reader.item_set(train).x)


def recording(source: str, folder, gaps: object = None):
    """A recording with a switch of which every ninth cell is missing."""
    switch = pd.Series((np.arange(ROWS) // 7 % 2).astype(bool), dtype=object)
    switch[::9] = gaps
    frame = pd.DataFrame({"time": pd.date_range("2026", periods=ROWS, freq="min"), "switch": switch, "x": X})
    if source == "frame":
        return frame
    frame.to_parquet(folder / "a.parquet")
    return folder / "a.parquet"


@pytest.mark.parametrize("source", ["file", "frame"])
def test_a_switch_of_a_recording_with_gaps_is_a_switch_and_no_notice_contradicts_itself(tmp_path, source):
    dataset = open_dataset(recording(source, tmp_path), time="time")

    switch = next(c for c in dataset.schema.columns if c.name == "switch")
    assert (switch.kind, switch.reason) == (ColumnKind.BOOLEAN, "A command: it is on or off.")
    assert switch.missing == pytest.approx(14 / ROWS)
    assert not any("not numbers" in notice for notice in dataset.notices)
    assert set(dataset.data["switch"].dropna()) == {0.0, 1.0}


def test_numbers_that_pandas_holds_as_objects_are_numbers_of_a_recording():
    frame = recording("frame", None).assign(x=pd.Series([None, *X[1:].tolist()], dtype=object))

    dataset = open_dataset(frame, time="time")

    assert not any("not numbers" in notice for notice in dataset.notices)
    assert next(c for c in dataset.schema.columns if c.name == "x").reason == ""


def test_texts_among_the_numbers_of_a_recording_are_still_counted(tmp_path):
    frame = recording("frame", None).assign(x=pd.Series(["Bad", *X[1:].tolist()], dtype=object))

    (notice,) = [n for n in open_dataset(frame, time="time").notices if "not numbers" in n]

    assert "1 of 120 cells are not numbers (first in row 1: 'Bad')" in notice


def test_categories_that_are_numbers_are_channels_of_a_recording_and_it_is_said(tmp_path):
    frame = recording("frame", None).assign(state=pd.Categorical(np.arange(ROWS) // 10 % 5))
    frame.to_parquet(tmp_path / "a.parquet")

    dataset = open_dataset(tmp_path / "a.parquet", time="time")

    state = next(c for c in dataset.schema.columns if c.name == "state")
    assert (str(state.role), str(state.kind)) == ("feature", "number")
    assert "Categories that are written as numbers are used as numbers, as channels are: 'state'." in dataset.notices


NO_TEXT = pa.array([b"fine"] * (ROWS - 1) + [b"\xff\xfe\x80"], pa.binary())
TEXTS = pa.Array.from_buffers(pa.string(), ROWS, NO_TEXT.buffers())


@pytest.mark.parametrize("write", [pq.write_table, pa.feather.write_feather, pa.orc.write_table])
@pytest.mark.parametrize(
    "column",
    [
        TEXTS,
        TEXTS.dictionary_encode(),
        pa.StructArray.from_arrays([TEXTS], ["a"]),
        pa.ListArray.from_arrays(pa.array(range(ROWS + 1), pa.int32()), TEXTS),
    ],
    ids=lambda column: str(column.type).partition("<")[0],
)
def test_bytes_that_are_no_text_get_one_sentence_wherever_they_are(tmp_path, column, write):
    path = tmp_path / "a.bin"
    try:
        write(pa.table({"x": X, "c": column}), path)
    except pa.ArrowNotImplementedError:
        pytest.skip("this format has no such type")

    with pytest.raises(DataError, match=r"Column 'c' of a.bin holds bytes that are no text"):
        read_files([path])


def test_a_column_that_pandas_can_not_hold_is_named(tmp_path):
    times = pa.array([1] * ROWS, pa.timestamp("us", "Nowhere/Land"))
    pq.write_table(pa.table({"x": X, "t": times}), tmp_path / "a.parquet")

    with pytest.raises(DataError, match=r"Column 't' of a.parquet \(timestamp.*Nowhere/Land\]\) can't be read"):
        read_files([tmp_path / "a.parquet"])
