"""Synthetic anomalies of windows of a recording: one channel at a time, chosen at random."""

from collections.abc import Callable

import numpy as np

from ad_core.training.synthetic.anomaly import Make, SyntheticAnomaly, TrainingItems

Change = Callable[[np.ndarray, TrainingItems, int, np.random.Generator], None]
"""Changes one channel of (channel, time) in place."""

SPIKE, DRIFT = (3.0, 8.0), (1.5, 4.0)
"""Height of a spike, and how far a drift leads within the window [standard deviations of the channel]."""

STRETCH = (0.25, 0.6)
"""Length of a stretch, as a share of the window."""

LATE = (0.1, 0.4)
"""By how much of the window the channel runs late."""

WIDER, NARROWER = (2.0, 4.0), (0.1, 0.3)
"""Factors on a channel's swings."""


def _spike(x: np.ndarray, stock: TrainingItems, channel: int, random: np.random.Generator) -> None:
    at, length = random.integers(x.shape[1]), random.integers(1, 4)
    height = random.choice([-1, 1]) * random.uniform(*SPIKE) * stock.spread[channel]
    x[channel, at : at + length] += height


def _drift(x: np.ndarray, stock: TrainingItems, channel: int, random: np.random.Generator) -> None:
    stretch = _stretch(x.shape[1], random)
    x[channel, stretch.start :] += (
        random.choice([-1, 1])
        * random.uniform(*DRIFT)
        * stock.spread[channel]
        * np.linspace(0, 1, x.shape[1] - stretch.start)
    )


def _stuck(x: np.ndarray, stock: TrainingItems, channel: int, random: np.random.Generator) -> None:  # noqa: ARG001
    stretch = _stretch(x.shape[1], random)
    x[channel, stretch] = x[channel, stretch.start]


def _late(x: np.ndarray, stock: TrainingItems, channel: int, random: np.random.Generator) -> None:  # noqa: ARG001
    time = x.shape[1]
    lag, start = max(1, round(random.uniform(*LATE) * time)), random.integers(time // 2)
    begin = max(start, lag)
    x[channel, begin:] = x[channel, begin - lag : time - lag].copy()


def _swings(x: np.ndarray, stock: TrainingItems, channel: int, random: np.random.Generator) -> None:  # noqa: ARG001
    stretch = _stretch(x.shape[1], random)
    part = x[channel, stretch]
    factor = random.uniform(*(WIDER if random.random() < 0.5 else NARROWER))
    x[channel, stretch] = part.mean() + factor * (part - part.mean())


def _missing_cycle(x: np.ndarray, stock: TrainingItems, channel: int, random: np.random.Generator) -> None:  # noqa: ARG001
    stretch = _stretch(x.shape[1], random)
    first, last = x[channel, stretch.start], x[channel, stretch.stop - 1]
    x[channel, stretch] = np.linspace(first, last, stretch.stop - stretch.start)


def _in_a_channel(change: Change) -> Make:
    """One channel that moves at all is changed; a window without any can't have the flaw."""

    def make(x: np.ndarray, stock: TrainingItems, random: np.random.Generator) -> np.ndarray | None:
        moving = np.flatnonzero((stock.spread > 0) & (np.ptp(x, axis=1) > 0))
        if not len(moving) or x.shape[1] < 8:
            return None
        change(x, stock, int(random.choice(moving)), random)
        return x

    return make


def _stretch(time: int, random: np.random.Generator) -> slice:
    length = max(2, round(random.uniform(*STRETCH) * time))
    begin = int(random.integers(time - length + 1))
    return slice(begin, begin + length)


SYNTHETIC_ANOMALIES = (
    SyntheticAnomaly(
        "spike",
        "A spike",
        "One to three samples of a channel jump by 3 to 8 standard deviations.",
        _in_a_channel(_spike),
    ),
    SyntheticAnomaly(
        "drift",
        "A drift",
        "A channel leaves its course little by little, in the end by 1.5 to 4 standard deviations.",
        _in_a_channel(_drift),
    ),
    SyntheticAnomaly(
        "stuck",
        "A stuck sensor",
        "A channel keeps one value for a quarter to three fifths of the window.",
        _in_a_channel(_stuck),
    ),
    SyntheticAnomaly(
        "late",
        "Out of phase",
        "From some moment on a channel runs late, by a tenth to two fifths of the window.",
        _in_a_channel(_late),
    ),
    SyntheticAnomaly(
        "swings",
        "Other swings",
        "For a stretch a channel swings two to four times as wide, or hardly at all.",
        _in_a_channel(_swings),
    ),
    SyntheticAnomaly(
        "missing_cycle",
        "A missing cycle",
        "For a stretch a channel runs straight from where it was to where it goes on.",
        _in_a_channel(_missing_cycle),
    ),
)
"""What can be wrong with a stretch of a recording."""
