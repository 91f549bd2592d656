"""A drawn line holds the extremes of its values, whatever is missing between them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ad_core.alerts.figures import timeline
from ad_core.data.figures import series
from ad_core.explain.figures import window
from ad_core.theme import BREAKS, LINE_POINTS, line_of, thinned


def with_gaps(n: int, share: float, longest: int, seed: int) -> np.ndarray:
    """Noise with spikes, and gaps until about a share of the values is missing."""
    random = np.random.default_rng(seed)
    values = random.normal(size=n)
    values[random.integers(n, size=3)] = random.normal(0, 50, 3)
    while np.isnan(values).mean() < share:
        at = random.integers(n)
        values[at : at + random.integers(1, longest + 1)] = np.nan
    return values


@given(
    n=st.integers(2, 30_000), share=st.floats(0, 0.9), longest=st.sampled_from([1, 20, 500]), seed=st.integers(0, 2**31)
)
@example(n=20_000, share=0.5, longest=1, seed=0)
def test_minimum_and_maximum_of_every_drawn_line_equal_those_of_the_data(n, share, longest, seed):
    values = with_gaps(n, share, longest, seed)
    if np.isnan(values).all():
        values[0] = 1.0
    time = np.arange(n)
    frame = pd.DataFrame({"time": time, "a": values, "a expected": -values})

    drawn = [
        series(frame, ["a"]).data[0],
        timeline(time, values, np.inf, None).data[0],
        window(frame, ["a"], None).data[1],
        window(frame, ["a"], None).data[0],
    ]

    for line, truth in zip(drawn, [values, values, values, -values], strict=True):
        y = np.asarray(line.y, dtype=np.float64)
        assert (np.nanmin(y), np.nanmax(y)) == (np.nanmin(truth), np.nanmax(truth))
        assert len(y) <= max(LINE_POINTS, 2)
        assert visible(line) == set(np.flatnonzero(np.isfinite(y)))


def visible(line: object) -> set[int]:
    """Positions of values that a line or a marker shows."""
    y = np.asarray(line.y, dtype=np.float64)  # type: ignore[attr-defined]
    known = np.isfinite(np.concatenate([[np.nan], y, [np.nan]]))
    shown = known[1:-1] & (known[:-2] | known[2:])
    if "markers" in line.mode:  # type: ignore[attr-defined]
        shown |= np.asarray(line.marker.size) > 0  # type: ignore[attr-defined]
    return set(np.flatnonzero(shown & known[1:-1]))


def test_a_spike_beside_a_missing_reading_is_drawn():
    values = np.sin(np.arange(20_000) / 50)
    values[10_000], values[10_002] = 50.0, np.nan

    assert 10_000 in thinned(values)


@pytest.mark.parametrize("gaps", [1, 7, BREAKS])
def test_every_gap_breaks_a_long_line_once(gaps):
    values = np.arange(40_000.0)
    begins = 100 + 250 * np.arange(gaps)
    for width, begin in enumerate(begins, start=1):
        values[begin : begin + width] = np.nan

    keep = thinned(values)

    assert list(keep[np.isnan(values[keep])]) == list(begins)
    assert {*(begins - 1), *(begins + np.arange(1, gaps + 1))} <= set(keep)  # the values beside each gap


def test_of_very_many_gaps_the_widest_break_the_line():
    values = np.arange(40_000.0)
    values[::7] = np.nan
    values[20_000:20_100] = np.nan

    keep = thinned(values)

    assert np.isnan(values[keep]).sum() == BREAKS
    assert any(19_999 <= at < 20_100 for at in keep[np.isnan(values[keep])])
    assert len(keep) <= LINE_POINTS


def test_a_value_alone_between_two_gaps_is_a_point():
    values = np.array([1.0, 2.0, np.nan, 9.0, np.nan, 1.0, 2.0])

    found = line_of(np.arange(7), values, "#000000")

    assert found["mode"] == "lines+markers"
    assert list(np.flatnonzero(found["marker"]["size"])) == [3]


def test_a_line_without_a_value_is_empty():
    assert len(thinned(np.full(5000, np.nan))) == 0
