"""Mean and spread of a stream against those of all values at once."""

import pytest
import torch

from ad_core.methods.moments import mean_and_spread


def test_chunks_of_any_size_give_the_mean_and_spread_of_all():
    values = torch.randn(50, 3, generator=torch.Generator().manual_seed(0)) * 4 + 7

    mean, spread = mean_and_spread(values.split([1, 30, 19]))

    torch.testing.assert_close(mean, values.double().mean(0))
    torch.testing.assert_close(spread, values.double().std(0, correction=0))


def test_a_value_per_item_gives_one_number():
    mean, spread = mean_and_spread([torch.tensor([1.0, 3.0]), torch.tensor([5.0])])

    assert mean.item() == pytest.approx(3)
    assert spread.item() == pytest.approx((8 / 3) ** 0.5)


def test_what_never_varies_has_no_spread():
    assert mean_and_spread([torch.full((7,), 0.1), torch.full((6,), 0.1)])[1] < 1e-7
