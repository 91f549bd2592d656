"""Lines of text tables: which are names, units, remarks, totals and rows; what is said of them; and the way out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ad_core.data.files.reading import PLAIN, Reading
from ad_core.data.files.tabular_files import notices_of, read_alike, read_files, units_of
from ad_core.errors import DataError

N = 40


def rows(columns: int = 3, delimiter: str = ",", n: int = N, seed: int = 0) -> list[str]:
    values = np.random.default_rng(seed).normal(20, 5, (n, columns))
    return [delimiter.join(f"{value:.3f}" for value in row) for row in values]


def stamped(columns: int = 1, delimiter: str = ",") -> list[str]:
    return [f"2024-01-01 00:{i:02d}:00{delimiter}{row}" for i, row in enumerate(rows(columns, delimiter))]


def read(folder: Path, lines: list[str], reading: Reading = PLAIN, name: str = "a.csv") -> pd.DataFrame:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_files([path], reading)[0][1]


def said(frame: pd.DataFrame) -> str:
    return " ".join(notices_of(frame))


@pytest.mark.parametrize(
    ("above", "names", "units"),
    [
        (["a,b,c", "V,degC,%"], ["a", "b", "c"], {"a": "V", "b": "degC", "c": "%"}),
        (["a,b,c", "[m/s],[1/min],[-]"], ["a", "b", "c"], {"a": "m/s", "b": "1/min"}),
        (["a,b,c", "Grad,mWS,Nl/min"], ["a", "b", "c"], {"a": "Grad", "b": "mWS", "c": "Nl/min"}),
        (["STATION,X1,4,17,table 1", "a,b,c", "Volts,Deg C,%", ",Min,Avg"], ["a", "b", "c"], {"b": "Deg C", "c": "%"}),
        (["Export of line 4", "Created 2024-01-01", "", "a,b,c"], ["a", "b", "c"], {}),
        (["# Device: X1", "# Sampling: 10 min", "a,b,c"], ["a", "b", "c"], {}),
        (["# a,b,c"], ["a", "b", "c"], {}),
        (["a,b,c", "float,float,int"], ["a", "b", "c"], {}),
        (["a,b,c", "Temperature at the inlet,Pressure at the inlet,Flow"], ["a", "b", "c"], {}),
        (["Pump A,,Pump B", "x,y,x"], ["Pump A x", "Pump A y", "Pump B x"], {}),
        (["a,b,c", "---,---,---"], ["a", "b", "c"], {}),
        (["a,b,c,"], ["a", "b", "c"], {}),
    ],
)
def test_lines_above_the_first_row_are_no_rows(tmp_path, above, names, units):
    frame = read(tmp_path, [*above, *rows()])

    assert list(frame.columns) == names
    assert frame.to_numpy().tolist() == [[float(cell) for cell in row.split(",")] for row in rows()]
    assert units_of(frame).items() >= units.items()
    for unit in units.values():
        assert unit in said(frame)


def test_remarks_above_the_table_are_told(tmp_path):
    frame = read(tmp_path, ["Device,X1", "Serial,000", "time,value", *stamped()])

    assert list(frame.columns) == ["time", "value"]
    assert "2 lines above the table in a.csv were left out: 'Device X1', 'Serial 000'" in said(frame)


@pytest.mark.parametrize(
    ("header", "delimiter"), [("c1,c2,c3", ","), ("m", ","), ("V,A,W", ","), ("h;m;s", ";"), ("x y z", " ")]
)
def test_an_ordinary_header_is_not_commented_on(tmp_path, header, delimiter):
    """Short names such as V, m and s are units too, but the only line above the rows holds the names."""
    names = header.split(delimiter)

    frame = read(tmp_path, [header, *rows(len(names), delimiter)])

    assert list(frame.columns) == names
    assert len(frame) == N
    assert not any("no row" in notice or "header" in notice for notice in notices_of(frame))


@pytest.mark.parametrize(
    "lines",
    [
        [f"0,{protocol},SF,{i * 1.5}" for i, protocol in enumerate(["tcp", "udp"] * 20)],
        [f"{colour},{row}" for colour, row in zip(["blue", "red"] * 20, rows(), strict=True)],
        stamped(3),
        [",".join(np.random.default_rng(i).choice(list("abcx"), 4)) for i in range(N)],
        rows(4),
    ],
)
def test_a_first_line_that_looks_like_the_rows_is_a_row(tmp_path, lines):
    frame = read(tmp_path, lines)

    assert len(frame) == len(lines)
    assert list(frame.columns) == ["column 1", "column 2", "column 3", "column 4"]
    assert "has no header" in said(frame)


@pytest.mark.parametrize(
    ("header", "first"),
    [
        ("country,2019,2020", "C{}"),
        ("id,400,402,404,406", "{}"),
        (",0,1,2", "{}"),
    ],
)
def test_names_that_are_numbers_in_equal_steps_are_a_header_and_it_is_told(tmp_path, header, first):
    columns = header.count(",")

    frame = read(tmp_path, [header, *(f"{first.format(i)},{row}" for i, row in enumerate(rows(columns)))])

    assert list(frame.columns)[1:] == header.split(",")[1:]
    assert len(frame) == N
    assert "taken as the header" in said(frame)


def test_a_header_that_does_not_fit_the_rows_is_refused_with_a_way_out(tmp_path):
    lines = ["a,b", *rows(4)]

    with pytest.raises(DataError, match=r"Line 2 of a.csv has 4 cells, but the line above it.* has 2"):
        read(tmp_path, lines)

    assert read(tmp_path, lines, Reading(header=0)).shape == (N, 4)


def test_the_header_can_be_declared(tmp_path):
    lines = ["x,y,z", "a,b,c", *rows()]

    assert list(read(tmp_path, lines, Reading(header=2)).columns) == ["a", "b", "c"]
    assert read(tmp_path, ["1,2,3", *rows()], Reading(header=0)).shape == (N + 1, 3)
    with pytest.raises(DataError, match="has no header in line 400"):
        read(tmp_path, lines, Reading(header=400))


def test_a_header_is_found_by_names_that_are_known(tmp_path):
    """A file of a single row has nothing to guess from; the training data say what its columns are."""
    assert list(read(tmp_path, ["1,2", "3,4"], Reading(names=frozenset({"1", "2"}))).columns) == ["1", "2"]
    numbered = Reading(names=frozenset({"column 1", "column 2"}))
    assert read(tmp_path, ["red,1", "x,y"], numbered).shape == (2, 2)


def test_further_files_have_the_header_of_the_first(tmp_path):
    (tmp_path / "a.csv").write_text("\n".join(rows()) + "\n")
    (tmp_path / "b.csv").write_text("1,2,3\n4,5,6\n7,8,8\n")

    (_, first), (_, second) = read_alike([tmp_path / "a.csv", tmp_path / "b.csv"], PLAIN)

    assert list(second.columns) == list(first.columns)
    assert len(second) == 3


@pytest.mark.parametrize(
    ("extra", "where", "part"),
    [
        (["a,b,c"], 20, "Line 22 of a.csv is no row and left out: the header again"),
        (["# restarted"], 20, "Line 22 of a.csv is no row and left out: a remark"),
        (["#20.1,19.9,3"], 20, "a remark"),
        (["Page 2 of 3"], 20, "a title, 'Page 2 of 3'"),
        (["Total rows: 40"], N, "a total or summary, 'Total rows: 40'"),
        (["Total,,20"], N, "a total or summary, 'Total 20'"),
        (["", "(40 rows affected)"], N, "a footer"),
        (["Exported by Me, 2024-01-02"], N, "a footer"),
        (["Mean,20.1,19.9", "Std dev,5,5"], N, "2 lines of a.csv are no rows and left out"),
    ],
)
def test_lines_among_the_rows_that_are_no_rows_are_left_out_and_told(tmp_path, extra, where, part):
    body = rows()

    frame = read(tmp_path, ["a,b,c", *body[:where], *extra, *body[where:]])

    assert frame.to_numpy().tolist() == [[float(cell) for cell in row.split(",")] for row in body]
    assert part in said(frame)


def test_every_line_is_kept_where_that_is_declared(tmp_path):
    frame = read(tmp_path, ["a,b,c", *rows(), "a,b,c", "Total,,20"], Reading(every_line=True))

    assert len(frame) == N + 2
    assert not said(frame)


@pytest.mark.parametrize(
    "lines",
    [
        ["colour,n,m", *(f"#{i:02x}ff00,{i},{i * 2.5}" for i in range(N))],
        ["name,amount", *(f"{['Total', 'A', 'B'][i % 3]},{i / 7:.2f}" for i in range(N))],
        ["name,value", "x,n.a.", *(f"q{i},{i / 7:.2f}" for i in range(N - 1))],
        ["a,b,c", "Bad,Bad,Bad", *rows(n=N - 1)],
        ["a,b,c", *rows(n=N - 1), "n.a.,n.a.,n.a."],
        ["time,a", "2023-12-31 23:59:00,Bad", *stamped()[:-1]],
        ["#,name,v", *(f"{i},n{i},{i / 7:.2f}" for i in range(N))],
        ["a,b", *(f"{i / 7:.2f},{i / 3:.2f}" for i in range(N - 2)), "#DIV/0!,3", "#N/A,4"],
        ["a,b", *(f'"x\n# y {i}",{i / 7:.2f}' for i in range(N))],
        ["word,n", *(f"{['sum', 'total cost', 'sub'][i % 3]},{i / 7:.2f}" for i in range(N))],
    ],
)
def test_odd_rows_are_rows(tmp_path, lines):
    frame = read(tmp_path, lines)

    assert len(frame) == N
    assert not any("no row" in notice for notice in notices_of(frame))


@pytest.mark.parametrize("last", ["20.1,3", "20.1,3,4,5"])
def test_a_row_that_is_cut_off_is_refused(tmp_path, last):
    with pytest.raises(DataError, match=f"Line {N + 2} of a.csv has {last.count(',') + 1} cells"):
        read(tmp_path, ["a,b,c", *rows(), last])


def test_a_file_full_of_lines_that_are_no_rows_is_refused(tmp_path):
    lines = [line for row in rows() for line in (row, "# a remark")]

    with pytest.raises(DataError, match=r"40 lines of a.csv are no rows, besides 40 rows"):
        read(tmp_path, ["a,b,c", *lines])


@pytest.mark.parametrize(
    ("lines", "names", "shape"),
    [
        (["  time   temp", *(f"  {i:3d}  {20 + i / 7:6.2f}" for i in range(N))], ["time", "temp"], (N, 2)),
        ([f"{i}  {i / 7:.2f} {i / 3:.2f}  " for i in range(N)], ["column 1", "column 2", "column 3"], (N, 3)),
        (["time a b", *(row.replace(",", "  ") for row in stamped(2))], ["time", "a", "b"], (N, 3)),
        (["Date Time a", *(row.replace(",", "  ") for row in stamped(1))], ["Date", "Time", "a"], (N, 3)),
        (['"a" "b"', *(f'"r{i}" {row}' for i, row in enumerate(rows(2, " ")))], ["column 1", "a", "b"], (N, 3)),
        (
            ["#YY MM WSPD", "#yr mo m/s", *(f"2024 {1 + i % 12} {i / 7:.1f}" for i in range(N))],
            ["YY", "MM", "WSPD"],
            (N, 3),
        ),
        (["  a      b", *(f"  {i / 7:5.2f}  {i / 3:5.2f}".replace(".", ",") for i in range(N))], ["a", "b"], (N, 2)),
        (
            ["City          Value", *(f"{['New York', 'Rome'][i % 2]:<14}{20 + i:5.1f}" for i in range(N))],
            ["City", "Value"],
            (N, 2),
        ),
    ],
)
def test_columns_that_are_aligned_by_blanks_are_read(tmp_path, lines, names, shape):
    frame = read(tmp_path, lines, name="a.txt")

    assert list(frame.columns) == names
    assert frame.shape == shape
    assert pd.api.types.is_numeric_dtype(frame[names[-1]])


def test_an_empty_cell_of_a_fixed_position_is_missing(tmp_path):
    lines = [f"{i:5d}{'     ' if i % 4 == 0 else f'{i + 0.5:5.1f}'}{i + 10:5d}" for i in range(N)]

    frame = read(tmp_path, ["    a    b    c", *lines])

    assert frame["b"].isna().tolist() == [i % 4 == 0 for i in range(N)]
    assert frame["c"].tolist() == [i + 10 for i in range(N)]
    assert "fixed positions" in said(frame)


def test_numbers_on_one_line_are_one_column(tmp_path):
    frame = read(tmp_path, ["  ".join(f"{i / 7:.4e}" for i in range(200))])

    assert frame.shape == (200, 1)
    assert frame.iloc[7, 0] == 1.0
    assert "one line of numbers" in said(frame)


def test_a_delimiter_at_the_end_of_the_rows_only_is_no_column(tmp_path):
    frame = read(tmp_path, ["a,b,c", *(f"{row}," for row in rows())])

    assert list(frame.columns) == ["a", "b", "c"]
    assert "without a name and without a value was dropped" in said(frame)


def test_cells_in_single_quotes_are_read(tmp_path):
    frame = read(tmp_path, ["'a','b'", *(f"'{i / 7:.2f}','it''s'" for i in range(N))])

    assert frame["a"].iloc[7] == 1.0
    assert frame["b"].iloc[0] == "it's"


def test_text_with_blanks_is_one_column(tmp_path):
    assert read(tmp_path, ["m", *["5 kg", "300 g"] * 20]).shape == (N, 1)
    assert read(tmp_path, ["note", *['"one, two"', '"three, four"'] * 20]).shape == (N, 1)


def test_a_table_after_title_is_the_same_as_the_plain_table(tmp_path, monkeypatch):
    """Rewriting a file while it is read changes no type, whatever the size of the blocks."""
    from ad_core.data.files import csv_files

    monkeypatch.setattr(csv_files, "BLOCK_BYTES", 4096)
    lines = [f"{i},{i / 7!r},w{i % 3},2024-01-{1 + i % 28:02d},{'true' if i % 2 else 'false'}" for i in range(3000)]
    header = "n,x,word,day,flag"

    plain = read(tmp_path, [header, *lines])
    framed = read(tmp_path, ["Title", "", header, *lines[:1000], header, *lines[1000:], "Total rows: 3000"])

    pd.testing.assert_frame_equal(plain, framed)


@pytest.mark.parametrize(("empty", "words"), [(1, "A line of a.csv directly"), (2, "2 lines of a.csv directly")])
def test_empty_lines_below_the_header_are_told(tmp_path, empty, words):
    frame = read(tmp_path, ["a,b,c", *[",,"] * empty, *rows()])

    assert len(frame) == N
    assert words in said(frame)
