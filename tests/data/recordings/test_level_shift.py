"""Whether the level of a channel has left its range for good."""

import numpy as np
import pandas as pd
import pytest

from ad_core.data.profiling import profile
from ad_core.data.recordings.level_shift import level_findings, of_windows
from ad_core.errors import DataError
from ad_core.pipeline import open_dataset
from ad_core.types import Modality
from tests.contracts import items


def test_the_share_of_means_beyond_the_range_is_counted():
    """The range of the usual means is 0..10 (98 of 100 of them 0.1..9.9), so from about 12.4 on a mean lies outside."""
    usual = np.linspace(0, 10, 101)[:, None]
    others = np.array([5.0, 11.0, 13.0, 40.0])[:, None]

    (finding,) = level_findings(["flow"], usual, others)

    assert finding.away == 0.5
    assert not finding.drifted
    assert finding.reason.startswith("The level of 'flow' lies outside")


def test_a_level_that_stays_away_has_drifted():
    usual, others = np.zeros((50, 2)) + np.linspace(-1, 1, 50)[:, None], np.zeros((50, 2))
    others[15:, 1] = -3

    still, moved = level_findings(["a", "b"], usual, others)

    assert not still.drifted
    assert moved.drifted
    assert "70%" in moved.reason


def test_where_every_window_teaches_nothing_is_found():
    item_set = items.item_set(Modality.SENSOR)

    assert of_windows(item_set, np.arange(len(item_set))) == []


def recording(shift: float) -> pd.DataFrame:
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {"time": pd.date_range("2024-01-01", periods=2000, freq="min"), "flow": random.normal(size=2000)}
    )
    table.loc[700:, "flow"] += shift
    return table


def test_the_analyst_is_told_before_training_and_what_was_said_settles_it():
    taught = np.arange(2000) < 600

    told = profile(open_dataset(recording(6.0)).with_training_rows(taught)).warnings
    settled = profile(open_dataset(recording(6.0), judged_by={"flow": "level"}).with_training_rows(taught)).warnings

    assert any("'flow' lies outside" in sentence and "by its shape" in sentence for sentence in told)
    assert not any("lies outside" in sentence for sentence in settled)


def test_of_a_level_that_stays_nothing_is_said():
    assert not any(
        "lies outside" in sentence
        for sentence in profile(open_dataset(recording(0.0)).with_training_rows(np.arange(2000) < 600)).warnings
    )


def test_a_column_that_does_not_exist_is_named():
    with pytest.raises(DataError, match="no column 'flux'"):
        open_dataset(recording(0.0), judged_by={"flux": "shape"})
