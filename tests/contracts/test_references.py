"""Every registered reference keeps the contract."""

import numpy as np
import pytest
import torch

from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.reference import REFERENCES, ReferenceModel, fitting_rows, flat
from ad_core.types import Modality
from tests.contracts import items
from tests.contracts.checks import check_settings

ALL = [(name, modality) for modality in Modality for name in REFERENCES.names(modality)]
everywhere = pytest.mark.parametrize(("name", "modality"), ALL)


def rows(name: str, modality: Modality) -> np.ndarray:
    return fitting_rows(REFERENCES.get(name), items.item_set(modality), items.split().fit, 0)


def model(name: str, modality: Modality, seed: int = 0) -> ReferenceModel:
    cls = REFERENCES.get(name)
    return ReferenceModel(cls(cls.Settings(), seed), modality, rows(name, modality))


@pytest.mark.parametrize("name", REFERENCES.names())
def test_card_and_settings_are_complete(name):
    cls = REFERENCES.get(name)

    check_settings(cls.Settings)
    assert all(text.strip() for text in (cls.title, cls.about, cls.source))


@everywhere
def test_same_rows_and_seed_give_the_same_scores(name, modality):
    x = items.item_set(modality).take(np.arange(80, 92))

    assert torch.equal(model(name, modality).score(x), model(name, modality).score(x))


@everywhere
def test_score_depends_on_the_item_alone(name, modality):
    x, score = items.item_set(modality).take(np.arange(80, 92)), model(name, modality).score

    pieces = torch.cat([score(part) for part in x.split([1, 4, 7])])

    assert pieces.shape == (12,)
    assert pieces.dtype == torch.float64
    torch.testing.assert_close(pieces, score(x), rtol=1e-6, atol=1e-6)


@everywhere
def test_a_copy_of_a_training_row_is_scored_like_the_row(name, modality):
    """A detector that leaves out a training row when it scores it leaves it out for changed copies too."""
    fitted, x = model(name, modality), items.item_set(modality).take(items.split().fit[:12])

    as_it_is, same, nearly = (
        fitted.score(x),
        *(fitted.score_copies(x + add, SourceItems.each(x)) for add in (0.0, 1e-4)),
    )

    torch.testing.assert_close(same, as_it_is, rtol=1e-9, atol=1e-9)
    if name not in STEPPED:
        torch.testing.assert_close(nearly, as_it_is, rtol=0.02, atol=0.02 * as_it_is.std().item())


STEPPED = ("histogram", "isolation_forest")
"""References whose score jumps where a value crosses the edge of a bin."""


BLIND = {"spectral_residual": "looks for samples that stick out of their own window; in noise none does"}
"""References for which the far-off item is not odd, and why."""


@pytest.mark.parametrize(("name", "modality"), [pair for pair in ALL if pair[0] not in BLIND])
def test_far_off_item_scores_above_the_median_of_normal_ones(name, modality):
    score = model(name, modality).score

    assert (
        score(items.far_off(modality)).item() > score(items.item_set(modality).take(np.arange(80, 92))).median().item()
    )


@everywhere
def test_a_single_row_can_be_learnt_from(name, modality):
    cls = REFERENCES.get(name)

    lonely = ReferenceModel(cls(cls.Settings(), 0), modality, rows(name, modality)[:1])

    assert lonely.score(items.far_off(modality)).isfinite().all()


@everywhere
def test_it_says_that_it_has_no_gradient_and_whether_it_has_a_map(name, modality):
    fitted, x = model(name, modality), items.far_off(modality)

    assert not fitted.differentiable
    maps = fitted.part_scores(x)
    assert maps is None or (modality is Modality.IMAGE and maps.ndim == 3 and maps.isfinite().all())
    assert fitted.expected(x) is None
    assert fitted.expected_range(x) is None
    assert fitted.extras(x) == {}
    assert fitted.embed(x).shape == flat(x, modality).shape
