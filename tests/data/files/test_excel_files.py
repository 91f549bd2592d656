"""Workbooks: which sheet is read, lines that are no rows, durations, and errors in cells."""

import datetime as dt
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ad_core.data.files import excel_errors
from ad_core.data.files.excel_files import sheet_names
from ad_core.data.files.reading import PLAIN, Reading
from ad_core.data.files.tabular_files import notices_of, read_files, units_of
from ad_core.data.opening import as_used, open_as, open_dataset
from ad_core.errors import DataError
from tests.data.files.workbooks import Error, workbook

N = 30


def table(start: float = 0.0) -> list[list[object]]:
    return [[f"B{i:03d}", start + i / 7, i % 5 + 0.5] for i in range(N)]


def read(path: Path, reading: Reading = PLAIN) -> pd.DataFrame:
    return read_files([path], reading)[0][1]


@pytest.fixture
def months(tmp_path: Path) -> Path:
    names = ["batch", "temp", "flow"]
    sheets = {name: [names, *table(start)] for name, start in (("Jan", 0.0), ("Feb", 100.0), ("Mar", 200.0))}
    return workbook(tmp_path / "months.xlsx", sheets)


def test_the_sheet_is_a_choice_and_it_is_told(months):
    by_default, chosen = read(months), read(months, Reading(sheet="Feb"))

    assert by_default["temp"].iloc[0] == 0
    assert "months.xlsx has 3 filled sheets; the first, 'Jan', was read" in notices_of(by_default)[0]
    assert "('Feb', 'Mar')" in notices_of(by_default)[0]
    assert chosen["temp"].iloc[0] == 100
    assert notices_of(chosen) == ["Sheet 'Feb' of months.xlsx was read, one of 3."]
    assert sheet_names(months) == ["Jan", "Feb", "Mar"]
    with pytest.raises(DataError, match=r"no sheet 'Apr'\. Its sheets are: 'Jan', 'Feb', 'Mar'"):
        read(months, Reading(sheet="Apr"))


def test_a_hidden_sheet_is_not_the_default(tmp_path):
    names = ["batch", "temp", "flow"]
    path = workbook(tmp_path / "a.xlsx", {"lists": [names, *table()], "data": [names, *table(100)]}, hidden={"lists"})

    frame = read(path)

    assert frame["temp"].iloc[0] == 100
    assert "the first visible one, 'data', was read" in notices_of(frame)[0]


def test_new_data_are_read_from_the_sheet_of_that_name(months, tmp_path):
    trained = as_used(open_dataset(months, sheet="Feb"))
    other = workbook(tmp_path / "new.xlsx", {"April": [["batch", "temp", "flow"], *table(300)]})

    assert open_as(trained, months).data["temp"].iloc[0] == 100
    assert open_as(trained, months, {"sheet": "Mar"}).data["temp"].iloc[0] == 200
    assert open_as(trained, other).data["temp"].iloc[0] == 300


def test_titles_units_and_totals_are_no_rows(tmp_path):
    rows = [
        ["Production report"],
        [None],
        ["batch", "temp", "flow"],
        [None, "degC", "l/min"],
        *table(),
        ["Total", None, 75],
    ]

    frame = read(workbook(tmp_path / "a.xlsx", {"s": rows}))

    assert list(frame.columns) == ["batch", "temp", "flow"]
    assert frame["flow"].tolist() == [row[2] for row in table()]
    assert units_of(frame) == {"temp": "degC", "flow": "l/min"}
    assert f"Line {N + 5} of a.xlsx is no row and left out: a total or summary" in " ".join(notices_of(frame))


def test_the_line_of_the_header_counts_from_the_top_of_the_sheet(tmp_path):
    rows = [[None], [None], ["x", "y", "z"], ["batch", "temp", "flow"], *table()]

    frame = read(workbook(tmp_path / "a.xlsx", {"s": rows}), Reading(header=4))

    assert list(frame.columns) == ["batch", "temp", "flow"]
    assert len(frame) == N


def test_durations_are_numbers_in_seconds(tmp_path):
    times = [dt.timedelta(hours=i, minutes=30) for i in range(N)]
    path = workbook(tmp_path / "a.xlsx", {"s": [["run", "x"], *([time, i / 7] for i, time in enumerate(times))]})

    frame = read(path)

    assert np.allclose(frame["run"], [time.total_seconds() for time in times])
    assert units_of(frame) == {"run": "s"}
    assert "Durations in a.xlsx were read in seconds: 'run'." in notices_of(frame)
    assert open_dataset(path, modality="table").schema.columns[0].unit == "s"


def test_errors_in_cells_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(excel_errors, "BLOCK", 200)
    monkeypatch.setattr(excel_errors, "LONGEST", 150)
    rows = table()
    rows[6][1], rows[9][2], rows[20][1], rows[21][1] = Error("#DIV/0!"), Error("#N/A"), Error("#REF!"), None

    frame = read(workbook(tmp_path / "a.xlsx", {"s": [["batch", "temp", "flow"], *rows]}))

    assert frame["temp"].isna().sum() == 3
    assert "3 cells of sheet 's' in a.xlsx hold an error, first B8 (#DIV/0!); they count as missing." in notices_of(
        frame
    )


def test_without_errors_empty_cells_are_not_commented_on(tmp_path):
    rows = table()
    rows[6][1] = None

    assert notices_of(read(workbook(tmp_path / "a.xlsx", {"s": [["batch", "temp", "flow"], *rows]}))) == []


def test_where_errors_cannot_be_told_that_is_told(tmp_path, monkeypatch):
    """Other kinds of workbooks are not written here: the name of the part of an .xlsx file is taken away instead."""
    rows = table()
    rows[6][1] = None
    path = workbook(tmp_path / "a.xlsx", {"s": [["batch", "temp", "flow"], *rows]})
    monkeypatch.setattr(excel_errors, "_part", lambda *_: None)

    assert "errors such as #DIV/0! can't be told from them in a .xlsx file" in notices_of(read(path))[0]


def test_a_text_or_a_web_page_that_is_named_xls_is_what_its_content_says(tmp_path):
    (tmp_path / "a.xls").write_bytes("a\tb\n1\t2\n3\t4\n".encode("utf-16"))
    (tmp_path / "b.xls").write_text("<table><tr><td>1</td></tr></table>\n" * 9)

    assert read(tmp_path / "a.xls")["b"].tolist() == [2, 4]
    assert sheet_names(tmp_path / "a.xls") == []
    with pytest.raises(DataError, match=r"b.xls is not a text table but a web page \(HTML\)"):
        read(tmp_path / "b.xls")


def test_a_damaged_workbook_has_no_sheets_and_one_clear_sentence(tmp_path, months):
    shutil.copy(months, tmp_path / "cut.xlsx")
    content = (tmp_path / "cut.xlsx").read_bytes()
    (tmp_path / "cut.xlsx").write_bytes(content[: len(content) // 2])

    assert sheet_names(tmp_path / "cut.xlsx") == []
    with pytest.raises(DataError, match="can't be read as an Excel workbook"):
        read(tmp_path / "cut.xlsx")
