"""The Data page says where in a file the table was found, and lets the analyst choose another place."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ad_core.pipeline import open_dataset
from ad_core.storage.store import Store
from tests.data.files.workbooks import workbook

Open = Callable[..., AppTest]


@pytest.fixture
def months(store: Store, tmp_path: Path) -> str:
    """A data set from a workbook with two sheets, whose prices look like formulas to Markdown."""
    sheets = {
        name: [["batch", "heat", "price"], *([f"b{i}", start + i / 7, f"${i}.50 or $2"] for i in range(40))]
        for name, start in (("Jan", 0), ("Feb", 100))
    }
    path = workbook(tmp_path / "months.xlsx", sheets)
    dataset = open_dataset(path)
    return store.add_dataset("months", "table", [str(path)], {}, len(dataset), dataset.fingerprint, {}).id


def test_a_sheet_can_be_chosen(months: str, open_page: Open) -> None:
    test = open_page("prepare/data.py", data=months)
    said = " ".join(box.value for box in test.warning)
    sheet = next(box for box in test.selectbox if box.label == "Sheet")
    before = test.dataframe[-1].value["heat"].iloc[0]

    sheet.set_value("Feb").run()

    assert "2 filled sheets; the first, 'Jan', was read" in said
    assert not test.exception
    assert (before, test.dataframe[-1].value["heat"].iloc[0]) == (0, 100)
    assert "Sheet 'Feb' of months.xlsx was read" in " ".join(box.value for box in test.warning)


def test_the_line_of_the_header_can_be_given(months: str, open_page: Open) -> None:
    test = open_page("prepare/data.py", data=months)

    next(box for box in test.number_input if box.label == "Line of the column names").set_value(0).run()

    assert not test.exception
    assert list(test.dataframe[-1].value.columns) == ["column 1", "column 2", "column 3"]
    assert len(test.dataframe[-1].value) == 41


def test_undoing_brings_the_guess_back(months: str, open_page: Open) -> None:
    test = open_page("prepare/data.py", data=months)
    next(box for box in test.selectbox if box.label == "Sheet").set_value("Feb").run()

    next(box for box in test.button if box.label == "Undo my changes").click().run()

    assert not test.exception
    assert test.dataframe[-1].value["heat"].iloc[0] == 0
    assert next(box for box in test.selectbox if box.label == "Sheet").value is None
