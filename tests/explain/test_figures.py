"""Charts of an explanation lose nothing of the sum."""

import numpy as np
import pandas as pd
import pytest

from ad_core.explain.figures import attribution_bars, attribution_in_words, window, window_in_words


def test_attribution_bars_lose_nothing_of_the_sum() -> None:
    values = np.array([3.0, -2.0, 0.1, 0.2, -0.05])

    figure = attribution_bars(["a", "b", "c", "d", "e"], values, keep=2)

    bars = figure.data[0]
    assert list(bars.y) == ["3 others", "b", "a"]
    assert sum(bars.x) == pytest.approx(values.sum())


def test_bars_that_raise_and_lower_differ_in_colour() -> None:
    bars = attribution_bars(["up", "down"], np.array([1.0, -1.0])).data[0]

    assert len(set(bars.marker.color)) == 2


def test_the_largest_shares_are_named_in_words() -> None:
    text = attribution_in_words(["a", "b", "c", "d"], np.array([0.1, -3.0, 2.0, 0.5]))

    assert text.index("b -3") < text.index("c +2") < text.index("d +0.5")
    assert "a " not in text.split(":")[1]


def test_a_window_shows_expected_beside_actual_and_the_share_of_each_channel() -> None:
    frame = pd.DataFrame({"time": np.arange(8.0), "a": np.zeros(8), "a expected": np.ones(8), "b": np.zeros(8)})
    shares = np.vstack([np.zeros(8), np.ones(8)])

    figure = window(frame, ["a", "b"], shares)

    assert [trace.type for trace in figure.data] == ["heatmap", "scatter", "scatter", "scatter"]
    assert figure.data[0].zmin == -figure.data[0].zmax
    assert "largest share of the score is b (+8)" in window_in_words(["a", "b"], shares, 8)
