"""Two views of an image: which members count, and on what scale they are joined."""

import pytest
import torch

from ad_core.methods.base_detectors.fixed_filters import FixedFilters
from ad_core.methods.base_detectors.global_features import GlobalFeatures
from ad_core.methods.base_detectors.image_blend import ImageBlend
from ad_core.methods.base_detectors.patch_gaussians import PatchGaussians
from ad_core.types import Batch, Modality
from tests.contracts import items

SHAPE = items.shape(Modality.IMAGE)


def views(question: str, origin: str = "imagenet") -> tuple[ImageBlend, torch.Tensor]:
    torch.manual_seed(0)
    model, x = ImageBlend(SHAPE, question, origin).eval(), items.item_set(Modality.IMAGE).take(slice(0, 24))
    with torch.no_grad():
        if isinstance(model.backbone, FixedFilters):
            model.backbone.learn_scale(x)
        features = model.features(x)
        model.whole = GlobalFeatures.of(model.wholes(features))
        if model.damage is not None:
            model.places = PatchGaussians.of(model.near(features))
        model.learn_usual([Batch(x[:12]), Batch(x[12:])])
    return model, x


def test_a_single_member_s_score_is_the_score_as_it_is():
    for model, x in (views("object"), views("object", "own")):
        with torch.no_grad():
            (alone,) = model.by_member(model.features(x)).values()

            torch.testing.assert_close(model.score(x), alone)


@pytest.mark.parametrize(
    ("question", "origin", "members"),
    [
        ("defect", "imagenet", ["damage", "places"]),
        ("unsure", "imagenet", ["damage", "places", "whole"]),
        ("unsure", "own", ["damage", "places", "whole"]),
    ],
)
def test_members_are_joined_on_the_scale_of_their_tails_first_within_a_view(question, origin, members):
    model, x = views(question, origin)

    with torch.no_grad():
        found, score = model.by_member(model.features(x)), model.score(x)
        tails = {name: model.tails[name](values) for name, values in found.items()}

    assert list(found) == members
    damage = torch.stack([tails[name] for name in members if name != "whole"]).mean(0)
    if question == "unsure":  # the harmonic mean of two shares
        damage = -(2 / (damage.exp() + tails["whole"].exp())).log()
    torch.testing.assert_close(score, damage)
    assert score.median() == pytest.approx(0.7, abs=0.4)  # -log of a half, as all of them are usual


@pytest.mark.parametrize("question", ["object", "unsure"])
def test_an_object_and_its_mirror_image_are_the_same_kind_of_thing(question):
    model, x = views(question)

    with torch.no_grad():
        seen, mirrored = (model.by_member(model.features(way))["whole"] for way in (x, x.flip(3)))
        other = model.by_member(model.features(x.flip(2)))["whole"]

    torch.testing.assert_close(seen, mirrored, rtol=1e-3, atol=1e-6)
    assert (seen - other).abs().max() > 1e-3


@pytest.mark.parametrize(("side", "looks"), [(64, 2), (256, 3)])
def test_damage_is_looked_for_in_no_mirror_image(side, looks):
    model = ImageBlend(SHAPE.model_copy(update={"size": (3, side, side)}), "unsure", "imagenet")

    features = model.features(torch.rand(1, 3, side, side))

    assert len(model.looks) == looks
    assert len(model.near(features)) == 3 * (looks - 1)


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
