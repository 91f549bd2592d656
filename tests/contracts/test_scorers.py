"""Every registered scorer keeps the contract, on every kind of data, on top of an autoencoder."""

from functools import lru_cache

import pytest
import torch

from ad_core.data.batches import Batches
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.scorer import SCORERS, TaskModel
from ad_core.types import Draw, Modality
from tests.contracts import items
from tests.contracts.checks import CPU, SAME, Case, check_settings, trained, untrained

ALL = [(name, modality) for modality in Modality for name in SCORERS.names(modality)]
everywhere = pytest.mark.parametrize(("name", "modality"), ALL)


@lru_cache
def case(modality: Modality) -> Case:
    return trained(PRETEXTS.get("autoencoder"), modality)


@lru_cache
def model(name: str, modality: Modality) -> TaskModel:
    scorer = SCORERS.get(name)
    fitted = TaskModel(case(modality).task, scorer(scorer.Settings())).eval()
    with torch.no_grad():
        fitted.scorer.fit(fitted.task, Batches(items.item_set(modality), items.split().fit, 16, CPU))
    return fitted


@pytest.mark.parametrize("name", SCORERS.names())
def test_card_and_settings_are_complete(name):
    cls = SCORERS.get(name)

    check_settings(cls.Settings)
    assert all(text.strip() for text in (cls.title, cls.about, cls.source))


@everywhere
def test_score_depends_on_the_item_alone(name, modality):
    x, scores = case(modality).x, model(name, modality).score

    with torch.no_grad():
        whole = scores(x)
        torch.testing.assert_close(scores(x), whole, rtol=0, atol=0)
        torch.testing.assert_close(scores(x.flip(0)).flip(0), whole, **SAME)
        torch.testing.assert_close(torch.cat([scores(part) for part in x.split([1, 4, 7])]), whole, **SAME)

    assert whole.shape == (12,)
    assert whole.dtype == torch.float32


@everywhere
def test_fit_does_not_depend_on_how_the_items_are_cut_into_batches(name, modality):
    scorer = SCORERS.get(name)
    other = TaskModel(case(modality).task, scorer(scorer.Settings())).eval()
    with torch.no_grad():
        other.scorer.fit(other.task, Batches(items.item_set(modality), items.split().fit, 9, CPU))

        torch.testing.assert_close(
            other.score(case(modality).x), model(name, modality).score(case(modality).x), rtol=1e-4, atol=1e-4
        )


@everywhere
def test_score_has_a_gradient_where_the_task_is_smooth(name, modality):
    x = items.far_off(modality).requires_grad_()

    (gradient,) = torch.autograd.grad(model(name, modality).score(x).sum(), x)

    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0


@everywhere
def test_a_taught_item_has_a_finite_gradient(name, modality):
    """Its distance to itself is 0, where a root has no slope."""
    x = items.item_set(modality).take(items.split().fit[:4]).requires_grad_()

    (gradient,) = torch.autograd.grad(model(name, modality).score(x).sum(), x)

    assert gradient.isfinite().all()


@everywhere
def test_far_off_item_scores_above_the_median_of_normal_ones(name, modality):
    with torch.no_grad():
        far, normal = (
            model(name, modality).score(items.far_off(modality)),
            model(name, modality).score(case(modality).x),
        )

    assert far.item() > normal.median().item()


@everywhere
def test_maps_have_the_shape_of_the_item(name, modality):
    with torch.no_grad():
        parts = model(name, modality).part_scores(case(modality).x)

    if parts is not None:
        wanted = {Modality.TABLE: 2, Modality.IMAGE: 3, Modality.SENSOR: 3}[modality]
        assert parts.ndim == wanted
        assert len(parts) == 12


@everywhere
def test_weights_make_another_instance_score_the_same(name, modality):
    scorer = SCORERS.get(name)
    other = TaskModel(untrained(PRETEXTS.get("autoencoder"), modality), scorer(scorer.Settings())).eval()
    other.load_state_dict({key: value.clone() for key, value in model(name, modality).state_dict().items()})

    with torch.no_grad():
        torch.testing.assert_close(
            other.score(case(modality).x), model(name, modality).score(case(modality).x), rtol=1e-5, atol=1e-6
        )


@everywhere
def test_float64_scores_agree_and_nothing_stored_is_longer_than_float32(name, modality):
    scorer = SCORERS.get(name)
    other = TaskModel(untrained(PRETEXTS.get("autoencoder"), modality), scorer(scorer.Settings())).eval()
    other.load_state_dict(model(name, modality).state_dict())

    with torch.no_grad():
        long, short = other.double().score(case(modality).x.double()), model(name, modality).score(case(modality).x)

    assert long.dtype == torch.float64
    torch.testing.assert_close(long.float(), short, rtol=1e-3, atol=1e-3)
    assert all(value.dtype != torch.float64 for value in model(name, modality).state_dict().values())


@everywhere
def test_extras_and_expected_come_from_the_task(name, modality):
    with torch.no_grad():
        expected, draw = model(name, modality).expected(case(modality).x), Draw.shared(0)

        torch.testing.assert_close(expected, case(modality).task.expected(case(modality).x, draw))
