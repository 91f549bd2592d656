"""Ensemble for images of two views: is there a local defect, and is it another kind of object?"""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.methods.base_detectors.defect_segmentation import DefectSegmentation, as_shown
from ad_core.methods.base_detectors.fixed_filters import FixedFilters
from ad_core.methods.base_detectors.global_features import GlobalFeatures, pooled
from ad_core.methods.base_detectors.patch_gaussians import PatchGaussians, PositionStatistics
from ad_core.methods.losses.reconstruction_error import worst_mean
from ad_core.methods.networks.imagenet_features import AT_A_TIME, ImagenetFeatures
from ad_core.methods.score_normalisation import TailNormalisation
from ad_core.methods.scorer import ScoreModel
from ad_core.types import Batch, ItemShape

Question = Literal["defect", "object", "unsure"]
"""Small defect of the right object; another kind of object; either."""

Origin = Literal["imagenet", "own"]
"""Source of the features: a network trained on ImageNet, or fixed filters without training."""

NEAR = (4, 7, 10)
"""Depths of the features for local defects."""

FAR = (10, 15, 16)
"""Depths of the features of the whole image."""

SMALLEST = 96
"""Smaller images are enlarged to this side [px] for the ImageNet network; a larger side would only add blur."""

LARGE = 192
"""Images with at least this side [px] are processed a second time at half their size, to find large defects too."""

WORST = 0.01
"""A base detector's score of an image is the mean over this share of its map, the largest values."""

NETWORK_SIDE = 224
"""If only the whole image counts, larger images are reduced to this side [px], the size in the network's training."""


class BackbonePass(NamedTuple):
    """One pass of an image through the backbone."""

    side: int
    """Shorter side of the resized image [px]."""

    depths: tuple[int, ...]
    mirrored: bool = False
    """Left and right exchanged."""


class ImageBlend(nn.Module, ScoreModel):
    """(b, channel, y, x) in 0..1 -> score by the base detectors that the question needs.

    Defects are found by two base detectors, a network trained to segment synthetic defects and a Gaussian per position;
    other objects by the distance to similar images. Each score is normalised to minus the logarithm of its tail
    probability among normal images. A view is the mean of its base detectors; an anomaly in either view is enough, so
    the views are combined as the harmonic mean of their tail probabilities (Wilson 2019, The harmonic mean p-value,
    PNAS 116, eq. 1). The score of a single base detector is not normalised. If kinds of objects count, the ImageNet
    network also processes the mirror image, which shows the same kind of object.

    Args:
        question: what the analyst looks for.
        origin: source of the features.
    """

    differentiable = True

    def __init__(self, shape: ItemShape, question: Question, origin: Origin) -> None:
        super().__init__()
        self.shape, self.question, self.origin = shape, question, origin
        self.views = ("defect", "object") if question == "unsure" else (question,)
        side = min(shape.size[1:])
        self.looks = _looks(question, max(side, SMALLEST)) if origin == "imagenet" else [BackbonePass(side, NEAR[:1])]
        self.seen = [(look, depth) for look in self.looks for depth in look.depths]
        self.backbone: ImagenetFeatures | FixedFilters = (
            ImagenetFeatures(sorted({depth for _, depth in self.seen}))
            if origin == "imagenet"
            else FixedFilters(shape.size[0], shape.size[1:])
        )
        with torch.no_grad():
            near = self.near(self.features(torch.zeros(1, *shape.size)))
        self.damage = DefectSegmentation.for_features(near) if near else None
        self.places = PatchGaussians()
        self.whole = GlobalFeatures()
        self.maps = ["damage", "places"] if self.sees_damage else []
        grid = self.damage.grid if self.damage else (1, 1)
        self.usual = nn.ModuleDict({name: PositionStatistics(grid) for name in self.maps})
        self.members = [*self.maps, *(["whole"] if self.sees_wholes else [])]
        self.tails = nn.ModuleDict({name: TailNormalisation() for name in self.members})

    @property
    def sees_damage(self) -> bool:
        """Whether local defects count."""
        return "defect" in self.views

    @property
    def sees_wholes(self) -> bool:
        """Whether the kind of object counts."""
        return "object" in self.views

    def features(self, x: Tensor) -> list[Tensor]:
        """One per depth of every pass; few images at a time, so that inner layers fit into the processor's caches."""
        if len(x) <= AT_A_TIME:
            return self._looked(x)
        parts = [self._looked(part) for part in x.split(AT_A_TIME)]
        return [torch.cat(of_depth) for of_depth in zip(*parts, strict=True)]

    def _looked(self, x: Tensor) -> list[Tensor]:
        if isinstance(self.backbone, FixedFilters):
            return self.backbone(x)
        found = []
        for look in self.looks:
            scale = look.side / min(x.shape[2:])
            image = x if scale == 1 else F.interpolate(x, scale_factor=scale, mode="bilinear", antialias=True)
            found += self.backbone(image.flip(3) if look.mirrored else image, look.depths)
        return found

    def near(self, features: Sequence[Tensor]) -> list[Tensor]:
        """The features for local defects; none if these don't count."""
        if not self.sees_damage:
            return []
        seen = zip(self.seen, features, strict=True)
        return [f for (look, depth), f in seen if depth in NEAR and not look.mirrored]

    def wholes(self, features: Sequence[Tensor]) -> Tensor:
        """(b, d) of length 1: features of the whole image, the deepest ones of the last pass and of its mirror image,
        or the fixed filters in a coarse grid.
        """
        if self.origin == "own":
            return FixedFilters.whole(features[-1])
        if not self.sees_wholes:
            return pooled([features[-1]])
        seen = list(zip(self.seen, features, strict=True))
        ways = [pooled([f for (of, depth), f in seen if of == look and depth in FAR]) for look in self.looks[-2:]]
        return F.normalize(torch.stack(ways).sum(0), dim=1)

    def learn_usual(self, batches: Sequence[Batch]) -> None:
        """Learn from held-out normal images: maps per position, and the distribution of each base detector's scores."""
        device = next(self.buffers()).device
        features = [[f.half() for f in self.features(batch.x.to(device))] for batch in batches]
        for name in self.maps:
            found = [self._map(name, self.near([f.float() for f in part])) for part in features]
            cast(PositionStatistics, self.usual[name]).learn(torch.cat(found))
        scores = [self.by_member([f.float() for f in part]) for part in features]
        for name in self.members:
            every = torch.cat([found[name] for found in scores]).double().cpu().numpy()
            self.tails[name] = TailNormalisation.of(every).to(device)

    def by_member(self, features: Sequence[Tensor]) -> dict[str, Tensor]:
        """Base detector -> (b,) its score."""
        found = {name: worst_mean(map_, WORST) for name, map_ in self._maps(features).items()}
        return {**found, "whole": self.whole(self.wholes(features))} if self.sees_wholes else found

    def by_view(self, features: Sequence[Tensor]) -> dict[str, Tensor]:
        """View -> (b,) its normalised score."""
        tails = {name: self.tails[name](scores) for name, scores in self.by_member(features).items()}
        found = {"defect": torch.stack([tails[name] for name in self.maps]).mean(0)} if self.maps else {}
        return {**found, "object": tails["whole"]} if self.sees_wholes else found

    def score(self, x: Tensor) -> Tensor:
        features = self.features(x)
        if len(self.members) == 1:
            return next(iter(self.by_member(features).values()))
        views = torch.stack(list(self.by_view(features).values()))
        return views.logsumexp(0) - math.log(len(views))

    def forward(self, x: Tensor) -> Tensor:
        return self.score(x)

    def embed(self, x: Tensor) -> Tensor | None:
        return self.wholes(self.features(x))

    def part_scores(self, x: Tensor) -> Tensor | None:
        """(b, y, x) of the item's own size: map of local defects, standardised per position over normal images; None if
        local defects don't count.
        """
        if not self.maps:
            return None
        height, width = self.shape.size[1:]
        maps = self._maps(self.features(x))
        return as_shown(torch.stack(list(maps.values())).mean(0), (height, width))

    def _maps(self, features: Sequence[Tensor]) -> dict[str, Tensor]:
        near = self.near(features)
        return {name: self.usual[name](self._map(name, near)) for name in self.maps}

    def _map(self, name: str, near: Sequence[Tensor]) -> Tensor:
        return cast(Tensor, getattr(self, name)(near))  # (b, y, x)


def _looks(question: Question, side: int) -> list[BackbonePass]:
    """Passes of an item with this side [px]; if the whole image counts, the last two are mirror images."""
    if question == "object":
        return _both_ways(BackbonePass(min(side, NETWORK_SIDE), FAR))
    if question == "defect":
        return (
            [BackbonePass(side, NEAR), BackbonePass(side // 2, NEAR)] if side >= LARGE else [BackbonePass(side, NEAR)]
        )
    every = tuple(sorted({*NEAR, *FAR}))
    return (
        [BackbonePass(side, NEAR), *_both_ways(BackbonePass(side // 2, every))]
        if side >= LARGE
        else _both_ways(BackbonePass(side, every))
    )


def _both_ways(look: BackbonePass) -> list[BackbonePass]:
    return [look, BackbonePass(look.side, FAR, mirrored=True)]
