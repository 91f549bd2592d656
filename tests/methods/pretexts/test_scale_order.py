"""Scale order: weights, scales, mixtures and divergence, each against numpy or a hand-worked case."""

import math

import numpy as np
import pytest
import torch

from ad_core.methods.encoder import build_encoder
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.pretexts.scale_order import ScaleOrderSettings, _jensen_shannon, _sizes, _weights
from ad_core.types import Batch, Draw, Modality
from tests.contracts import items
from tests.contracts.checks import trained
from tests.methods.pretexts import odd_rows

CLS = PRETEXTS.get("scale_order")


def x() -> torch.Tensor:
    return items.item_set(Modality.TABLE).take(np.arange(64))


@pytest.fixture
def plain():
    """Small, and with the mixtures themselves for an embedding."""
    settings, shape = ScaleOrderSettings(subsets=4, groups=3, size=5), items.shape(Modality.TABLE)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        task = CLS(settings, shape, build_encoder("flat", CLS.encoder_shape(settings, shape)))
    task.prepare([Batch(x()[:20]), Batch(x()[20:])])
    return task


@pytest.fixture(scope="module")
def task():
    return trained(CLS, Modality.TABLE, steps=300).task


def entries_of(task, group: int, subset: int) -> list[int]:
    size = task.sizes[int(task.of_size[group, subset])]
    return task.subsets[group, subset, :size].tolist()


def test_divergence_of_two_coins():
    """p = (1/2, 1/2), q = (1/4, 3/4), their middle (3/8, 5/8)."""
    p, q = torch.tensor([[0.5, 0.5]]), torch.tensor([0.25, 0.75])

    found = _jensen_shannon(p.log(), q.log()).item()

    from_p = 0.5 * math.log(0.5 / 0.375) + 0.5 * math.log(0.5 / 0.625)
    from_q = 0.25 * math.log(0.25 / 0.375) + 0.75 * math.log(0.75 / 0.625)
    assert found == pytest.approx((from_p + from_q) / 2, rel=1e-5)


def test_divergence_is_0_of_equals_and_log_2_of_opposites():
    q = torch.tensor([0.0, 200.0]).log_softmax(0)

    found = _jensen_shannon(torch.tensor([[0.0, 200.0], [200.0, 0.0]]).log_softmax(1), q)

    torch.testing.assert_close(found, torch.tensor([0.0, math.log(2)]))


def test_entries_weigh_by_how_much_they_go_with_the_others():
    rows = x()
    mean = np.abs(np.corrcoef(rows.numpy().T)).mean(1)

    weights = _weights([Batch(rows[:30]), Batch(rows[30:])], 7)

    expected = (mean - mean.min()) / (mean.max() - mean.min())
    np.testing.assert_allclose(weights.numpy(), expected, atol=1e-5)


def test_an_entry_that_never_changes_weighs_least_and_wide_tables_are_not_weighed():
    rows = x()
    rows[:, 3] = 1.0

    assert _weights([Batch(rows)], 7).argmin() == 3
    assert (_weights([Batch(torch.randn(5, 50))], 50) == 1).all()


def test_sizes_run_from_one_entry_to_all():
    assert _sizes(1) == [1]
    assert _sizes(7) == [1, 2, 3, 4, 5, 6, 7]
    assert len(_sizes(400)) == 50
    assert (_sizes(400)[0], _sizes(400)[-1]) == (1, 400)


def test_subsets_of_wide_tables_take_each_entry_once():
    settings = ScaleOrderSettings(subsets=4, groups=3, size=5)
    names = tuple(f"c{i}" for i in range(30))
    shape = items.shape(Modality.TABLE)
    parts = shape.parts.model_copy(
        update={
            "names": names,
            "of_entry": tuple(range(30)),
            "kinds": shape.parts.kinds[:1] * 30,
            "units": (None,) * 30,
        }
    )
    shape = shape.model_copy(update={"size": (30,), "parts": parts})
    task = CLS(settings, shape, build_encoder("flat", CLS.encoder_shape(settings, shape)))

    for group in range(3):
        for subset in range(4):
            entries = entries_of(task, group, subset)
            assert len(set(entries)) == len(entries)
            assert max(entries) < 30


def test_a_scale_is_200_times_the_weights_of_the_subset_over_the_mixtures_size(plain):
    weights = _weights([Batch(x())], 7).numpy()

    for group in range(3):
        for subset in range(4):
            expected = 200 / 5 * sum(weights[e] for e in entries_of(plain, group, subset))
            assert plain.scales[group, subset].item() == pytest.approx(expected, rel=1e-4)


def test_a_mixture_is_the_frozen_map_of_its_size_applied_to_the_subset(plain):
    rows = x()[:3]
    maps = {}
    first = 0
    for size in plain.sizes:
        maps[size], first = plain.maps[first : first + size].numpy(), first + size
        assert np.abs(maps[size]).max() <= 1 / size**0.5

    mixtures = plain._embedded(rows, 1)

    assert mixtures.shape == (3, 4, 5)
    for subset in range(4):
        entries = entries_of(plain, 1, subset)
        np.testing.assert_allclose(mixtures[:, subset], rows[:, entries].numpy() @ maps[len(entries)], atol=1e-5)


def test_the_score_is_the_divergence_from_the_scales_seen_from_the_usual_one(plain):
    """All guesses alike: the divergence of an even distribution, by numpy; twice 4 standard deviations lie beyond 6."""
    torch.nn.init.zeros_(plain.head.weight)
    plain.usual, plain.spread = torch.tensor(0.1), torch.tensor(0.199)
    scales = plain.scales.double().numpy()
    q = np.exp(scales - scales.max(1, keepdims=True))
    q /= q.sum(1, keepdims=True)
    middle = (q + 0.25) / 2
    divergence = ((0.25 * np.log(0.25 / middle)).sum(1) + (q * np.log(q / middle)).sum(1)) / 2
    rows = x()[:2]
    rows[1, :2] = torch.tensor([10.0, -10.0])

    with torch.no_grad():
        scores = plain.score(rows, Draw.shared(0))

    usual = (divergence.mean() - 0.1) / 0.2
    np.testing.assert_allclose(scores.numpy(), [usual, usual + 32], rtol=1e-4)


def test_rows_whose_columns_contradict_each_other_score_higher(task):
    """In normal rows b is about -a and c about a; here both have the wrong sign."""
    usual = odd_rows.usual()

    assert odd_rows.auroc(task, usual, odd_rows.contradicting(usual)) > 0.7


def test_the_farther_off_the_higher(task):
    assert (odd_rows.scores_farther_and_farther(task).diff() > 0).all()
