"""Weighting of errors in windows by channel, so that no channel dominates the score.

A channel that was constant in training is predicted without error. When it moves, its error is thousands of times the
mean, and so is that of a value at the clipping limit of its scale. Such an error has to count, but not more than all
other channels together.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ad_core.methods.moments import mean_and_spread

FREEDOM = 4.0
"""Degrees of freedom of the t distribution in `tempered`, as recommended by Lange, Little and Taylor 1989, Robust
statistical modeling using the t distribution, section 3, where they are not estimated.
"""

LEAST_ERROR = 0.01
"""Added to a channel's mean squared error: otherwise rounding would raise the score of a channel without errors."""

TAIL = 1.645
"""The 95 % quantile of the standard normal distribution."""


def tempered(squares: Tensor) -> Tensor:
    """FREEDOM log(1 + s / FREEDOM): about s for small s, logarithmic for large s.

    Twice the negative log likelihood of a t distribution without its constants, scaled to a slope of 1 at 0.

    Args:
        squares: (...) squared errors in squared standard deviations, at least 0.
    """
    return FREEDOM * (squares / FREEDOM).log1p()


class ChannelErrors(nn.Module):
    """Squared errors of the values of windows, divided by their channel's mean squared error and tempered.

    Args:
        channels: number of channels.
        samples: number of time steps, if the mean is taken per time step; 1 = one mean per channel.
    """

    usual: Tensor
    """(channel, samples) mean squared error on the training windows."""

    if TYPE_CHECKING:  # nn.Module declares Any

        def __call__(self, squares: Tensor) -> Tensor: ...

    def __init__(self, channels: int, samples: int = 1) -> None:
        super().__init__()
        self.register_buffer("usual", torch.ones(channels, samples))

    def learn(self, squares: Iterable[Tensor]) -> None:
        """The means, from the squared errors (b, channel, time) of training windows."""
        mean, _ = mean_and_spread(squares)
        self.usual = (mean.mean(1, keepdim=True) if self.usual.shape[1] == 1 else mean).to(self.usual)

    @property
    def variance(self) -> Tensor:
        """(channel, samples) expected squared error of a value."""
        return self.usual + LEAST_ERROR

    def forward(self, squares: Tensor) -> Tensor:
        """(b, channel, time) squared errors -> the same size, about 1 for normal values."""
        return tempered(squares / self.variance)

    def span(self, expected: Tensor) -> tuple[Tensor, Tensor]:
        """5 % and 95 % quantile around (b, channel, time) expected values, as for normally distributed errors."""
        reach = TAIL * self.variance.sqrt()
        return expected - reach, expected + reach
