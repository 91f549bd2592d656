"""Tables that are no pleasure, from opening to scores: a sane result, or one sentence that says what to do."""

import resource

import numpy as np
import pandas as pd
import pytest

from ad_core.data.dataset import ColumnKind
from ad_core.data.profiling import profile
from ad_core.data.readers.table import Table, TableSettings
from ad_core.errors import DataError
from ad_core.pipeline import Trained, open_dataset, open_like, train_all
from ad_core.progress import Silent
from ad_core.training.choice import Choice

SHORT = Choice(pretext="masked_cells", settings={"training": {"max_steps": 20}})


def table(n: int = 200, seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    size = generator.normal(size=n)
    return pd.DataFrame(
        {
            "size": size,
            "weight": 2 * size + generator.normal(0, 0.1, n),
            "shop": generator.choice(["food", "fuel", "travel"], n),
            "open": generator.random(n) < 0.5,
            "when": pd.date_range("2026-01-01", periods=n, freq="7h"),
            "remark": generator.choice(["late again", "paid in cash", "card was declined", "late and declined"], n),
        }
    )


def trained(data: pd.DataFrame, **declared: object) -> Trained:
    return train_all(open_dataset(data, modality="table", **declared), SHORT, Silent())


def test_three_rows_are_refused_in_one_sentence():
    with pytest.raises(DataError) as caught:
        trained(table(3))

    assert "Only 3 rows can be used for training, but at least 20 are needed" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_more_columns_than_rows_are_scored():
    wide = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 300))).rename(columns=str)
    wide.loc[7] = 25.0

    scores = trained(wide).scores["score"]

    assert scores.notna().all()
    assert scores.idxmax() == 7


def test_one_column_is_scored():
    data = table()[["size"]]
    data.loc[5, "size"] = 40.0

    scores = trained(data).scores["score"]

    assert scores.notna().all()
    assert scores.idxmax() == 5


def test_rows_that_are_all_the_same_are_refused_in_one_sentence():
    with pytest.raises(DataError, match="No column can be used") as caught:
        trained(pd.concat([table(1)] * 200, ignore_index=True))

    assert "Every row has the same value" in str(caught.value)


def test_rows_that_all_have_copies_get_equal_scores_and_ids_of_their_own():
    once = table(10)

    data = pd.concat([once] * 20, ignore_index=True)
    found = trained(data)

    assert profile(open_dataset(data, modality="table")).duplicates == 190
    assert found.scores["row_id"].is_unique
    scores = found.scores["score"].to_numpy().reshape(20, 10)
    np.testing.assert_allclose(scores, np.broadcast_to(scores[0], (20, 10)), rtol=1e-5, atol=1e-6)


def test_a_category_of_200_000_levels_is_one_number_per_row():
    """One number, not one entry per level: 200,000 entries of 4 bytes for each row would be 160 GB."""
    n, levels = 200_000, 200_000
    data = pd.DataFrame(
        {
            "customer": [f"customer {i}" for i in np.random.default_rng(0).permutation(levels)],
            "size": np.arange(n) % 97.0,
        }
    )
    data.loc[:999, "customer"] = "customer 0"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    dataset = open_dataset(data, modality="table", kinds={"customer": ColumnKind.CATEGORY}, use=["customer"])
    dataset = dataset.with_training_rows(np.arange(n) % 2 == 0)

    reader = Table(TableSettings())
    reader.fit(dataset, dataset.is_training)
    item_set = reader.item_set(dataset)
    facts, _ = reader.state()

    assert item_set.x.shape == (n, 2)
    assert item_set.x[0, 0] > item_set.x[-1, 0]
    assert len(facts["codes"][0]["counts"]) <= 100_000
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 1000, f"{grown:.0f} MB"


@pytest.mark.parametrize("name", list(table().columns))
def test_a_column_that_is_missing_in_scoring_only_is_told_and_scored(name, trained_on_all_kinds):
    new = table(50, seed=1)
    new[name] = None

    dataset = open_like(trained_on_all_kinds.detector, new)
    told = " ".join(trained_on_all_kinds.detector.reader.match(dataset))
    scores = trained_on_all_kinds.detector.score(dataset)

    assert f"100% of {name!r} is missing" in told
    assert np.isfinite(scores["score"]).all()
    assert (scores["note"] == "").all()


@pytest.fixture(scope="module")
def trained_on_all_kinds() -> Trained:
    return trained(table(), kinds={"remark": ColumnKind.TEXT}, use=["remark"])


def test_the_median_of_huge_numbers_is_between_them():
    """Their sum would be infinite."""
    data = table().assign(size=np.where(np.arange(200) < 100, 1.2e308, 1.6e308))

    columns = {column.name: column for column in profile(open_dataset(data, modality="table")).columns}

    assert columns["size"].median == pytest.approx(1.4e308)


def test_numbers_that_are_declared_as_dates_are_refused_in_one_sentence():
    with pytest.raises(DataError, match="'size' has something other than a date of one form in 200 of 200 rows"):
        open_dataset(table(), modality="table", kinds={"size": "date"})


def test_dates_that_became_numbers_in_new_data_are_named():
    data = table()
    detector = trained(data).detector

    with pytest.raises(DataError, match="changed their type: 'when' was a date and now holds '0'"):
        detector.score(open_like(detector, data.assign(when=np.arange(200))))
