"""Errors of windows as multiples of what is usual, worked out by hand."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from ad_core.methods.losses.channel_errors import ChannelErrors, tempered


def test_small_squares_are_nearly_kept_and_large_ones_count_by_their_logarithm():
    """4 log(1 + s / 4) by hand: 0.04 loses half a percent, 396 counts as 4 log 100."""
    found = tempered(torch.tensor([0.0, 0.04, 4.0, 396.0]))

    assert found.tolist() == pytest.approx([0.0, 0.0398, 4 * math.log(2), 4 * math.log(100)], rel=1e-4)


def test_tempering_follows_the_t_distribution_with_four_degrees_of_freedom():
    """-2 log density of t is 5 log(1 + s / 4) and constants; 4 / 5 of its differences are those of `tempered`."""
    z = np.array([0.3, 1.0, 2.5, 12.0])
    expected = -2 * 4 / 5 * np.diff(stats.t(df=4).logpdf(z))

    found = tempered(torch.from_numpy(z) ** 2).diff()

    assert found.tolist() == pytest.approx(expected.tolist())


def test_tempering_has_no_flat_part():
    squares = torch.tensor([0.0, 4.0, 1e6], requires_grad=True)

    tempered(squares).sum().backward()

    assert squares.grad.tolist() == pytest.approx([1.0, 0.5, 4e-6], rel=1e-3)


def test_errors_are_multiples_of_the_channels_usual_one():
    """Channel 0 errs by 4 on average, channel 1 never: 0.01 is added to both."""
    errors = ChannelErrors(2)
    taught = torch.tensor([[[2.0, 4.0], [0.0, 0.0]], [[6.0, 4.0], [0.0, 0.0]]])

    errors.learn([taught[:1], taught[1:]])

    assert errors.usual.flatten().tolist() == pytest.approx([4.0, 0.0])
    found = errors(torch.tensor([[[4.01, 8.02], [0.0, 0.09]]]))
    torch.testing.assert_close(found, tempered(torch.tensor([[[1.0, 2.0], [0.0, 9.0]]])))


def test_where_the_place_matters_each_has_its_own_usual_error():
    errors = ChannelErrors(1, 2)

    errors.learn([torch.tensor([[[3.99, 0.99]], [[3.99, 0.99]]])])

    torch.testing.assert_close(errors(torch.tensor([[[4.0, 4.0]]])), tempered(torch.tensor([[[1.0, 4.0]]])))


def test_a_channel_that_never_erred_cannot_drown_the_others():
    """It leaps to the clipping limit of 20, an error of 40,000 normal ones, and counts for less than 10 deviations do
    in another channel that erred as usual only.
    """
    errors = ChannelErrors(2)
    errors.learn([torch.tensor([[[1.0], [0.0]]])])

    found = errors(torch.tensor([[[100.0], [400.0]]])).flatten()

    assert found[1] == pytest.approx(4 * math.log(1 + 40_000 / 4))
    assert found[1] < 5 * found[0]


def test_the_span_holds_nine_of_ten_normal_errors():
    errors = ChannelErrors(1)
    errors.learn([torch.full((1, 1, 4), 3.99)])

    low, high = errors.span(torch.ones(1, 1, 1))

    assert low.item() == pytest.approx(1 - 1.645 * 2)
    assert high.item() == pytest.approx(1 + 1.645 * 2)
