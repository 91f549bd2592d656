"""Masked retrieval as a member: which rows it may ask, and which losses it takes for usual."""

import numpy as np
import pytest
import torch

from ad_core.methods.base_detectors.masked_retrieval import RetrievalMember
from ad_core.methods.pretexts.masked_retrieval import MaskedRetrievalSettings
from ad_core.types import Modality
from tests.contracts import items

SHAPE = items.shape(Modality.TABLE)
X = items.item_set(Modality.TABLE).x
EVERY = np.ones(len(X), dtype=bool)
BAGS = MaskedRetrievalSettings(bags=4, bank_rows=16, neighbours=3, groups=2, rounds=1)


@pytest.mark.parametrize("settings", [MaskedRetrievalSettings(), BAGS])
def test_usual_losses_are_those_of_all_rows_so_surprise_is_nought_on_average(settings):
    member, scores = RetrievalMember.of(X, EVERY, SHAPE, settings, 0)

    parts = member.part_scores(torch.from_numpy(X))

    assert scores.dtype == np.float64
    np.testing.assert_allclose(parts.mean(0), np.zeros(4), atol=1e-4)
    spread = member.task.spread.numpy()
    np.testing.assert_allclose(parts.std(0, correction=0), spread / (spread + 0.01), rtol=1e-3)
    np.testing.assert_allclose(scores, parts.mean(1), atol=1e-5)


def test_only_rows_that_are_kept_are_retrieved():
    kept = np.arange(len(X)) % 3 == 0

    banks = RetrievalMember.of(X, kept, SHAPE, BAGS, 0)[0].task.banks

    assert banks.shape == (4, 16, 7)
    assert all((X[kept] == row).all(1).any() for row in banks.flatten(0, 1).numpy())


def test_rows_that_are_not_kept_do_not_explain_each_other():
    """Ten copies of a row that breaks the rule between a and b: kept, they agree with one another."""
    random = np.random.default_rng(0)
    wrong = np.tile([1.5, 1.5, 0, 1, 1, 0, 0], (10, 1)) + 0.01 * random.normal(size=(10, 7))
    x = np.concatenate([X, wrong]).astype(np.float32)
    usual = np.arange(len(x)) < len(X)
    settings = MaskedRetrievalSettings()

    told = RetrievalMember.of(x, usual, SHAPE, settings, 0)[1]
    untold = RetrievalMember.of(x, np.ones(len(x), dtype=bool), SHAPE, settings, 0)[1]

    assert told[~usual].min() > np.quantile(told[usual], 0.9)
    assert untold[~usual].min() < np.quantile(untold[usual], 0.9)


def test_the_seed_draws_the_banks_and_nothing_else_is_drawn():
    before = torch.get_rng_state()

    first, again, other = (RetrievalMember.of(X, EVERY, SHAPE, BAGS, seed)[0].task.banks for seed in (1, 1, 2))

    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(before, torch.get_rng_state())


def test_it_is_restored_from_its_state():
    member, other = RetrievalMember.of(X, EVERY, SHAPE, BAGS, 0)[0], RetrievalMember(SHAPE, BAGS)
    other.load_state_dict(member.state_dict())

    far = items.far_off(Modality.TABLE)
    torch.testing.assert_close(other(far), member(far))
    torch.testing.assert_close(other.expected(far), member.expected(far))
