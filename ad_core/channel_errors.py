"""What an error in a window counts for, channel by channel, so that no channel drowns the others.

A channel that was constant in training is predicted without error; when it moves, its error is thousands of times the
usual one, and so is that of a value at the clipping limit of its scale. Such an error has to count, but not for more
than all that the other channels say.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ad_core.moments import mean_and_spread

FAR = 6.0
"""Errors of more than so many standard deviations count by their logarithm."""

LEAST_ERROR = 0.01
"""Added to a channel's usual squared error: a channel that never errs must not turn rounding into alerts."""

TAIL = 1.645
"""The 95 % quantile of the standard normal distribution."""


def tempered(squares: Tensor) -> Tensor:
    """s up to FAR^2, beyond that FAR^2 (1 + log(s / FAR^2)): as steep where the two meet, and slow from there on.

    Args:
        squares: (...) squared errors in squared standard deviations, at least 0.
    """
    most = FAR**2
    return torch.where(squares <= most, squares, most * (1 + (squares.clamp_min(most) / most).log()))


class ChannelErrors(nn.Module):
    """Squared errors of the values of windows, as multiples of what is usual in their channel.

    Args:
        channels: of the windows.
    """

    usual: Tensor
    """(channel, 1) mean squared error on the windows that taught."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("usual", torch.ones(channels, 1))

    def learn(self, squares: Iterable[Tensor]) -> None:
        """What is usual, from the squared errors (b, channel, time) of windows that taught."""
        mean, _ = mean_and_spread(squares)
        self.usual = mean.mean(1, keepdim=True).to(self.usual)

    @property
    def variance(self) -> Tensor:
        """(channel, 1) squared error that one value is expected to have."""
        return self.usual + LEAST_ERROR

    def forward(self, squares: Tensor) -> Tensor:
        """(b, channel, time) squared errors -> the same as tempered multiples of the usual one, about 1 if usual."""
        return tempered(squares / self.variance)

    def span(self, expected: Tensor) -> tuple[Tensor, Tensor]:
        """5 % and 95 % quantile around (b, channel, time) expected values, as for normally distributed errors."""
        reach = TAIL * self.variance.sqrt()
        return expected - reach, expected + reach
