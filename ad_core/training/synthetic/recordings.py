"""Synthetic anomalies of windows of a recording: one channel at a time, chosen at random."""

from collections.abc import Callable

import numpy as np

from ad_core.training.synthetic.anomaly import Make, SyntheticAnomaly, TrainingItems

Change = Callable[[np.ndarray, TrainingItems, int, np.random.Generator], None]
"""Changes one channel of (channel, time) in place."""

SPIKE, DRIFT = (3.0, 8.0), (1.5, 4.0)
"""Height of a spike, and change by a drift within the window [standard deviations of the channel]."""

SEGMENT = (0.25, 0.6)
"""Length of a changed segment, as a share of the window."""

LATE = (0.1, 0.4)
"""Delay of a channel, as a share of the window."""

WIDER, NARROWER = (2.0, 4.0), (0.1, 0.3)
"""Factors of a channel's amplitude."""


def _spike(x: np.ndarray, stock: TrainingItems, channel: int, random: np.random.Generator) -> None:
    at, length = random.integers(x.shape[1]), random.integers(1, 4)
    height = random.choice([-1, 1]) * random.uniform(*SPIKE) * stock.spread[channel]
    x[channel, at : at + length] += height


def _drift(x: np.ndarray, stock: TrainingItems, channel: int, random: np.random.Generator) -> None:
    segment = _segment(x.shape[1], random)
    x[channel, segment.start :] += (
        random.choice([-1, 1])
        * random.uniform(*DRIFT)
        * stock.spread[channel]
        * np.linspace(0, 1, x.shape[1] - segment.start)
    )


def _stuck(x: np.ndarray, stock: TrainingItems, channel: int, random: np.random.Generator) -> None:  # noqa: ARG001
    segment = _segment(x.shape[1], random)
    x[channel, segment] = x[channel, segment.start]


def _late(x: np.ndarray, stock: TrainingItems, channel: int, random: np.random.Generator) -> None:  # noqa: ARG001
    time = x.shape[1]
    lag, start = max(1, round(random.uniform(*LATE) * time)), random.integers(time // 2)
    begin = max(start, lag)
    x[channel, begin:] = x[channel, begin - lag : time - lag].copy()


def _swings(x: np.ndarray, stock: TrainingItems, channel: int, random: np.random.Generator) -> None:  # noqa: ARG001
    segment = _segment(x.shape[1], random)
    part = x[channel, segment]
    factor = random.uniform(*(WIDER if random.random() < 0.5 else NARROWER))
    x[channel, segment] = part.mean() + factor * (part - part.mean())


def _missing_cycle(x: np.ndarray, stock: TrainingItems, channel: int, random: np.random.Generator) -> None:  # noqa: ARG001
    segment = _segment(x.shape[1], random)
    first, last = x[channel, segment.start], x[channel, segment.stop - 1]
    x[channel, segment] = np.linspace(first, last, segment.stop - segment.start)


def _in_a_channel(change: Change) -> Make:
    """A random channel that is not constant is changed; a window without any can't have the anomaly."""

    def make(x: np.ndarray, stock: TrainingItems, random: np.random.Generator) -> np.ndarray | None:
        moving = np.flatnonzero((stock.spread > 0) & (np.ptp(x, axis=1) > 0))
        if not len(moving) or x.shape[1] < 8:
            return None
        change(x, stock, int(random.choice(moving)), random)
        return x

    return make


def _segment(time: int, random: np.random.Generator) -> slice:
    length = max(2, round(random.uniform(*SEGMENT) * time))
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
        "A channel drifts away gradually, in the end by 1.5 to 4 standard deviations.",
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
        "From some moment on a channel is delayed by a tenth to two fifths of the window.",
        _in_a_channel(_late),
    ),
    SyntheticAnomaly(
        "swings",
        "Other swings",
        "In a segment the amplitude of a channel is two to four times as large, or a fraction of it.",
        _in_a_channel(_swings),
    ),
    SyntheticAnomaly(
        "missing_cycle",
        "A missing cycle",
        "In a segment a channel is a straight line from its first to its last value.",
        _in_a_channel(_missing_cycle),
    ),
)
"""The kinds of synthetic anomalies of recordings."""
