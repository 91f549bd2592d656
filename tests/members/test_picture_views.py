"""Two views of an image: which of them count, and on what scale they are joined."""

import pytest
import torch

from ad_core.members.picture_views import PictureViews
from ad_core.members.whole_images import WholeImages
from ad_core.types import Batch, Modality
from tests.contracts import items

SHAPE = items.shape(Modality.IMAGE)


def views(question: str, origin: str = "imagenet") -> tuple[PictureViews, torch.Tensor]:
    torch.manual_seed(0)
    model, x = PictureViews(SHAPE, question, origin).eval(), items.frame(Modality.IMAGE).take(slice(0, 24))
    with torch.no_grad():
        model.whole = WholeImages.of(model.wholes(model.features(x)))
        model.learn_usual([Batch(x[:12]), Batch(x[12:])])
    return model, x


@pytest.mark.parametrize(("question", "seen"), [("defect", {"defect"}), ("object", {"object"})])
def test_a_single_view_is_the_score(question, seen):
    model, x = views(question)

    with torch.no_grad():
        found = model.by_view(model.features(x))

        assert set(found) == seen
        torch.testing.assert_close(model.score(x), found[question])


def test_both_views_are_joined_on_the_scale_of_their_tails():
    model, x = views("unsure")

    with torch.no_grad():
        found, score = model.by_view(model.features(x)), model.score(x)

    tails = [model.tails[view](values) for view, values in found.items()]
    torch.testing.assert_close(score, (tails[0] + tails[1]) / 2)
    assert score.median() == pytest.approx(0.7, abs=0.4)  # -log of a half, as both views are usual


def test_there_is_a_map_only_where_damage_is_looked_for():
    (damage, x), (wholes, _) = views("defect"), views("object")

    with torch.no_grad():
        assert damage.part_scores(x[:2]).shape == (2, 16, 16)
        assert wholes.part_scores(x[:2]) is None


@pytest.mark.parametrize("origin", ["imagenet", "own"])
def test_the_score_can_be_differentiated_by_the_image(origin):
    model, x = views("unsure", origin)
    x = x[:2].requires_grad_()

    model.score(x).sum().backward()

    assert x.grad.isfinite().all()
    assert x.grad.abs().sum() > 0
