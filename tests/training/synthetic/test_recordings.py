"""What synthetic anomalies do to a window of two channels, one of which never moves."""

import itertools

import numpy as np
import pytest

from ad_core.training.synthetic.anomaly import TrainingItems
from ad_core.training.synthetic.recordings import SPIKE, SYNTHETIC_ANOMALIES
from ad_core.types import ItemShape, Modality, PartKind, Parts
from tests.training.synthetic.test_tables import item_set

BY_NAME = {flaw.name: flaw for flaw in SYNTHETIC_ANOMALIES}
TIME = 64
SHAPE = ItemShape(
    modality=Modality.SENSOR,
    size=(2, TIME),
    parts=Parts(names=("wave", "flat"), of_entry=(0, 1), kinds=(PartKind.NUMBER,) * 2, units=(None,) * 2),
)


def windows(n: int = 40) -> np.ndarray:
    start = np.random.default_rng(0).uniform(0, 6, n)[:, None]
    wave = np.sin(start + np.arange(TIME) * 2 * np.pi / 17.3)
    return np.stack([wave, np.zeros_like(wave)], axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def stock() -> TrainingItems:
    return TrainingItems(item_set(windows(), SHAPE), np.arange(40))


def made(name: str, stock: TrainingItems) -> tuple[np.ndarray, np.ndarray]:
    random, x = np.random.default_rng(3), windows()
    changed = np.stack([BY_NAME[name].make(window.copy(), stock, random) for window in x])
    assert np.array_equal(changed[:, 1], x[:, 1]), "a channel that never moves has no flaw"
    return x[:, 0], changed[:, 0]


def longest_run(values: np.ndarray) -> int:
    """How many neighbours are equal at most, plus one."""
    best = now = 1
    for a, b in itertools.pairwise(values):
        now = now + 1 if a == b else 1
        best = max(best, now)
    return best


def test_a_spike_is_one_to_three_high_samples(stock: TrainingItems) -> None:
    x, changed = made("spike", stock)
    moved = changed != x

    assert set(moved.sum(1)) <= {1, 2, 3}
    height = np.abs(changed - x).max(1) / stock.spread[0]
    assert SPIKE[0] - 1e-4 <= height.min()
    assert height.max() <= SPIKE[1] + 1e-4


def test_a_drift_grows_to_the_end(stock: TrainingItems) -> None:
    x, changed = made("drift", stock)
    off = np.abs(changed - x)

    assert (np.diff(off, axis=1) >= -1e-5).all()
    assert (off[:, -1] > 1.4 * stock.spread[0]).all()


def test_a_stuck_sensor_keeps_a_value_that_it_had(stock: TrainingItems) -> None:
    x, changed = made("stuck", stock)

    for before, after in zip(x, changed, strict=True):
        assert longest_run(after) >= TIME // 4
        assert np.isin(after, before).all()


def test_out_of_phase_is_what_was_there_before(stock: TrainingItems) -> None:
    x, changed = made("late", stock)

    for before, after in zip(x, changed, strict=True):
        begin = int(np.flatnonzero(after != before)[0])
        lags = [lag for lag in range(1, begin + 1) if np.array_equal(after[begin:], before[begin - lag : TIME - lag])]
        assert lags, "no lag explains it"


def test_other_swings_have_the_same_middle_and_another_width(stock: TrainingItems) -> None:
    x, changed = made("swings", stock)

    for before, after in zip(x, changed, strict=True):
        part = np.flatnonzero(~np.isclose(after, before, atol=1e-6))
        width = after[part].std() / before[part].std()
        assert 1.9 < width < 4.1 or 0.09 < width < 0.31


def test_a_missing_cycle_is_a_straight_line_between_its_ends(stock: TrainingItems) -> None:
    x, changed = made("missing_cycle", stock)

    for before, after in zip(x, changed, strict=True):
        part = np.flatnonzero(~np.isclose(after, before, atol=1e-6))
        line = after[part[0] - 1 : part[-1] + 2] if part[0] else after[: part[-1] + 2]
        assert np.abs(np.diff(line, 2)).max() < 1e-5


def test_a_window_that_stands_still_can_have_no_flaw(stock: TrainingItems) -> None:
    still = np.zeros((2, TIME), dtype=np.float32)

    assert all(flaw.make(still.copy(), stock, np.random.default_rng(0)) is None for flaw in SYNTHETIC_ANOMALIES)
