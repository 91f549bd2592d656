"""The hint at a repeating pattern."""

import numpy as np
import pytest

from ad_core.data.recordings.seasonality import seasonal_period

WAVE = np.sin(np.arange(400) * 2 * np.pi / 25)


@pytest.mark.parametrize("size", [1.0, 1e-30, 1e120, 1.7e308])
def test_the_period_of_a_wave_does_not_depend_on_its_size(size):
    lag, correlation = seasonal_period(size * WAVE)

    assert lag == 25
    assert correlation == pytest.approx(seasonal_period(WAVE)[1])
