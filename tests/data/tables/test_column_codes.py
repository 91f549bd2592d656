"""Columns of a table as entries of an item and back: quantiles, free text, dates, and the way back for every code."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from ad_core.data.dataset import Column, ColumnKind, Dataset, Declared, Role
from ad_core.data.readers.table import Table, TableSettings
from ad_core.data.tables.choose_encoding import learn_encoding
from ad_core.data.tables.text_encoding import words_repeat

COMPLAINTS = [
    f"{thing} {what} {when}"
    for thing in ("the pump", "a valve", "the second motor", "the conveyor belt")
    for what in ("leaks oil", "makes a noise", "stopped", "runs hot", "vibrates strongly")
    for when in ("since monday", "after the repair", "at start up", "every night")
]


def learnt(values: pd.Series, kind: ColumnKind, **options: object):
    code = learn_encoding(Column(name="x", role=Role.FEATURE, kind=kind), values, 20, **options)
    assert code is not None
    return code


def opened(data: pd.DataFrame, **declared: object) -> Dataset:
    return Table.open(data, Declared(**declared))


# --- quantiles


def test_a_quantile_code_is_the_normal_deviate_of_the_middle_rank():
    """Five numbers have the ranks 0.5/5 ... 4.5/5; halfway between two of them lies halfway between their deviates."""
    code = learnt(pd.Series([1.0, 2.0, 4.0, 100.0, 1000.0]), ColumnKind.NUMBER, number_form="quantile")

    z = code.encode(pd.Series([1.0, 4.0, 1000.0, 52.0]))[:, 0]

    expected = norm.ppf([0.1, 0.5, 0.9, 0.5])
    expected[3] = (norm.ppf(0.5) + norm.ppf(0.7)) / 2
    np.testing.assert_allclose(z, expected, atol=1e-12)


def test_a_number_that_repeats_gets_its_middle_rank():
    """Six zeros of ten rows have the ranks 0 to 6 of 10: 0.3 in the middle."""
    code = learnt(pd.Series([0.0] * 6 + [1.0, 2.0, 3.0, 4.0]), ColumnKind.NUMBER, number_form="quantile")

    assert code.encode(pd.Series([0.0]))[0, 0] == pytest.approx(norm.ppf(0.3))


def test_quantiles_spread_a_heavy_tail_and_keep_far_off_values_far_off():
    values = pd.Series(np.random.default_rng(0).lognormal(0, 2, 2000))
    code = learnt(values, ColumnKind.NUMBER, number_form="quantile")

    z = code.encode(values)[:, 0]
    assert abs(z.mean()) < 0.01
    assert z.std() == pytest.approx(1, abs=0.02)
    far = code.encode(values.max() + values.std(ddof=0) * pd.Series([0.0, 10.0, 30.0]))[:, 0]
    np.testing.assert_allclose(far - far[0], [0, 10, 30], atol=1e-9)
    far = code.encode(values.min() - values.std(ddof=0) * pd.Series([0.0, 10.0]))[:, 0]
    assert far[0] - far[1] == pytest.approx(10)


def test_the_way_in_which_numbers_are_scaled_is_a_setting_of_the_reader():
    data = pd.DataFrame({"x": np.random.default_rng(0).lognormal(0, 2, 400), "y": np.arange(400.0)[::-1] % 37})
    dataset = opened(data)
    reader = Table(TableSettings(numbers="quantile"))
    reader.fit(dataset, np.ones(400, dtype=bool))
    x = reader.item_set(dataset).x

    assert x[:, 0].max() < 4
    assert reader.expected_in_units(0, x[:, :1]) == pytest.approx(data["x"].tolist(), rel=1e-4)
    again = Table(TableSettings(numbers="quantile"))
    facts, arrays = reader.state()
    again.restore(json.loads(json.dumps(facts)), arrays)
    np.testing.assert_array_equal(again.item_set(dataset).x, x)


# --- free text


def test_a_word_that_never_stood_there_is_unlike_all_texts_that_taught():
    code = learnt(pd.Series(COMPLAINTS), ColumnKind.TEXT)

    def strangeness(texts: list[str]) -> np.ndarray:
        return np.abs(code.encode(pd.Series(texts))).max(axis=1)

    usual = strangeness(["the pump runs hot after the repair", "a valve leaks oil at start up"])
    strange = strangeness(["invoice 4711 was paid twice", "QZXW JKVB"])
    assert strange.min() > 1.5 * usual.max()
    assert strange.min() > strangeness(COMPLAINTS).max()


def test_texts_that_share_their_words_lie_near_each_other():
    code = learnt(pd.Series(COMPLAINTS), ColumnKind.TEXT)

    pump, same, other = code.encode(
        pd.Series(["the pump leaks oil at start up", "the pump leaks oil every night", "the conveyor belt stopped"])
    )

    assert np.linalg.norm(pump - same) < np.linalg.norm(pump - other)


def test_the_directions_of_texts_are_their_singular_vectors():
    """The SVD's own guarantee: no other directions of this number hold more of the weighted n-gram counts."""
    from sklearn.feature_extraction.text import HashingVectorizer

    code = learnt(pd.Series(COMPLAINTS), ColumnKind.TEXT)
    counts = HashingVectorizer(
        analyzer="char_wb", ngram_range=(2, 4), n_features=2048, alternate_sign=False, norm=None
    ).transform(COMPLAINTS)
    counts = counts.toarray()
    idf = np.log((1 + len(COMPLAINTS)) / (1 + (counts > 0).sum(axis=0))) + 1
    x = counts * idf
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    singular = np.linalg.svd(x, full_matrices=False)

    on = code.encode(pd.Series(COMPLAINTS))[:, :6] * np.array(code.scale[:6]) + np.array(code.mean[:6])

    strength = np.linalg.norm(on, axis=0)
    np.testing.assert_allclose(strength, singular.S[:6], rtol=0.02)  # the randomised solver is close, not exact
    rest = code.encode(pd.Series(COMPLAINTS))[:, 6] * code.scale[6] + code.mean[6]
    np.testing.assert_allclose(rest**2, 1 - (on**2).sum(axis=1), atol=1e-4)


def test_a_missing_text_is_average_and_flagged():
    code = learnt(pd.Series([*COMPLAINTS, None]), ColumnKind.TEXT)

    encoded = code.encode(pd.Series([None, COMPLAINTS[0]]))

    assert encoded[0].tolist() == [0.0] * (code.entries - 1) + [1.0]
    assert encoded[1, -1] == 0
    assert code.decode(encoded) == ["(missing)", COMPLAINTS[0]]


def test_texts_become_features_where_words_repeat():
    complaints = opened(
        pd.DataFrame({"text": np.resize(COMPLAINTS, 90), "n": np.random.default_rng(0).normal(size=90)})
    )
    column = complaints.schema.columns[0]

    assert (column.kind, column.role, column.grade) == (ColumnKind.TEXT, Role.FEATURE, "B")
    assert "wording" in column.reason
    reader = Table(TableSettings())
    reader.fit(complaints, np.ones(90, dtype=bool))
    item_set = reader.item_set(complaints)
    assert np.isfinite(item_set.x).all()
    part = item_set.shape.parts.names.index("text")
    decoded = reader.expected_in_units(part, item_set.x[:, item_set.shape.parts.entries(part)])
    assert decoded == complaints.data["text"].tolist()


@pytest.mark.parametrize(
    ("texts", "repeats"),
    [
        (COMPLAINTS, True),
        ([f"Order number {i} was shipped" for i in range(100)], False),
        ([f"{i:032x}" for i in range(100)], False),
        ([f"CUST-{i % 7}-{i % 11}" for i in range(100)], False),
        ([f"word{i} thing{i} other{i}" for i in range(100)], False),
        ([], False),
    ],
)
def test_ids_and_sentences_that_differ_in_a_number_only_are_no_texts_to_learn_from(texts, repeats):
    assert words_repeat(texts) is repeats


def test_texts_that_say_nothing_count_by_their_frequency():
    code = learnt(pd.Series(["..", None] * 20), ColumnKind.TEXT)

    assert np.isfinite(code.encode(pd.Series(["..", None, "new"]))).all()


# --- dates


def test_a_date_far_in_the_future_is_a_date():
    """Tables say "valid until 9999-12-31"; nanoseconds would end in 2262."""
    values = pd.Series(["2024-01-31", "9999-12-31", "2023-06-01"] * 10)
    code = learnt(values, ColumnKind.DATE, form="ISO8601")

    assert code.decode(code.encode(values)) == values.tolist()
    assert code.differences(pd.Series(["1066-10-14"] * 3)) == [
        "100% of 'x' lies outside 2023-06-01 to 9999-12-31, the time of the training rows, farthest first in 3 rows: "
        "row 1 ('1066-10-14'), row 2 ('1066-10-14'), row 3 ('1066-10-14')."
    ]


def test_dates_come_back_to_the_second():
    values = pd.Series(pd.date_range("1700-01-01", "2200-12-31", periods=500).round("s"))
    code = learnt(values, ColumnKind.DATE)

    assert [pd.Timestamp(text) for text in code.decode(code.encode(values))] == values.tolist()


# --- the way back

finite = st.floats(-1e9, 1e9, allow_subnormal=False)
whole = st.integers(-(2**31), 2**31)
words = st.sampled_from(["red", "green", "blue", "ünï", "a b", "3"])
stamps = st.datetimes(pd.Timestamp("1900-01-01"), pd.Timestamp("2200-01-01")).map(lambda t: t.replace(microsecond=0))
MARK = "(missing)"


@st.composite
def columns(draw: st.DrawFn) -> tuple[ColumnKind, pd.Series]:
    kind, cells = draw(
        st.sampled_from(
            [
                (ColumnKind.NUMBER, finite),
                (ColumnKind.NUMBER, whole),
                (ColumnKind.CATEGORY, words),
                (ColumnKind.BOOLEAN, st.sampled_from(["no", "yes"])),
                (ColumnKind.DATE, stamps),
                (ColumnKind.TEXT, st.sampled_from(COMPLAINTS)),
            ]
        )
    )
    found = draw(st.lists(st.one_of(cells, cells, cells, st.none()), min_size=3, max_size=30))
    return kind, pd.Series(
        found, dtype="float64" if kind is ColumnKind.NUMBER else "datetime64[us]" if kind is ColumnKind.DATE else "str"
    )


@pytest.mark.parametrize("number_form", ["z-score", "quantile"])
@settings(deadline=None, max_examples=80)
@given(column=columns())
def test_every_code_leads_back_to_the_users_value(number_form, column):
    kind, values = column
    code = learn_encoding(Column(name="x", role=Role.FEATURE, kind=kind), values, 20, number_form)
    if code is None or code.form == "frequency":
        return  # nothing to tell, or told as a share of the rows

    back = code.decode(code.encode(values))

    gone = values.isna().tolist()
    assert [value == MARK for value in back] == gone
    there = [value for value, missing in zip(back, gone, strict=True) if not missing]
    if kind is ColumnKind.NUMBER:
        tolerance = 1e-9 * max(1.0, code.scale)  # of float64, at the column's own size
        np.testing.assert_allclose(np.array(there, dtype=float), values.dropna(), rtol=1e-7, atol=tolerance)
    elif kind is ColumnKind.DATE:
        assert [pd.Timestamp(text) for text in there] == values.dropna().tolist()
    else:
        assert there == values.dropna().tolist()


@settings(deadline=None, max_examples=80)
@given(values=st.lists(finite, min_size=2, max_size=40), new=st.lists(finite, min_size=2, max_size=10))
def test_a_larger_number_is_never_encoded_as_a_smaller_one(values, new):
    for number_form in ("z-score", "quantile"):
        code = learn_encoding(
            Column(name="x", role=Role.FEATURE, kind=ColumnKind.NUMBER), pd.Series(values), 20, number_form
        )
        if code is not None:
            steps = np.diff(code.encode(pd.Series(sorted(new)))[:, 0])
            assert (steps >= -1e-12).all()  # numbers that differ in their last digit are interpolated with rounding


def test_a_level_that_many_rows_have_comes_back_as_its_share():
    values = pd.Series([f"shop {i}" for i in range(30) for _ in range(1 + i % 3)])
    code = learnt(values, ColumnKind.CATEGORY)

    assert code.decode(code.encode(pd.Series(["shop 2", "never"]))) == [
        "a value found in 0.05 of the rows",
        "a value never seen",
    ]


def test_a_truth_value_that_is_neither_comes_back_as_other():
    code = learnt(pd.Series(["yes", "no"] * 5), ColumnKind.BOOLEAN)

    assert code.decode(code.encode(pd.Series(["no", "yes", "perhaps"]))) == ["no", "yes", "(other)"]
