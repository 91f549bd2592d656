"""Columns that a file does not hold: filled in from similar training rows, so that the others are scored as usual."""

import numpy as np
import pandas as pd
import pytest

from ad_core import pipeline
from ad_core.data.readers.table import Table, TableSettings
from ad_core.errors import DataError
from tests.unknown_values import METHOD, pumps


@pytest.fixture(scope="module")
def detector():
    data = pumps(600).astype({"valve": float})
    data.loc[::10, "valve"] = np.nan
    return pipeline.train(pipeline.open_dataset(data, label="truth", id="pump"), METHOD)


def false_alarms(detector, new: pd.DataFrame, **more: bool) -> float:
    return float((detector.score(pipeline.open_like(detector, new, **more))["p_value"] <= 0.05).mean())


@pytest.mark.parametrize("column", ["size", "load", "locked", "plant"])
def test_an_empty_column_does_not_alarm(detector, column):
    """With the median in its place, half of the rows contradicted the column that `size` follows."""
    usual, empty = pumps(300, seed=1), pumps(300, seed=1).assign(**{column: None})

    assert false_alarms(detector, empty) <= false_alarms(detector, usual) + 0.03
    told = detector.reader.match(pipeline.open_like(detector, empty))
    assert any(f"100% of {column!r} is missing; nothing was missing in the training rows" in one for one in told)


def test_the_other_columns_are_scored_as_usual(detector):
    new = pumps(300, seed=1)
    new.loc[7, "load"] = 300.0

    scores = detector.score(pipeline.open_like(detector, new.drop(columns="plant"), allow_missing=True))["score"]

    assert scores.idxmax() == 7


def test_what_is_filled_in_comes_from_similar_training_rows(detector):
    dataset = pipeline.open_like(detector, pumps(300, seed=1).assign(load=None, locked=None))
    parts = detector.reader.shape.parts
    load, locked, size = (parts.entries(parts.names.index(name))[0] for name in ("load", "locked", "size"))

    item_set = detector.item_set(dataset)
    x = item_set.take(np.arange(300)).numpy()

    assert np.corrcoef(x[:, load], x[:, size])[0, 1] > 0.95
    assert set(np.unique(x[:, locked])) <= {0.0, 1.0}  # a mean of true and false would be neither
    np.testing.assert_array_equal(item_set.take(np.array([5, 3])), x[[5, 3]])
    np.testing.assert_array_equal(item_set.take(slice(4, 9)), x[4:9])
    np.testing.assert_array_equal(item_set.only(np.array([8, 2])).take(np.arange(2)), x[[8, 2]])


def test_a_row_has_one_score_however_many_rows_are_filled_in_at_a_time(detector, monkeypatch):
    dataset = pipeline.open_like(detector, pumps(100, seed=1).assign(load=None))
    expected = detector.score(dataset)["score"]

    monkeypatch.setattr("ad_core.data.fill_in.AT_A_TIME", 7)

    np.testing.assert_allclose(detector.score(dataset)["score"], expected, rtol=1e-6)


def test_a_column_that_was_sometimes_missing_keeps_its_code_unless_it_may_be_missing(detector):
    new = pumps(100, seed=1).assign(valve=np.nan)
    like = pipeline.open_like(detector, new)

    assert detector.item_set(like).fill_in is None
    assert "Every row counts as one with a missing value, which some training rows have" in " ".join(
        detector.reader.match(like)
    )

    allowed = pipeline.open_like(detector, new, allow_missing=True)
    assert detector.item_set(allowed).fill_in is not None
    assert any("Columns that are empty here: 'valve'" in notice for notice in allowed.notices)
    assert detector.reader.match(allowed) == [
        sentence for sentence in detector.reader.match(like) if "'valve'" not in sentence
    ]


def test_a_column_of_numbers_that_holds_text_is_refused_or_filled_in(detector):
    new = pumps(100, seed=1).assign(load=[f"{i} pieces" for i in range(100)])
    with pytest.raises(DataError, match="'load' was a number and now holds '0 pieces'"):
        detector.score(pipeline.open_like(detector, new))

    dataset = pipeline.open_like(detector, new, allow_missing=True)

    assert dataset.absent == ("load",)
    assert false_alarms(detector, new, allow_missing=True) <= false_alarms(detector, pumps(100, seed=1)) + 0.03


def test_a_file_without_any_of_the_columns_is_refused(detector):
    with pytest.raises(DataError, match="None of the 5 columns that the detector uses has a value"):
        detector.score(pipeline.open_like(detector, pd.DataFrame({"other": range(9)}), allow_missing=True))


@pytest.mark.parametrize(
    ("renamed", "hint"),
    [({"load": "LOAD"}, "they have 'LOAD' for 'load'"), ({"load": "load [kW]"}, "they have 'load [kW]' for 'load'")],
)
def test_a_column_under_a_similar_name_is_hinted_at(detector, renamed, hint):
    with pytest.raises(DataError) as caught:
        detector.score(pipeline.open_like(detector, pumps(50, seed=1).rename(columns=renamed)))

    assert hint in str(caught.value)


def test_complete_data_are_not_touched():
    data = pipeline.open_dataset(pumps(100), label="truth", id="pump")
    reader = Table(TableSettings())
    reader.fit(data, np.ones(100, dtype=bool))

    assert reader.item_set(data).absent == ()
