"""The two views of a window and how they are blended."""

import math

import numpy as np
import torch

from ad_core.methods.base_detectors.level_and_shape import FLOOR, HEAT, LevelAndShape
from ad_core.types import ItemShape, Modality, PartKind, Parts


def shape(channels: int = 2, time: int = 64) -> ItemShape:
    parts = Parts(
        names=tuple("ab"[:channels]),
        of_entry=tuple(range(channels)),
        kinds=(PartKind.NUMBER,) * channels,
        units=(None,) * channels,
    )
    return ItemShape(modality=Modality.SENSOR, size=(channels, time), parts=parts)


def courses(n: int = 60, time: int = 64, seed: int = 0) -> torch.Tensor:
    random = np.random.default_rng(seed)
    x = np.sin(2 * np.pi * (4 * np.arange(time) / time + random.random((n, 1, 1))))
    return torch.from_numpy(x + 0.1 * random.normal(size=(n, 2, time))).float()


def fitted(*judged: str) -> LevelAndShape:
    model = LevelAndShape.of(courses(), shape(), list(judged))
    model.learn_usual(courses(seed=1))
    return model.eval()


def test_usual_windows_score_about_zero_and_a_broken_one_far_more():
    model, x = fitted("both", "both"), courses(10, seed=2)
    broken = x.clone()
    broken[:, 0] = -broken[:, 0]  # the channels go together no longer

    assert model.score(x).abs().max() < 0.5
    assert model.score(broken).min() > 1


def test_a_shift_of_level_counts_where_the_level_is_watched():
    x = courses(10, seed=2)
    shifted = x.clone()
    shifted[:, 1] += 4
    gain = {
        by: (fitted(by, by).score(shifted) - fitted(by, by).score(x)).mean().item() for by in ("level", "shape", "both")
    }

    assert gain["level"] > gain["both"] > 0.5
    assert abs(gain["shape"]) < 0.05


def test_channels_are_judged_each_by_its_own():
    model, x = fitted("shape", "level"), courses(10, seed=2)
    first, second = x.clone(), x.clone()
    first[:, 0] += 4
    second[:, 1] += 4

    torch.testing.assert_close(model.score(first), model.score(x), atol=0.05, rtol=0)
    assert (model.score(second) > model.score(x) + 0.5).all()


def test_score_is_the_soft_maximum_of_the_mean_logarithms():
    model, x = fitted("both", "both"), courses(3, seed=2)
    value = {}
    for k, (name, member) in enumerate(model.members.items()):
        least = FLOOR * math.sqrt(member.entries)
        value[name] = ((member(x) + least) / (model.usual[k] + least)).log()
    by_shape = (value["shape_1"] + value["shape_2"]) / 2
    by_level = (value["level_1"] + value["level_2"] + value["level_4"]) / 3
    by_hand = (((HEAT * by_shape).exp() + (HEAT * by_level).exp()) / 2).log() / HEAT

    torch.testing.assert_close(model.over_time(x), by_hand)
    torch.testing.assert_close(model.score(x), by_hand.mean(1))


def test_views_that_see_the_same_are_not_kept_twice():
    assert list(fitted("level", "level").members) == ["level_2", "level_1", "level_4"]
    assert list(fitted("shape", "shape").members) == ["shape_1", "shape_2"]


def test_what_was_expected_is_what_usual_windows_like_it_show():
    model, x = fitted("both", "both"), courses(20, seed=2)
    low, high = model.expected_range(x)
    broken = x.clone()
    broken[:, 0, 20:40] = 3

    assert ((low <= x) & (x <= high)).float().mean() > 0.75
    assert ((low <= broken) & (broken <= high))[:, 0, 24:36].float().mean() < 0.1
    assert model.part_scores(broken)[:, 0, 24:36].mean() > 10 * model.part_scores(x).mean()


def test_the_score_can_be_differentiated():
    x = courses(2, seed=2).requires_grad_()

    fitted("both", "both").score(x).sum().backward()

    assert x.grad.isfinite().all()
    assert x.grad.abs().sum() > 0
