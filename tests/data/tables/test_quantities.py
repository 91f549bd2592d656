"""Numbers that are written with signs, units and bounds: what they are, what is said, and the same at scoring."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ad_core.data.dataset import ColumnKind, Declared, Role
from ad_core.data.files.quantity import quantity
from ad_core.data.files.reading import PLAIN, Reading
from ad_core.data.files.tabular_files import read_alike
from ad_core.data.opening import as_used, open_as, open_dataset
from ad_core.data.tables.quantities import with_numbers
from ad_core.errors import DataError
from ad_core.pipeline import train_all
from ad_core.progress import Silent
from ad_core.training.choice import Choice

TIMES = 10


def read(cells: list[str], name: str = "x", reading: Reading = PLAIN) -> tuple[list[object], str | None, str]:
    """Numbers of the cells, unit, and what was said; the cells are repeated, as a few could be odd ones."""
    frame = pd.DataFrame({name: cells * TIMES})
    read, units, said = with_numbers(frame, reading, "a.csv")
    return read[name].tolist()[: len(cells)], units.get(name), " ".join(said)


@pytest.mark.parametrize(
    ("cells", "numbers", "unit"),
    [
        (["$1,234.50", "-$5", "$0.99"], [1234.5, -5, 0.99], "$"),
        (["$1,234", "$2,000,000"], [1234, 2_000_000], "$"),
        (["12.30 EUR", "1 000.00 EUR"], [12.3, 1000], "€"),
        (["1.234,50 €", "7,00 €"], [1234.5, 7], "€"),
        (["(1,234.50)", "12.00"], [-1234.5, 12], None),
        (["5.00-", "12.00"], [-5, 12], None),
        (["45.1%", "7 %"], [45.1, 7], "%"),
        (["20.1 C", "-3.5°C"], [20.1, -3.5], "°C"),
        (["5 kg", "300 g"], [5, 0.3], "kg"),
        (["116.9M", "28.5K", "2G", "950"], [116.9e6, 28_500, 2e9, 950], None),
        (["293.1 K", "294 K"], [293.1, 294], "K"),
        (["$1.2M", "$3.5K"], [1.2e6, 3500], "$"),
        (["1:02:03", "30:00:00"], [3723, 108_000], "s"),
        (["1h 30m", "2d 1h"], [5400, 176_400], "s"),
        (["0 days 00:10:00", "1 days 00:00:01"], [600, 86_401], "s"),
        (["<0.1", "0.5", "> 9"], [0.1, 0.5, 9], None),
        (["1.5D+03", "-0.234D-02"], [1500, -0.00234], None),
        (["12.5 m/s2", "9.81 m/s²"], [12.5, 9.81], "m/s²"),
        (["1.5 kWh", "2 MWh"], [1.5, 2000], "kWh"),
    ],
)
def test_written_quantities_are_numbers_with_a_unit(cells, numbers, unit):
    found, symbol, said = read(cells)

    assert found == pytest.approx(numbers)
    assert symbol == unit
    assert f"such as {cells[0]!r} in a.csv, were read as numbers: 'x'" in said


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("seat", ["12A", "14C", "3F", "7D"]),
        ("room", ["12A", "13A", "14A"]),
        ("zip", ["01234", "99999 "]),
        ("ip", ["10.0.0.1", "10.0.0.2"]),
        ("version", ["1.2.3", "1.2.4"]),
        ("size", ["12 V", "red", "blue", "24 V"]),
        ("day", ["2024-01-01", "2024-01-02"]),
        ("Time", ["00:15:30", "12:00:00"]),
        ("code", ["3D2", "4D3"]),
        ("name", ["one", "two"]),
    ],
)
def test_what_only_looks_like_a_quantity_stays_text(name, cells):
    found, unit, said = read(cells, name)

    assert found == cells
    assert unit is None
    assert not said


@pytest.mark.parametrize(
    ("cells", "part"),
    [
        (["$5.00", "€3.50"], "mixes units ($, €): kept as text"),
        (["1,234 kg", "5,678 kg"], "decimal mark is not certain"),
    ],
)
def test_what_cannot_be_one_number_stays_text_and_is_told(cells, part):
    found, _, said = read(cells)

    assert found == cells
    assert part in said


def test_clocks_beside_dates_stay_texts():
    clocks = ["00:15:30", "12:00:00"]
    frame = pd.DataFrame({"day": pd.to_datetime(["2024-01-01", "2024-01-02"]), "at": clocks})

    assert with_numbers(frame, PLAIN, "a.csv")[0]["at"].tolist() == clocks
    assert with_numbers(frame[["at"]], PLAIN, "a.csv")[0]["at"].tolist() == [930.0, 43_200.0]


def test_cells_below_detection_are_told_with_their_row():
    _, _, said = read(["0.5", "<0.1"])

    assert "10 cells of 'x' are below detection, first in row 2 ('<0.1'): the limit was taken as the value." in said


def test_a_few_odd_cells_stay_as_they_are_written():
    found, unit, _ = read(["5 kg"] * 19 + ["broken"])

    assert found == ["5.0"] * 19 + ["broken"]
    assert unit == "kg"


def test_a_column_that_was_declared_a_category_is_left_alone():
    assert read(["12 V", "24 V"], reading=Reading(texts=frozenset({"x"})))[0] == ["12 V", "24 V"]


@given(
    st.decimals(-(10**9), 10**9, allow_nan=False, places=2),
    st.sampled_from(["", "$", "€", "kg", " kg", "%", " °C", "M", " mg/l"]),
)
def test_any_amount_comes_back(amount, unit):
    text = f"{unit}{amount}" if unit in ("$", "€") and amount >= 0 else f"{amount:,}{unit}"

    cell = quantity(text)

    assert cell is not None
    assert float(cell.core.replace(",", "")) * (-1 if cell.negative else 1) == pytest.approx(float(amount))


def orders(n: int = 120, seed: int = 0, unit: str = "{:.2f} kg", factor: float = 1.0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    mass = generator.uniform(1, 9, n)
    return pd.DataFrame(
        {
            "mass": [unit.format(factor * m) for m in mass],
            "price": [f"${3 * m + generator.normal(0, 0.1):,.2f}" for m in mass],
        }
    )


@pytest.fixture(params=["frame", "csv"])
def opened(request, tmp_path):
    def open_(data: pd.DataFrame, **declared: object):
        if request.param == "frame":
            return open_dataset(data, modality="table", **declared)
        path = tmp_path / "a.csv"
        data.to_csv(path, index=False)
        return open_dataset(path, modality="table", **declared)

    return open_


def test_the_unit_is_in_the_schema(opened):
    dataset = opened(orders())

    assert [(c.name, c.kind, c.role, c.unit) for c in dataset.schema.columns] == [
        ("mass", ColumnKind.NUMBER, Role.FEATURE, "kg"),
        ("price", ColumnKind.NUMBER, Role.FEATURE, "$"),
    ]


def test_the_kind_category_keeps_the_texts(opened):
    dataset = opened(orders(), kinds={"mass": ColumnKind.CATEGORY})

    assert dataset.data["mass"].tolist() == orders()["mass"].tolist()
    assert dataset.schema.columns[0].kind is ColumnKind.CATEGORY


def test_new_data_in_another_unit_are_converted_assumed_or_refused_but_never_mixed():
    trained = as_used(open_dataset(orders(), modality="table"))
    same = open_as(trained, orders(seed=1)).data["mass"]

    grams = open_as(trained, orders(seed=1, unit="{:.0f} g", factor=1000))
    bare = open_as(trained, orders(seed=1).assign(mass=same))
    dollars = orders(seed=1)

    assert np.allclose(grams.data["mass"], same, atol=0.006)  # kilograms have two decimals here
    assert "'mass' is in g in the data frame; it was converted into kg, as in the training data." in grams.notices
    assert bare.data["mass"].tolist() == same.tolist()
    assert "'mass' has no unit in the data frame; it was taken as kg, as in the training data." in bare.notices
    with pytest.raises(DataError, match="'price' is in € in the data frame, but in \\$ in the training data"):
        open_as(trained, dollars.assign(price=dollars["price"].str.replace("$", "€")))
    with pytest.raises(DataError, match="'mass' is in s in the data frame, but in kg"):
        open_as(trained, orders(unit="{:.2f} s"))


def test_a_unit_that_only_the_new_data_have_is_told():
    plain = orders().assign(mass=lambda data: data["mass"].str.removesuffix(" kg").astype(float))

    new = open_as(as_used(open_dataset(plain, modality="table")), orders(seed=1))

    assert any("'mass' is in kg in the data frame and without a unit in the training data" in n for n in new.notices)


def test_a_line_of_units_counts_as_much_as_units_in_the_cells(tmp_path):
    values = [f"{i / 7:.3f},{i / 3:.3f}" for i in range(60)]
    (tmp_path / "train.csv").write_text("\n".join(["u,i", "V,A", *values]) + "\n")
    (tmp_path / "new.csv").write_text("\n".join(["u,i", "mV,A", *values]) + "\n")

    trained = open_dataset(tmp_path / "train.csv")
    new = open_as(as_used(trained), tmp_path / "new.csv")

    assert trained.schema.columns[0].unit == "V"
    assert new.data["u"].iloc[7] == pytest.approx(0.001)
    assert any("'u' is in mV in new.csv; it was converted into V" in notice for notice in new.notices)


def test_files_that_are_opened_together_get_the_units_of_the_first(tmp_path: Path):
    for name, unit in (("a.csv", "{:.2f} kg"), ("b.csv", "{:.2f} t"), ("c.csv", "{:.2f} V")):
        orders(unit=unit).to_csv(tmp_path / name, index=False)

    (_, first), (_, second) = read_alike([tmp_path / "a.csv", tmp_path / "b.csv"], PLAIN)

    assert np.allclose(second["mass"], 1000 * first["mass"])
    with pytest.raises(DataError, match=r"'mass' is in V in c.csv, but in kg in a.csv"):
        read_alike([tmp_path / "a.csv", tmp_path / "c.csv"], PLAIN)


def test_a_recording_reads_quantities_too(tmp_path):
    time = pd.date_range("2024-01-01", periods=200, freq="min").strftime("%Y-%m-%d %H:%M:%S")
    level = [f"{20 + np.sin(i / 9):.3f} °C" for i in range(200)]
    level[50] = "Bad"
    pd.DataFrame({"time": time, "t": level}).to_csv(tmp_path / "a.csv", index=False)

    dataset = open_dataset(tmp_path / "a.csv")

    assert str(dataset.modality) == "sensor"
    assert dataset.schema.columns[1].unit == "°C"
    assert "1 of 200 cells are not numbers (first in row 51: 'Bad')" in " ".join(dataset.notices)


def test_an_odd_amount_is_found():
    data = orders(400)
    data.loc[7, "price"] = "$9,999,999.00"

    scores = train_all(
        open_dataset(data, modality="table"),
        Choice(pretext="masked_cells", settings={"training": {"max_steps": 20}}),
        Silent(),
    ).scores

    assert scores["score"].idxmax() == 7


def test_one_odd_cell_in_many_does_not_throw_a_column_out():
    values = [f"{i / 7:.3f}" for i in range(1500)]
    values[20] = "n.a."

    column = open_dataset(pd.DataFrame({"x": values, "y": range(1500)}), modality="table").schema.columns[0]

    assert (column.kind, column.role, column.grade) == (ColumnKind.NUMBER, Role.FEATURE, "B")
    assert "text in 1 of 1500 cells, first in row 21 ('n.a.'): used as a number" in column.reason


def test_the_first_of_columns_without_names_is_no_id():
    data = pd.DataFrame({"column 1": [0, 1, 5] * 20, "column 2": np.arange(60) / 7})

    assert open_dataset(data, modality="table").schema.columns[0].kind is ColumnKind.NUMBER


@pytest.mark.parametrize(
    "declared", [{}, {"header": 0}, {"sheet": "May"}, {"every_line": True}, {"units": {"x": "kg"}}]
)
def test_where_the_table_is_survives_being_written_and_is_only_written_where_it_was_said(declared):
    """Bundles of older versions have no such keys, and keep their facts when they are saved again."""
    written = Declared(**declared).model_dump(mode="json")

    assert Declared.model_validate(written) == Declared(**declared)
    assert {"sheet", "header", "every_line", "units"} & set(written) == set(declared)
