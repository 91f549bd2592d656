"""What may stand in a column: values are read as the column holds them, and others are refused in a sentence."""

import pandas as pd
import pytest

from ad_core.data.dataset import Column, ColumnKind, Role
from ad_core.data.tables.allowed_values import Allowed, allowed_in
from ad_core.data.tables.choose_encoding import learn_encoding
from ad_core.errors import DataError

DATA = pd.DataFrame(
    {
        "amount": [12.5, 80.0, 31.25, None],
        "hour": [3.0, 11.0, 12.0, None],
        "shop": ["food", "fuel", "food", "food"],
        "paid": [True, False, True, True],
        "opened": ["31.01.2024", "15.02.2024", "01.03.2025", "02.03.2025"],
        "seen": pd.to_datetime(["2024-01-31 10:00", "2024-02-15 11:30", "2025-03-01 00:00", "2025-03-02 00:00"]),
        "merchant": ["m1", "m1", "m2", "m3"],
    }
)
KINDS = {
    "amount": ColumnKind.NUMBER,
    "hour": ColumnKind.NUMBER,
    "shop": ColumnKind.CATEGORY,
    "paid": ColumnKind.BOOLEAN,
    "opened": ColumnKind.DATE,
    "seen": ColumnKind.DATE,
    "merchant": ColumnKind.CATEGORY,
}


@pytest.fixture(scope="module")
def allowed() -> dict[str, Allowed]:
    codes = []
    for name, kind in KINDS.items():
        column = Column(name=name, role=Role.FEATURE, kind=kind)
        levels = 2 if name == "merchant" else 20
        code = learn_encoding(column, DATA[name], levels, form="%d.%m.%Y" if name == "opened" else None)
        assert code is not None
        codes.append(code)
    return allowed_in(codes, DATA)


def test_values_are_read_as_the_column_holds_them(allowed):
    assert allowed["amount"].read("99.75") == 99.75
    assert allowed["hour"].read("7") == 7
    assert allowed["shop"].read(" fuel ") == "fuel"
    assert allowed["paid"].read("true") == allowed["paid"].read("1") == "True"
    assert allowed["opened"].read("2024-05-17") == "17.05.2024"
    assert allowed["seen"].read("2024-05-17 08:30") == pd.Timestamp("2024-05-17 08:30")
    assert allowed["merchant"].read("m3") == "m3"
    assert allowed["amount"].read("") is None


@pytest.mark.parametrize(
    ("column", "text", "said"),
    [
        ("hour", "7.5", "whole numbers only"),
        ("amount", "much", "not a number"),
        ("amount", "inf", "not a number"),
        ("shop", "foot", "Did you mean 'food'"),
        ("shop", "", "never empty"),
        ("merchant", "x9", "There is: m1, m2, m3"),
        ("seen", "some day", "not a date"),
    ],
)
def test_what_cannot_stand_there_is_refused_in_a_sentence(allowed, column, text, said):
    with pytest.raises(DataError, match=said):
        allowed[column].read(text)


def test_numbers_keep_the_digits_and_dates_the_days_that_the_column_has(allowed):
    assert (allowed["hour"].decimals, allowed["amount"].decimals) == (0, 2)
    assert allowed["amount"].rounded(3.14159) == 3.14
    assert (allowed["opened"].whole_days, allowed["seen"].whole_days) == (True, False)
    assert allowed["opened"].moment(pd.Timestamp("2024-05-17 14:00").timestamp()) == "18.05.2024"  # the nearer day


def test_a_value_that_is_there_already_is_known_however_it_is_typed(allowed):
    assert allowed["amount"].same(80.0, "80")
    assert allowed["paid"].same(True, "True")
    assert allowed["opened"].same("31.01.2024", "2024-01-31")
    assert allowed["hour"].same(None, "")
    assert not allowed["amount"].same(80.0, "80.5")
    assert not allowed["opened"].same("31.01.2024", "2024-02-01")


def test_a_column_that_was_deleted_since_the_training_is_named(allowed):
    code = learn_encoding(Column(name="hour", role=Role.FEATURE, kind=ColumnKind.NUMBER), DATA["hour"], 20)

    with pytest.raises(DataError, match="'hour', which these data do not have"):
        allowed_in([code], DATA.drop(columns="hour"))
