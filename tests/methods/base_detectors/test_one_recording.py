"""What was expected of a window comes from one recording, and a broken channel does not choose which."""

import numpy as np
import pytest
import torch

from ad_core.methods.base_detectors.level_and_shape import LevelAndShape
from ad_core.methods.base_detectors.one_recording import windows_like
from tests.methods.base_detectors.test_level_and_shape import shape

LEVELS = (0.0, 1.5, -1.5)


def windows(level: float, n: int = 20, seed: int = 0) -> torch.Tensor:
    """(n, 3, 64): three channels in step around a level of the recording's own."""
    random = np.random.default_rng(seed)
    beat = np.sin(2 * np.pi * (2 * np.arange(64) / 64 + random.random((n, 1, 1))))
    return torch.from_numpy(level + 0.3 * beat + 0.05 * random.normal(size=(n, 3, 64))).float()


@pytest.fixture(scope="module")
def model() -> LevelAndShape:
    bank = torch.cat([windows(level, seed=r) for r, level in enumerate(LEVELS)])
    names = [name for name in "abc" for _ in range(20)]
    return LevelAndShape.of(bank, three(), ["both"] * 3, names)


def three():
    two = shape(2)
    parts = two.parts.model_copy(
        update={"names": ("a", "b", "c"), "of_entry": (0, 1, 2), "kinds": two.parts.kinds[:1] * 3, "units": (None,) * 3}
    )
    return two.model_copy(update={"size": (3, 64), "parts": parts})


def test_all_neighbours_are_of_one_recording():
    bank = torch.cat([windows(level, seed=r) for r, level in enumerate(LEVELS)]).flatten(1)
    between = windows(0.75, 10, seed=9).flatten(1)
    codes = torch.arange(3).repeat_interleave(20)

    at = windows_like(between, bank, 3, codes)

    assert at.shape == (10, 5)
    assert (codes[at] == codes[at[:, :1]]).all()
    assert windows_like(between, bank, 3, torch.zeros(0, dtype=torch.int64)).shape == (10, 1)


def test_a_recording_of_few_windows_gives_these():
    bank = torch.cat([windows(0.0, 20), windows(1.5, 2, seed=1)]).flatten(1)
    codes = torch.tensor([0] * 20 + [1] * 2)

    at = windows_like(windows(1.5, 4, seed=3).flatten(1), bank, 3, codes)

    assert (codes[at] == 1).all()


def test_a_broken_channel_does_not_choose_the_recording(model):
    x = windows(0.0, 10, seed=5)
    x[:, 0] += 1.5  # as the second recording has it
    x[:, 0, 30:] += 6

    expected = model.expected(x)

    assert expected[:, 0].abs().max() < 0.6  # the other channels say that it is the first recording


def test_a_window_of_a_known_recording_is_compared_with_that_one(model):
    x = windows(0.75, 4, seed=6)

    expected = model.expected_of(x, ["a", "b", "c", "never seen"])

    for one, level in zip(expected, LEVELS, strict=False):
        assert (one - level).abs().max() < 0.6


def test_without_recordings_as_in_older_bundles_one_window_is_shown_and_part_scores_are_as_they_were(model):
    old = LevelAndShape.of(windows(0.0), three(), ["both"] * 3)
    x = windows(0.0, 3, seed=7)
    mean_of_five = old._plain.nearest(x).mean(1)
    old.recording = old.recording[:0]

    torch.testing.assert_close(old.part_scores(x), (x - mean_of_five).square() / old.error)
    bank = old._plain.shown(x, torch.arange(20).expand(3, 20))
    assert all(any(torch.equal(one, seen) for seen in own) for one, own in zip(old.expected(x), bank, strict=True))
