"""Kernel imputation against sums by hand and numpy."""

import math

import numpy as np
import pytest
import torch

from ad_core.methods.kernel_imputation import BANK_ROWS, KernelImputation
from ad_core.types import Batch

NOTHING = torch.zeros(1, 3, dtype=torch.bool)


def with_bank(rows: list[list[float]], of_entry: tuple[int, ...]) -> KernelImputation:
    imputation = KernelImputation(of_entry)
    imputation.learn([Batch(torch.tensor(rows))])
    return imputation


def test_a_hidden_cell_is_the_mean_of_the_rows_weighted_by_agreement_elsewhere():
    """One column to compare by: squared distances 1 and 4; the kernels weigh them by exp(-d2 / 2) and exp(-d2)."""
    imputation = with_bank([[1.0, 10.0 / 2], [2.0, -2.0]], (0, 1))
    with torch.no_grad():
        imputation.log_temperature.copy_(torch.tensor([0.5, 1.0]).log())

        found = imputation(torch.tensor([[0.0, 3.0]]), torch.tensor([[False, True]]))

    first, second = (1 / (1 + math.exp(-3 * t)) for t in (0.5, 1.0))
    assert found[0, 0, 1].item() == pytest.approx(5 * first - 2 * (1 - first), rel=1e-5)
    assert found[0, 1, 1].item() == pytest.approx(5 * second - 2 * (1 - second), rel=1e-5)


def test_with_attention_and_blocks_it_is_what_numpy_says():
    random = np.random.default_rng(0)
    bank, x = random.normal(size=(9, 5)), random.normal(size=(4, 5))
    x[0, 0], owner = 9.0, np.array([0, 1, 1, 2, 2])
    attention, temperature = random.uniform(0.5, 2, size=(2, 3)), np.array([0.3, 1.2])
    hidden = np.array([[False, False, True], [True, False, False], [False, True, True], [False, False, False]])
    imputation = with_bank(bank.astype(np.float32).tolist(), tuple(owner.tolist()))
    with torch.no_grad():
        imputation.log_attention.copy_(torch.from_numpy(np.log(attention)))
        imputation.log_temperature.copy_(torch.from_numpy(np.log(temperature)))
        found = imputation(torch.from_numpy(x).float(), torch.from_numpy(hidden))

    for row in range(4):
        visible = ~hidden[row, owner]
        for head in range(2):
            scaled = attention[head, owner] * (x[row].clip(-6, 6) - bank) * visible
            weights = np.exp(-temperature[head] * (scaled**2).sum(1))
            np.testing.assert_allclose(found[row, head], weights @ bank / weights.sum(), rtol=1e-3, atol=1e-5)


def test_what_is_hidden_plays_no_part():
    imputation = with_bank(torch.randn(20, 3).tolist(), (0, 1, 2))
    x = torch.randn(5, 3)
    other = x.clone()
    other[:, 1] = 4.0
    hidden = torch.tensor([[False, True, False]]).expand(5, -1)

    with torch.no_grad():
        torch.testing.assert_close(imputation(x, hidden), imputation(other, hidden))


def test_a_row_of_the_bank_is_not_its_own_neighbour_but_its_twin_is():
    """Column 0 tells all; with a narrow kernel only the nearest row counts."""
    rows = [[0.0, 1.0, 0.0], [1.0, 2.0, 0.0], [5.0, 3.0, 0.0], [5.0, 3.0, 0.0]]
    imputation = with_bank(rows, (0, 1, 2))
    with torch.no_grad():
        imputation.log_temperature.fill_(math.log(100))

        found = imputation(torch.tensor(rows), NOTHING.expand(4, -1))[:, 0, 1]

    torch.testing.assert_close(found, torch.tensor([2.0, 1.0, 3.0, 3.0]))


def test_a_row_that_only_agrees_where_it_is_seen_is_a_neighbour():
    imputation = with_bank([[0.0, 1.0], [3.0, 2.0]], (0, 1))
    with torch.no_grad():
        imputation.log_temperature.fill_(math.log(100))

        found = imputation(torch.tensor([[0.0, 5.0]]), torch.tensor([[False, True]]))

    torch.testing.assert_close(found[0, :, 1], torch.ones(2))


def test_kernels_start_as_wide_as_the_distance_to_the_5th_neighbour():
    """Rows at 0, 1, ... 6: the 5th neighbours of the seven are 5, 4, 3, 3, 3, 4 and 5 away, the median 4."""
    imputation = with_bank([[float(i)] for i in range(7)], (0,))

    expected = [-math.log(4.0**2), math.log(4) - math.log(4.0**2)]
    assert imputation.log_temperature.tolist() == pytest.approx(expected, rel=1e-5)


def test_the_bank_holds_rows_of_all_batches_but_no_more_than_its_size():
    rows = torch.arange(3 * BANK_ROWS).float()[:, None] / 1000
    imputation = KernelImputation((0,))

    imputation.learn([Batch(part) for part in rows.split(700)])

    assert len(imputation.bank) == BANK_ROWS
    assert len(imputation.bank.unique()) == BANK_ROWS
    assert imputation.bank.min() < 0.2
    assert imputation.bank.max() > 2.8


def test_many_rows_at_a_time_give_what_each_gives_alone():
    imputation = with_bank(torch.randn(30, 3).tolist(), (0, 1, 2))
    x, hidden = torch.randn(2500, 3), torch.rand(2500, 3) < 0.3

    with torch.no_grad():
        whole = imputation(x, hidden)
        for at in (0, 1023, 1024, 2499):
            torch.testing.assert_close(whole[at : at + 1], imputation(x[at : at + 1], hidden[at : at + 1]))


def test_a_bank_of_one_row_fills_in_from_it():
    imputation = with_bank([[1.0, 2.0, 3.0]], (0, 1, 2))

    with torch.no_grad():
        found = imputation(torch.tensor([[1.0, 2.0, 3.0]]), NOTHING)

    torch.testing.assert_close(found, torch.tensor([1.0, 2.0, 3.0]).expand(1, 2, -1))
