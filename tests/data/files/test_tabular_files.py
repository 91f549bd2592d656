"""Tables from files: what is found out about them, and what is said when they can't be read."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ad_core.data.files import csv_files
from ad_core.data.files.number_notation import numbers_in_text
from ad_core.data.files.tabular_files import files_in, notices_of, plain_columns, read_files, read_head
from ad_core.errors import DataError
from tests.data.files.workbooks import workbook


def write(folder: Path, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def read(folder: Path, content: str | bytes, encoding: str = "utf-8", name: str = "a.csv") -> pd.DataFrame:
    return read_files([write(folder, name, content, encoding)])[0][1]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found_out(tmp_path, encoding, delimiter):
    rows = [["größe", "name", "n"], ["1.5", "Zoë", "3"], ["2.5", "é", "4"]]
    frame = read(tmp_path, "\n".join(delimiter.join(row) for row in rows) + "\n", encoding)

    assert list(frame.columns) == ["größe", "name", "n"]
    assert frame["größe"].tolist() == [1.5, 2.5]
    assert frame["name"].tolist() == ["Zoë", "é"]
    assert frame["n"].dtype == np.int64


def test_another_encoding_than_utf_8_is_told(tmp_path):
    assert any("cp1252" in notice for notice in notices_of(read(tmp_path, "a,b\né,1\n", "cp1252")))


def test_a_decimal_comma_is_a_number(tmp_path):
    frame = read(tmp_path, "a;b;c\n1,5;1.234,56;x\n-2,25;7,0;y\n")

    assert frame["a"].tolist() == [1.5, -2.25]
    assert frame["b"].tolist() == [1234.56, 7.0]


def test_thousands_marks_are_read_where_they_are_certain(tmp_path):
    frame = read(tmp_path, 'certain,doubtful\n"1,234.5","1,234"\n"2,000,000","5,678"\n')

    assert frame["certain"].tolist() == [1234.5, 2_000_000.0]
    assert frame["doubtful"].tolist() == ["1,234", "5,678"]  # 1.234 or 1234: nobody can know


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1 234,5", "2 000"], [1234.5, 2000.0]),
        (["1'234.5", "12"], [1234.5, 12.0]),
        (["0,125", "3,5"], [0.125, 3.5]),
        (["1.5", "x"], None),
        (["1,234"], None),
        ([None, None], None),
    ],
)
def test_numbers_in_texts_need_one_notation(cells, expected):
    found = numbers_in_text(pd.Series(cells, dtype="str"))

    assert (found.tolist() if found is not None else None) == expected


@pytest.mark.parametrize("marker", ["", "NA", "N/A", "null", "NaN", "-", "?"])
def test_missing_markers_are_missing(tmp_path, marker):
    frame = read(tmp_path, f"number,word\n1.5,a\n{marker},{marker}\n2.5,b\n")

    assert frame["number"].isna().tolist() == [False, True, False]
    assert frame["word"].isna().tolist() == [False, True, False]


def test_blanks_behind_delimiters_do_not_hide_a_missing_marker(tmp_path):
    frame = read(tmp_path, "age, job\n39, Clerk\n50, ?\n")

    assert list(frame.columns) == ["age", "job"]
    assert frame["job"].tolist()[0] == "Clerk"
    assert frame["job"].isna().tolist() == [False, True]


def test_leading_zeros_and_long_digits_stay_text(tmp_path):
    frame = read(tmp_path, "zip,long\n01234,12345678901234567890\n99999,12345678901234567891\n")

    assert frame["zip"].tolist() == ["01234", "99999"]
    assert frame["long"].tolist() == ["12345678901234567890", "12345678901234567891"]


def test_large_whole_numbers_with_gaps_keep_their_digits(tmp_path):
    frame = read(tmp_path, "id,x\n9007199254740993,1\n,2\n9007199254740995,3\n")

    assert frame["id"].dropna().tolist() == ["9007199254740993", "9007199254740995"]


def test_an_empty_line_in_a_single_column_is_a_row(tmp_path):
    assert read(tmp_path, "a\n1\n\n3\n")["a"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_row_of_empty_cells_between_tabs_is_a_row(tmp_path, encoding):
    content = "a\tb\tc\n1\t2\t3\n\t\t\n4\t5\t6\n"

    assert read(tmp_path, content, encoding)["a"].tolist() == pytest.approx([1, np.nan, 4], nan_ok=True)


def test_a_line_break_inside_quotes_is_part_of_the_cell(tmp_path):
    assert read(tmp_path, 'a,b\n"x\ny",1\n"z",2\n')["a"].tolist() == ["x\ny", "z"]


def test_a_file_without_header_gets_column_numbers_and_says_so(tmp_path):
    frame = read(tmp_path, "1.5,2\n2.5,3\n")

    assert list(frame.columns) == ["column 1", "column 2"]
    assert len(frame) == 2
    assert "no header" in notices_of(frame)[0]


def test_column_names_that_are_counted_are_a_header(tmp_path):
    assert list(read(tmp_path, "0,1\n1.5,2\n2.5,3\n").columns) == ["0", "1"]


def test_duplicate_and_empty_names_are_made_unique_and_told(tmp_path):
    frame = read(tmp_path, "a,a,,a (2)\n1,2,3,4\n")

    assert list(frame.columns) == ["a", "a (3)", "column 3", "a (2)"]
    assert frame.iloc[0].tolist() == [1, 2, 3, 4]
    assert "'a' is now 'a (3)'" in notices_of(frame)[0]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"a,b\n", "has a header (2 columns) but no rows"),
        (b"a,b\n1,2\n3,4,5\n", "Line 3 of a.csv has 3 cells, but the first line has 2"),
        ("a,b\n1,é\n".encode() + "2,é\n".encode("cp1252"), "line 2 is UTF-8 and line 3 is not"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a text table but a PNG"),
        (bytes(np.random.default_rng(0).integers(0, 256, 4000, dtype=np.uint8)), "not a text table"),
        (b"a,b\n1,2\n" * 20_000 + b"\x00\x00", "zero bytes"),
        (b"PK\x03\x04 no workbook", "can't be read as an Excel workbook"),
        (b"PAR1 cut off", "can't be read as Parquet"),
        (b"\xff\xfea\x00,\x00b\x00\n\x00\x00", "UTF-16 text with bytes that are not"),
    ],
)
def test_what_is_no_table_gets_one_clear_sentence(tmp_path, content, part):
    path = write(tmp_path, "a.csv", content)

    with pytest.raises(DataError) as caught:
        read_files([path])

    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"\x00", b"\x00\x00", b"a", b"\xff", b"\xff\xfe"])
def test_files_of_one_or_two_bytes_get_one_clear_sentence(tmp_path, content):
    (tmp_path / "a.csv").write_bytes(content)

    with pytest.raises(DataError, match=r"a\.csv"):
        read_files([tmp_path / "a.csv"])


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(DataError, match="There is no file"):
        read_files([tmp_path / "gone.csv"])
    with pytest.raises(DataError, match="is a folder"):
        read_files([tmp_path])
    with pytest.raises(DataError, match="holds no table"):
        files_in(tmp_path)
    with pytest.raises(DataError, match="No file was given"):
        read_files([])


def test_ten_thousand_columns_can_be_read(tmp_path):
    names = ",".join(f"c{i}" for i in range(10_000))
    frame = read(tmp_path, names + "\n" + "\n".join(",".join(["1.5"] * 10_000) for _ in range(3)) + "\n")

    assert frame.shape == (3, 10_000)
    assert (frame.to_numpy() == 1.5).all()


def test_infinities_are_read_as_such(tmp_path):
    assert read(tmp_path, "a,b\n1,inf\n2,-inf\n")["b"].tolist() == [np.inf, -np.inf]


def test_a_type_that_changes_far_down_the_file_is_widened(tmp_path, monkeypatch):
    """The type of a column is decided on the first block; every column here breaks that in a later one."""
    monkeypatch.setattr(csv_files, "BLOCK_BYTES", 4096)
    n = 5000
    lines = [f"{i},{i},,2024-01-01,true" for i in range(n)] + ["0.5,word,7,2024-01-02 10:30,maybe"]
    frame = read(tmp_path, "float,text,late,time,flag\n" + "\n".join(lines) + "\n")

    assert len(frame) == n + 1
    assert frame["float"].iloc[-1] == 0.5
    assert frame["text"].iloc[[0, -1]].tolist() == ["0", "word"]
    assert frame["late"].iloc[-1] == 7
    assert str(frame["time"].iloc[-1]) == "2024-01-02 10:30:00"
    assert frame["flag"].iloc[[0, -1]].tolist() == ["true", "maybe"]


def test_a_large_file_keeps_every_value_in_smaller_types(tmp_path, monkeypatch):
    generator = np.random.default_rng(0)
    n = 3000
    written = pd.DataFrame(
        {
            "small": generator.integers(-9, 9, n),
            "middle": generator.integers(32_768, 40_000, n),  # squares of these would overflow 32 bits
            "large": generator.integers(0, 2**60, n),
            "half": generator.integers(0, 100, n) / 2,
            "fine": generator.normal(size=n),
            "word": generator.choice(["a", "b", "c"], n),
            "unique": [f"u{i}" for i in range(n)],
            "gaps": np.where(generator.random(n) < 0.2, np.nan, generator.normal(size=n)),
            "flag": generator.random(n) < 0.5,
        }
    )
    path = tmp_path / "a.csv"
    written.to_csv(path, index=False)
    monkeypatch.setattr(csv_files, "LARGE_BYTES", 0)
    monkeypatch.setattr(csv_files, "BLOCK_BYTES", 16_384)

    frame = read_files([path])[0][1]

    assert (frame["small"].dtype, frame["half"].dtype, frame["fine"].dtype) == (np.int32, np.float32, np.float64)
    assert frame["middle"].dtype == np.int64
    assert isinstance(frame["word"].dtype, pd.CategoricalDtype)
    pd.testing.assert_frame_equal(frame.astype(written.dtypes), written, check_exact=True)


def test_the_first_filled_sheet_of_a_workbook_is_read_and_further_ones_are_told(tmp_path):
    table = [["n", "x", "word"], [1, 1.5, "a"], [2, None, 7], [3, "NA", "-"]]
    path = workbook(tmp_path / "a.xlsx", {"empty": [], "first": table, "second": table})

    frame = read_files([path])[0][1]

    assert frame["n"].tolist() == [1, 2, 3]
    assert frame["n"].dtype == np.int64
    assert frame["x"].isna().tolist() == [False, True, True]
    assert frame["word"].tolist()[:2] == ["a", "7"]
    assert "'first', was read" in notices_of(frame)[0]


def test_a_workbook_without_rows_is_told(tmp_path):
    with pytest.raises(DataError, match="no sheet with content"):
        read_files([workbook(tmp_path / "a.xlsx", {"one": []})])
    with pytest.raises(DataError, match="has a header"):
        read_files([workbook(tmp_path / "b.xlsx", {"one": [["a", "b"]]})])


def test_parquet_comes_back_with_plain_columns(tmp_path):
    written = pd.DataFrame(
        {"n": [1, 2], "word": ["a", None], "when": pd.to_datetime(["2024-01-01", "2024-01-02"]), "many": [[1], [2, 3]]}
    )
    written.to_parquet(tmp_path / "a.parquet")

    frame = read_files([tmp_path / "a.parquet"])[0][1]

    assert frame["n"].tolist() == [1, 2]
    assert frame["when"].tolist() == written["when"].tolist()
    assert frame["many"].tolist() == ["[1]", "[2, 3]"]
    assert "several values" in notices_of(frame)[0]


def test_parquet_of_several_row_groups_keeps_names_and_order(tmp_path):
    written = pd.DataFrame(
        {"a.b": range(10), "a": [f"w{i % 3}" for i in range(10)], "x": [None, True] * 5, "z": np.arange(10) / 7}
    )
    written.to_parquet(tmp_path / "a.parquet", row_group_size=3)

    frame = read_files([tmp_path / "a.parquet"])[0][1]

    assert list(frame.columns) == ["a.b", "a", "x", "z"]
    assert frame.astype(object).where(frame.notna(), None).equals(written.astype(object))


def test_an_empty_or_wrong_parquet_file_is_told(tmp_path):
    pd.DataFrame({"a": []}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="1 columns and 0 rows"):
        read_files([tmp_path / "a.parquet"])
    with pytest.raises(DataError, match="not a Parquet file, though its name says so"):
        read_files([write(tmp_path, "b.parquet", "a,b\n1,2\n")])


def test_files_of_one_name_are_told_apart_by_their_folder(tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder, "a.csv", "a\n1\n")

    assert [name for name, _ in read_files([tmp_path / f / "a.csv" for f in ("x", "y")])] == ["x/a.csv", "y/a.csv"]


def test_the_head_of_a_file_equals_its_beginning(tmp_path):
    pd.DataFrame({"a": range(100), "b": ["x"] * 100}).to_csv(tmp_path / "a.csv", index=False)
    pd.DataFrame({"a": range(100), "b": ["x"] * 100}).to_parquet(tmp_path / "a.parquet")

    for name in ("a.csv", "a.parquet"):
        head = read_head(tmp_path / name, rows=7)
        assert head["a"].tolist() == list(range(7))


def test_a_users_frame_keeps_its_values_and_gets_plain_names():
    frame = pd.DataFrame([[1, [2]], [3, [4]]], columns=[0, 0], index=[5, 5])

    data, notices = plain_columns(frame)

    assert list(data.columns) == ["0", "0 (2)"]
    assert data.index.tolist() == [0, 1]
    assert data["0 (2)"].tolist() == ["[2]", "[4]"]
    assert len(notices) == 2
    assert list(frame.columns) == [0, 0]


cells = st.one_of(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=20),
    st.lists(st.integers(-(2**60), 2**60), min_size=2, max_size=20),
    st.lists(st.sampled_from(["red", "green", 'qu"ote', "com,ma", "semi;colon", "ünï"]), min_size=2, max_size=20),
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(column=cells, delimiter=st.sampled_from([",", ";", "\t"]))
def test_what_pandas_writes_is_read_back(tmp_path, column, delimiter):
    written = pd.DataFrame({"value": column, "anchor": [f"row {i}" for i in range(len(column))]})
    path = tmp_path / "a.csv"
    written.to_csv(path, index=False, sep=delimiter)

    frame = read_files([path])[0][1]

    assert frame["anchor"].tolist() == written["anchor"].tolist()
    if written["value"].dtype.kind in "if" and frame["value"].dtype.kind in "if":
        np.testing.assert_array_equal(frame["value"].astype(float), written["value"].astype(float))
    else:  # numbers of more than 18 digits stay text
        assert frame["value"].astype(str).tolist() == written["value"].astype(str).tolist()
