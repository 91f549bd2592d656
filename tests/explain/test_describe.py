"""Values of an explanation as text."""

import numpy as np
import pytest

from ad_core import pipeline
from ad_core.explain.attribution import How
from ad_core.explain.describe import _without_noise
from ad_core.explain.explain import explain_rows
from ad_core.progress import Silent
from tests.data.recordings.test_shown import motors


def test_what_differs_from_zero_by_rounding_only_is_zero():
    assert _without_noise([0.3, -1.9e-7, 2.0]) == [0.3, 0.0, 2.0]


def test_small_values_among_small_ones_and_texts_stay_as_they_are():
    assert _without_noise([3e-9, 2e-9]) == [3e-9, 2e-9]
    assert _without_noise(["(missing)", 1e-12]) == ["(missing)", 1e-12]
    assert _without_noise([]) == []


@pytest.mark.parametrize("pretext", ["balanced", "masked_window", "lstm_forecast"])
def test_what_was_expected_of_a_recording_is_continuous_and_within_what_one_showed(pretext):
    """Motors of random levels; a fault lifts one channel of each, of which the levels of others are nearer then."""
    random = np.random.default_rng(len(pretext))
    levels = dict(zip("abc", random.uniform(60, 75, 3), strict=True))
    table = motors(levels, n=300)
    choice = pipeline.Choice(
        pretext=pretext,
        training_rows="clean",
        settings={
            "reader": {"window": 32, "scale_per_entity": str(random.choice(["on", "off"]))},
            **({} if pretext == "balanced" else {"training": {"max_steps": 60}}),
        },
    )
    usual = pipeline.open_dataset(table, time="time", entity="motor")
    detector = pipeline.train_all(usual, choice, Silent(), references=False).detector
    broken = table.assign(**{"temperature [C]": table["temperature [C]"] + 9 * (np.tile(np.arange(300), 3) > 200)})
    data = pipeline.open_like(detector, broken)
    rows = data.rows["row_id"].iloc[[195, 250, 500, 800, 850]].tolist()

    windows = explain_rows(detector, data, rows, How("feature_ablation"), Silent()).windows

    for row_id, window in windows.items():
        own = table.loc[(table["motor"] == data.rows.set_index("row_id").loc[row_id, "entity"]).to_numpy()]
        for channel in ("temperature [C]", "load"):
            expected, shown = window[f"{channel} expected"], own[channel]
            assert expected.diff().abs().max() <= shown.diff().abs().max() + 1e-6
            assert expected.between(shown.min() - 1e-6, shown.max() + 1e-6).all()
