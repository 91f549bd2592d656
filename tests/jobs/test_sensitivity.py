"""Alerts are looked at again after the most suspicious training rows were left out."""

import numpy as np
import pandas as pd
import pytest

from ad_core import pipeline
from ad_core.errors import Cancelled, DataError
from ad_core.jobs.sensitivity import SHARES, most_suspicious, ranks, sensitivity, suspicious_rows
from ad_core.jobs.stability import column, stable
from ad_core.progress import Silent
from tests.training.selection.test_trials import Stopped

COLUMNS = [column(share) for share in SHARES]


def two_groups() -> pd.DataFrame:
    """200 normal rows, four odd ones close together that cover for each other, and one odd one alone."""
    random = np.random.default_rng(0)
    usual = random.normal(size=(200, 3))
    group, alone = 9 + 0.01 * random.normal(size=(4, 3)), np.full((1, 3), -14.0)
    return pd.DataFrame(np.vstack([usual, group, alone]), columns=["a", "b", "c"]).round(4)


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    dataset = pipeline.open_dataset(two_groups())
    return sensitivity(dataset, pipeline.Choice(pretext="nearest_neighbours", training_rows="clean"), Silent())


def test_each_share_gives_every_row_a_rank(found: pd.DataFrame) -> None:
    assert list(found) == ["row_id", *COLUMNS]
    assert found[COLUMNS].notna().all(axis=None)
    assert (found[COLUMNS].min() == 1).all()


def test_an_alert_that_stands_alone_is_stable_each_time(found: pd.DataFrame) -> None:
    assert stable(found, alerts=1).iloc[204] == 3


def test_a_group_that_covers_for_itself_comes_out_when_its_rows_no_longer_teach(found: pd.DataFrame) -> None:
    """Nearest neighbours take the group for usual while it teaches; without 5 % of the rows it does not."""
    dataset = pipeline.open_dataset(two_groups())
    trained = pipeline.train_all(
        dataset, pipeline.Choice(pretext="nearest_neighbours", training_rows="clean"), Silent(), references=False
    )
    before = ranks(trained.scores["score"]).to_numpy()[200:204]

    assert (found["rank_without_5"].to_numpy()[200:204] <= 5).all()
    assert found["rank_without_5"].to_numpy()[200:204].mean() <= before.mean()


def test_the_odd_rows_are_the_suspicious_ones_and_rows_that_do_not_teach_are_not_judged() -> None:
    dataset = pipeline.open_dataset(two_groups())
    dataset = dataset.with_training_rows(np.arange(205) >= 20)
    suspicious = suspicious_rows(dataset, pipeline.Choice(pretext="mahalanobis"), Silent())

    assert np.isnan(suspicious[:20]).all()
    assert set(np.flatnonzero(most_suspicious(suspicious, 0.027))) == {200, 201, 202, 203, 204}


def test_at_least_one_row_is_left_out_and_never_of_too_few() -> None:
    assert most_suspicious(np.arange(20.0), 0.01).sum() == 1
    with pytest.raises(DataError, match="only 5 training rows"):
        most_suspicious(np.arange(5.0), 0.01)


def test_stable_counts_the_times_that_a_row_was_among_as_many_alerts() -> None:
    table = pd.DataFrame({"row_id": ["a", "b", "c"], "rank_without_1": [1, 3, np.nan], "rank_without_2": [2, 1, 3]})

    assert stable(table, alerts=2).tolist() == [2, 1, 0]


def test_it_can_be_stopped() -> None:
    dataset = pipeline.open_dataset(two_groups())
    with pytest.raises(Cancelled):
        sensitivity(dataset, pipeline.Choice(pretext="masked_cells"), Stopped(1))


def test_suspicion_of_windows_leads_back_to_time_stamps(recording_file) -> None:
    dataset = pipeline.open_dataset(recording_file, time="time", label="is_anomaly")
    choice = pipeline.Choice(pretext="mahalanobis", settings={"reader": {"window": 32}})
    suspicious = suspicious_rows(dataset, choice, Silent())

    assert len(suspicious) == len(dataset)
    assert np.isfinite(suspicious).mean() > 0.8
