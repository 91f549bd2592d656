"""What an error in a window counts for, channel by channel, so that no channel drowns the others.

A channel that was constant in training is predicted without error; when it moves, its error is thousands of times the
usual one, and so is that of a value at the clipping limit of its scale. Such an error has to count, but not for more
than all that the other channels say.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ad_core.methods.moments import mean_and_spread

FREEDOM = 4.0
"""Degrees of freedom of the t distribution by which large errors count: what Lange, Little and Taylor 1989, Robust
statistical modeling using the t distribution, section 3, advise where the data do not choose them.
"""

LEAST_ERROR = 0.01
"""Added to a channel's usual squared error: a channel that never errs must not turn rounding into alerts."""

TAIL = 1.645
"""The 95 % quantile of the standard normal distribution."""


def tempered(squares: Tensor) -> Tensor:
    """FREEDOM log(1 + s / FREEDOM): about s where it is small, slow where it is large; never flat.

    Twice the negative log likelihood of a t distribution, but for constants and scaled to a slope of 1 at 0.

    Args:
        squares: (...) squared errors in squared standard deviations, at least 0.
    """
    return FREEDOM * (squares / FREEDOM).log1p()


class ChannelErrors(nn.Module):
    """Squared errors of the values of windows, as multiples of what is usual in their channel.

    Args:
        channels: of the windows.
        samples: of the windows, where what is usual depends on the place in the window; 1 = it does not.
    """

    usual: Tensor
    """(channel, samples) mean squared error on the training windows."""

    def __init__(self, channels: int, samples: int = 1) -> None:
        super().__init__()
        self.register_buffer("usual", torch.ones(channels, samples))

    def learn(self, squares: Iterable[Tensor]) -> None:
        """What is usual, from the squared errors (b, channel, time) of training windows."""
        mean, _ = mean_and_spread(squares)
        self.usual = (mean.mean(1, keepdim=True) if self.usual.shape[1] == 1 else mean).to(self.usual)

    @property
    def variance(self) -> Tensor:
        """(channel, samples) squared error that one value is expected to have."""
        return self.usual + LEAST_ERROR

    def forward(self, squares: Tensor) -> Tensor:
        """(b, channel, time) squared errors -> the same as tempered multiples of the usual one, near 1 if usual."""
        return tempered(squares / self.variance)

    def span(self, expected: Tensor) -> tuple[Tensor, Tensor]:
        """5 % and 95 % quantile around (b, channel, time) expected values, as for normally distributed errors."""
        reach = TAIL * self.variance.sqrt()
        return expected - reach, expected + reach
