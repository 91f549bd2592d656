"""Spellings of known values: a value is a known level or is counted as unknown, and what is said is what is encoded."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ad_core.data.dataset import Column, ColumnKind, Role
from ad_core.data.tables.allowed_values import allowed_in
from ad_core.data.tables.choose_encoding import learn_encoding
from ad_core.data.tables.encoding import ColumnEncoding, word
from ad_core.data.tables.known_levels import KnownLevels
from ad_core.data.tables.values import is_marker
from ad_core.errors import DataError

CODES = ("levels", "frequency", "boolean")
ROWS = re.compile(r"\((\d+) rows\)")


def learnt(form: str, values: list[str | None]) -> ColumnEncoding:
    kind = ColumnKind.BOOLEAN if form == "boolean" else ColumnKind.CATEGORY
    column = Column(name="x", role=Role.FEATURE, kind=kind)
    code = learn_encoding(column, pd.Series(values, dtype="str"), 2 if form == "frequency" else 20)
    assert code is not None
    assert code.form == form
    return code


def two_words(known: list[str]) -> list[str]:
    """Two that are not spellings of one word, of which a column of true and false has but one."""
    other = [text for text in known if word(text) != word(known[0])]
    assume(bool(other))
    return [known[0], other[0]]


def is_unknown(code: ColumnEncoding, values: pd.Series) -> np.ndarray:
    """(rows,) bool: cells that get the code of a value that was never seen."""
    encoded = code.encode(values)
    if code.form == "levels":
        return encoded[:, -1] == 1
    if code.form == "boolean":
        return encoded[:, 0] == 2
    return np.isclose(encoded[:, 0] * code.scale + code.mean, 0)


def said(code: ColumnEncoding, values: pd.Series, what: str) -> str:
    return next((sentence for sentence in code.differences(values) if what in sentence), "")


def rows_in(sentence: str) -> int:
    return int(ROWS.search(sentence).group(1)) if sentence else 0


texts = st.text(st.sampled_from("aAbBéÉß 01"), min_size=1, max_size=4).filter(lambda text: text.strip())
known_texts = st.lists(texts, min_size=3, max_size=8, unique_by=str.strip)


@pytest.mark.parametrize("form", CODES)
@settings(max_examples=150)
@given(known=known_texts, new=st.lists(st.one_of(texts, st.none()), min_size=1, max_size=20))
def test_every_row_that_is_encoded_as_unknown_is_counted_and_no_other(form, known, new):
    known = two_words(known) if form == "boolean" else known
    code = learnt(form, [*known, *known, None])
    values = pd.Series(new, dtype="str")

    unknown = is_unknown(code, values) & values.notna().to_numpy()
    sentence = said(code, values, "values that were not in the training rows")

    assert rows_in(sentence) == unknown.sum()
    listed = [text for text in {one.strip() for one in new if one} if f"{text!r}" in sentence.partition(":")[2]]
    assert is_unknown(code, pd.Series(listed, dtype="str")).all()


@pytest.mark.parametrize("form", CODES)
@settings(max_examples=150)
@given(
    known=known_texts, at=st.integers(0, 7), change=st.sampled_from([str.upper, str.lower, str.title, " {} ".format])
)
def test_another_spelling_is_the_same_level_and_said_or_unknown_and_said(form, known, at, change):
    known = two_words(known) if form == "boolean" else known
    code = learnt(form, known * 2)
    level = known[at % len(known)]
    spelt = pd.Series([change(level)], dtype="str")

    same = np.array_equal(code.encode(spelt), code.encode(pd.Series([level], dtype="str")))

    if is_unknown(code, spelt)[0]:
        assert rows_in(said(code, spelt, "were not in the training rows")) == 1
        return
    stripped = {one.strip() for one in known}
    assert same or change(level).strip() in stripped  # it is that level, or another one that is spelt like this
    is_usual = change(level) in stripped or (change(level).strip() in stripped and code.padded)
    assert rows_in(said(code, spelt, "taken as the same")) == (0 if is_usual else 1)


@pytest.mark.parametrize("form", CODES)
@pytest.mark.parametrize("spelt", ["North", "NORTH", " north", "north ", "\tNorth\u00a0"])
def test_a_spelling_of_one_known_level_is_that_level(form, spelt):
    code = learnt(form, ["north", "south", *([] if form == "boolean" else ["east", "north"])] * 3)

    new = pd.Series([spelt, "west"], dtype="str")

    np.testing.assert_array_equal(code.encode(new)[0], code.encode(pd.Series(["north"]))[0])
    assert code.differences(new) == [
        "'x' has values that were not in the training rows: 'west' (1 rows).",
        f"'x' has other spellings of known values, which are taken as the same: {spelt!r} as 'north' (1 rows).",
    ]


def test_levels_that_differ_only_by_case_keep_their_spelling_and_a_third_one_is_unknown():
    code = learnt("levels", ["north", "North", "south"] * 3)

    encoded = code.encode(pd.Series(["north", "North", "NORTH", "South"]))

    assert code.decode(encoded) == ["north", "North", "(other)", "south"]
    assert "'NORTH' (1 rows)" in code.differences(pd.Series(["NORTH"]))[0]


def test_accents_and_a_decimal_zero_are_spellings():
    code = learnt("levels", ["Orléans", "3", "a b"] * 3)

    encoded = code.encode(pd.Series(["Orle\u0301ans", "3.0", "A  B", "Orleans", "3.5"]))

    assert code.decode(encoded) == ["Orléans", "3", "a b", "(other)", "(other)"]


def test_blanks_that_the_training_rows_had_too_are_not_said():
    code = learnt("levels", ["north ", "south "] * 3)

    assert code.padded
    assert code.differences(pd.Series(["north ", " south"])) == []
    assert "'North' as 'north'" in code.differences(pd.Series([" North "]))[0]


@pytest.mark.parametrize(
    ("known", "spelt", "at"),
    [
        (("False", "True"), ("no", "YES", "0", "1", "off", "t", "maybe", "2"), (0, 1, 0, 1, 0, 1, -1, -1)),
        (("no", "yes"), ("False", "true", "N", "on"), (0, 1, 0, 1)),
        (("0", "1"), ("1.0", "0.0", "0.5"), (1, 0, -1)),
        (("A", "B"), ("a", "true", "1"), (0, -1, -1)),
        (("True", "True"), ("1", "false"), (1, -1)),
    ],
)
def test_words_for_true_and_false_are_the_same(known, spelt, at):
    assert KnownLevels(known, is_truth=True).positions(spelt).tolist() == list(at)


def test_a_truth_column_with_several_spellings_has_two_values():
    """The most frequent spelling of each is kept; before, two spellings of one word could take both places."""
    values = pd.Series(["no", "No", "yes", "no"] * 3)

    code = learnt("boolean", values.tolist())

    assert (code.zero, code.one) == ("no", "yes")
    assert code.encode(values)[:, 0].tolist() == [0, 0, 1, 0] * 3


def test_a_cell_can_be_changed_to_a_level_in_any_spelling():
    data = pd.DataFrame({"x": ["north", "south", "east"] * 4})
    allowed = allowed_in([learnt("levels", data["x"].tolist())], data)["x"]

    assert allowed.read("NORTH ") == "north"
    assert allowed.same("north", "North")
    assert not allowed.same("north", "south")
    with pytest.raises(DataError, match="'west' is not a value of 'x' that the detector knows"):
        allowed.read("west")


@pytest.mark.parametrize("marker", ["NA", "null", "-", "?"])
def test_a_marker_of_no_value_is_no_spelling(marker):
    code = learnt("levels", ["na", "nul", "x"] * 3)

    assert is_marker(marker)
    assert code.differences(pd.Series([marker])) == [
        "100% of 'x' is missing; nothing was missing in the training rows."
    ]


def test_a_few_missing_cells_are_counted():
    code = learnt("levels", ["a", "b", "c"] * 3)

    sentence = code.differences(pd.Series([None, *["a"] * 999], dtype="str"))[0]

    assert sentence == "1 of 1000 cells of 'x' is missing; nothing was missing in the training rows."
