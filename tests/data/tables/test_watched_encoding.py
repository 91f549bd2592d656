"""Columns that never or hardly changed: what counts as a change, and what is said of it."""

import numpy as np
import pandas as pd
import pytest

from ad_core.data.dataset import Column, ColumnKind, Role
from ad_core.data.tables.watched_encoding import WatchedEncoding, learn_watched, novelty

N = 1000


def learnt(values: list, kind: ColumnKind, form: str | None = None) -> WatchedEncoding | None:
    return learn_watched(Column(name="x", role=Role.WATCHED, kind=kind), pd.Series(values), form)


def sizes(code: WatchedEncoding, *cells: object) -> list[float]:
    return code.encode(pd.Series(list(cells), dtype="object").infer_objects())[:, 0].tolist()


def test_another_number_than_the_constant_counts_by_its_relative_distance():
    code = learnt([50.0] * N, ColumnKind.NUMBER)

    assert sizes(code, 50.0, 50, 75.0, 25.0, np.nan) == [0, 0, 0.5, -0.5, 0]
    assert sizes(learnt([0] * N, ColumnKind.NUMBER), 0, 5000) == [0, 5000]


@pytest.mark.parametrize(
    ("constant", "same", "other"),
    [(0.1, np.float64(np.float32(0.1)), 0.1001), (20240101, 20240101.0, 20240102), (0, 0.0, 1e-9)],
)
def test_rounding_is_no_change_and_whole_numbers_are_exact(constant, same, other):
    code = learnt([constant] * N, ColumnKind.NUMBER)

    assert sizes(code, same) == [0]
    assert sizes(code, other) != [0]


def test_text_in_a_constant_number_is_a_change_and_no_reason_to_refuse():
    code = learnt([3] * N, ColumnKind.NUMBER)

    assert sizes(code, "ERR", "3", None) == [1, 0, 0]
    assert not code.bad(pd.Series(["ERR"])).any()


def test_another_word_than_the_constant_counts_once_and_the_same_in_another_spelling_of_true_does_not():
    assert sizes(learnt(["v1"] * N, ColumnKind.CATEGORY), "v1", "v2", None) == [0, 1, 0]
    assert sizes(learnt([False] * N, ColumnKind.BOOLEAN), False, True, "false", 0) == [0, 1, 0, 0]


def test_any_value_counts_in_a_column_that_was_empty():
    code = learnt([np.nan] * N, ColumnKind.NUMBER)

    assert sizes(code, np.nan, 0, 9) == [0, 1, 10]
    assert sizes(code, "OVERHEAT", None) == [1, 0]


def test_in_a_nearly_empty_column_only_values_count_that_were_never_held():
    code = learnt([5.0] * 10 + [7.0] * 2 + [np.nan] * (N - 12), ColumnKind.NUMBER)

    assert sizes(code, 5.0, 7.0, np.nan) == [0, 0, 0]
    assert (np.array(sizes(code, 6.0, 8.0, 1e6)) != 0).all()
    assert sizes(learnt(["hot"] * 3 + [None] * (N - 3), ColumnKind.CATEGORY), "hot", "cold") == [0, 1]


def test_a_nearly_empty_column_of_remarks_is_not_watched():
    """20 of 1,000 rows have a remark of their own, so about 2 % of new rows would be alarms."""
    remarks = [f"remark {i}" for i in range(20)] + [None] * (N - 20)

    assert learnt(remarks, ColumnKind.TEXT) is None


def test_measurements_that_are_rarely_made_are_watched_by_their_range():
    code = learnt([*np.linspace(3, 4, 20), *[np.nan] * (N - 20)], ColumnKind.NUMBER)

    assert sizes(code, 3.3333, 4.0) == [0, 0]
    assert sizes(code, 4.4, 3e3) == pytest.approx([0.1, 749])


def test_a_constant_date_that_moves_on_is_no_change_and_an_earlier_one_is():
    code = learnt(["2024-01-01"] * N, ColumnKind.DATE, "ISO8601")

    assert sizes(code, "2024-01-01", "2024-02-01", "2023-12-31") == [0, 0, 1]
    assert sizes(code, "1890-01-01")[0] > sizes(code, "1990-01-01")[0] > 0
    assert sizes(code, "soon") == [1]


def test_a_change_is_said_with_its_rows():
    code = learnt([0] * N, ColumnKind.NUMBER)

    assert code.differences(pd.Series([0, 0])) == []
    assert code.differences(pd.Series([0, 7, 0, 8])) == [
        "'x' is 0 in all training rows. Another value, which raises the score, is in 2 rows: row 2 ('7'), row 4 ('8')."
    ]
    assert "is empty in all training rows" in learnt([None] * N, ColumnKind.TEXT).differences(pd.Series(["a"]))[0]
    assert "50% of 'x' is missing" in code.differences(pd.Series([0, None]))[0]


def test_its_expected_value_is_what_the_training_rows_held():
    assert learnt([3] * N, ColumnKind.NUMBER).decode(np.zeros((1, 1))) == [3.0]
    assert learnt(["v1"] * N, ColumnKind.CATEGORY).decode(np.zeros((1, 1))) == ["v1"]
    assert learnt([None] * N, ColumnKind.TEXT).decode(np.zeros((1, 1))) == ["(missing)"]


def test_a_long_column_is_compared_without_a_table_of_all_distances():
    code = learnt([*range(900), *[np.nan] * 200_000], ColumnKind.NUMBER)

    assert not code.encode(pd.Series(np.arange(300_000) % 900))[:, 0].any()


def test_rows_that_are_the_only_ones_to_differ_tell_how_often_a_constant_will_change():
    table = pd.DataFrame({f"c{i}": np.zeros(N) for i in range(6)}).assign(z=np.arange(N), empty=np.nan)
    table.loc[7, ["c0", "c1"]], table.loc[9, "c2"], table.loc[[3, 4], "c3"], table.loc[0, "c4"] = 1, 1, 1, 1
    table.loc[5, "empty"] = 2

    assert novelty(table[name] for name in table) == 4 / N  # rows 0, 5, 7 and 9
    assert novelty([]) == 0
