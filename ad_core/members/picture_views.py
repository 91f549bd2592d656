"""Images seen in two ways: is something damaged, and is it another kind of thing as a whole."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.imagenet import ImagenetFeatures
from ad_core.members.defect_map import DefectMap, as_shown, worst_of
from ad_core.members.own_features import OwnFeatures
from ad_core.members.whole_images import WholeImages, pooled
from ad_core.tails import Tail
from ad_core.types import Batch, ItemShape

Question = Literal["defect", "object", "unsure"]
"""Small damage on the right thing; another kind of thing; either."""

Origin = Literal["imagenet", "own"]
"""Where the features come from: a network that knows ImageNet, or one trained on these images alone."""

NEAR = (4, 7, 10)
"""Depths at which small things are seen."""

FAR = (10, 15, 16)
"""Depths at which the whole is seen."""

SMALLEST = 128
"""Smaller items are enlarged to so many pixels before the network of ImageNet looks for damage."""

LARGE = 192
"""Items of so many pixels are looked at twice, the second time at half their size: damage may be large, too."""

TAUGHT = 224
"""Where only the whole counts, items are brought to the size [px] that the network was taught with."""


class PictureViews(nn.Module):
    """(b, channel, y, x) in 0..1 -> score of the view that was asked for, or of both.

    Where it is not known what to look for, each view's score is put on the scale of its own tail; their mean counts.

    Args:
        question: what the analyst looks for.
        origin: where the features come from.
    """

    differentiable = True

    def __init__(self, shape: ItemShape, question: Question, origin: Origin) -> None:
        super().__init__()
        self.shape, self.question, self.origin = shape, question, origin
        self.views = ("defect", "object") if question == "unsure" else (question,)
        side = min(shape.size[1:])
        self.glances = _glances(question, max(side, SMALLEST)) if origin == "imagenet" else [(side, NEAR[:2])]
        self.depths = [depth for _, depths in self.glances for depth in depths]
        self.backbone: nn.Module = (
            ImagenetFeatures(sorted(set(self.depths)))
            if origin == "imagenet"
            else OwnFeatures(shape.size[0], shape.size[1])
        )
        with torch.no_grad():
            near = self.near(self.features(torch.zeros(1, *shape.size)))
        self.damage = DefectMap.for_features(near) if near else None
        self.whole = WholeImages()
        self.tails = nn.ModuleDict({view: Tail() for view in self.views})

    @property
    def sees_damage(self) -> bool:
        """Whether small damage counts."""
        return "defect" in self.views

    @property
    def sees_wholes(self) -> bool:
        """Whether it counts what the image shows as a whole."""
        return "object" in self.views

    def features(self, x: Tensor) -> list[Tensor]:
        """One per depth of every glance."""
        if self.origin == "own":
            return self.backbone(x)  # type: ignore[no-any-return]
        found = []
        for side, depths in self.glances:
            scale = side / min(x.shape[2:])
            glance = x if scale == 1 else F.interpolate(x, scale_factor=scale, mode="bilinear", antialias=True)
            found += self.backbone(glance, depths)
        return found

    def near(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Those in which damage is looked for; none where it is not. An own backbone learns from damage in any case."""
        if self.origin == "imagenet" and not self.sees_damage:
            return []
        return [f for depth, f in zip(self.depths, features, strict=True) if depth in NEAR]

    def wholes(self, features: Sequence[Tensor]) -> Tensor:
        """(b, d) what the image shows as a whole, by the deepest of the features of the last glance."""
        count = len(self.glances[-1][1])
        last = list(zip(self.depths, features, strict=True))[-count:]
        far = [f for depth, f in last if depth in FAR]
        return pooled(far if self.sees_wholes and self.origin == "imagenet" else [last[-1][1]])

    def learn_usual(self, batches: Sequence[Batch]) -> None:
        """From normal images that did not teach: what is usual at each place, and how high each view's scores are."""
        if self.damage is not None:
            device = self.damage.centre.device
            logits = [self.damage.logits(self.near(self.features(b.x.to(device)))) for b in batches]
            self.damage.learn_usual(torch.cat(logits))
        if len(self.views) > 1:
            device = self.whole.bank.device
            found = [self.by_view(self.features(b.x.to(device))) for b in batches]
            for view in self.views:
                scores = torch.cat([scores[view] for scores in found]).double().cpu().numpy()
                self.tails[view] = Tail.of(scores).to(device)

    def by_view(self, features: Sequence[Tensor]) -> dict[str, Tensor]:
        """View -> (b,) its score."""
        found = {}
        if self.damage is not None and self.sees_damage:
            found["defect"] = worst_of(self.damage(self.near(features)))
        if self.sees_wholes:
            found["object"] = self.whole(self.wholes(features))
        return found

    def score(self, x: Tensor) -> Tensor:
        found = self.by_view(self.features(x))
        if len(found) == 1:
            return next(iter(found.values()))
        return torch.stack([self.tails[view](scores) for view, scores in found.items()]).mean(0)

    def forward(self, x: Tensor) -> Tensor:
        return self.score(x)

    def over_time(self, x: Tensor) -> Tensor | None:  # noqa: ARG002
        return None

    def embed(self, x: Tensor) -> Tensor | None:
        return self.wholes(self.features(x))

    def part_scores(self, x: Tensor) -> Tensor | None:
        """(b, y, x) of the item's own size: how damaged each place looks; None where damage is not looked for."""
        if self.damage is None or not self.sees_damage:
            return None
        height, width = self.shape.size[1:]
        return as_shown(self.damage(self.near(self.features(x))), (height, width))

    def expected(self, x: Tensor) -> Tensor | None:  # noqa: ARG002
        return None

    def expected_range(self, x: Tensor) -> tuple[Tensor, Tensor] | None:  # noqa: ARG002
        return None

    def extras(self, x: Tensor) -> dict[str, Tensor]:  # noqa: ARG002
        return {}


def _glances(question: Question, side: int) -> list[tuple[int, tuple[int, ...]]]:
    """(side [px], depths) of every look at an item."""
    if question == "object":
        return [(TAUGHT, FAR)]
    last = tuple(sorted({*NEAR, *(FAR if question == "unsure" else ())}))
    return [(side, NEAR), (side // 2, last)] if side >= LARGE else [(side, last)]
