"""Balanced, for images: an ensemble trained on synthetic defects, with nearest images for other objects."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from ad_core.data.item_set import ItemSet, Split
from ad_core.data.reservoir import drawn_items
from ad_core.devices import seeded
from ad_core.errors import BundleError, DataError
from ad_core.methods.base_detectors.defect_training import (
    DefectTraining,
    Features,
    as_floats,
    damaged_copies,
    features_of,
    share_covered,
    train_segmentation,
)
from ad_core.methods.base_detectors.fixed_filters import FixedFilters
from ad_core.methods.base_detectors.global_features import GlobalFeatures
from ad_core.methods.base_detectors.image_blend import ImageBlend, Origin, Question
from ad_core.methods.base_detectors.patch_gaussians import PatchGaussians
from ad_core.methods.contamination import LEFT_OUT, unsuspicious
from ad_core.methods.networks.imagenet_features import AT_A_TIME
from ad_core.methods.recipe import RECIPES, Fitted, Recipe
from ad_core.methods.scorer import ScoreModel
from ad_core.progress import Report, Within
from ad_core.settings import Settings
from ad_core.types import ItemShape, Modality, TrainingRows

MOST_USUAL = 512
"""Maximum number of held-out images for the statistics of maps and scores."""

SCALED = 64
"""Number of images from which the scale of the fixed filters is estimated."""

LEAST_COPIES, MOST_COPIES = 200, 1200
"""Default range of the number of copies with synthetic defects."""


class BalancedImageSettings(Settings):
    """The kind of anomaly, the features, and the size of the training."""

    question: Question = Field(
        "unsure",
        description="Kind of anomaly: a small defect of the right object (defect), another kind of object or scene "
        "(object), or either (unsure).",
        json_schema_extra={"asked_above": True},
    )
    features: Origin = Field(
        "imagenet",
        description="Source of the features: a network trained on photographs (imagenet), or fixed filters for "
        "colours, gradients and lines (own), which need no other data and find less.",
    )
    images: int = Field(1500, ge=2, le=100_000, description="Maximum number of training images, drawn at random.")
    copies: int = Field(
        0,
        ge=0,
        le=100_000,
        description="Number of training copies with synthetic defects; 0 = two per image, from 200 to 1,200.",
    )
    steps: int = Field(400, ge=20, le=100_000, description="Training steps of the defect segmentation.")


@RECIPES.register
class BalancedImage(Recipe[BalancedImageSettings]):
    """An ensemble with two views of an image. One finds and locates small defects: a small network trained to segment
    synthetic defects on features of a backbone, and a Gaussian of these features per position. The other is the
    distance to the most similar normal images and finds other objects.
    """

    title = "Balanced"
    about = (
        "An ensemble: segments defects, trained on copies of your images with drawn defects; learns what normal images "
        "show at each position; compares each image with the most similar ones. Its features come from ImageNet, not "
        "from your data, unless you choose otherwise."
    )
    source = (
        "Own; after Li et al. 2021 (CutPaste), Zavrtanik et al. 2021 (DRAEM), Defard et al. 2021 (PaDiM) and Reiss et "
        "al. 2021 (PANDA)"
    )
    modalities = frozenset({Modality.IMAGE})
    Settings = BalancedImageSettings
    shares = (0.65, 0.15, 0.2)
    reader_defaults: ClassVar[Mapping[str, Any]] = {"size": 0}

    def fit(self, item_set: ItemSet, split: Split, training_rows: TrainingRows, report: Report) -> Fitted:
        if not len(split.fit):
            raise DataError("No images are left to train on. Choose more training images, or repair those with a note.")
        with seeded(self.seed, torch.device(self.device)):
            model = ImageBlend(item_set.shape, self.settings.question, self.settings.features).to(self.device)
        index = self._chosen(split.fit, report)
        if self.settings.features == "imagenet":
            report.say("The features of this detector come from ImageNet, not from these images.")
        else:
            some = drawn_items(index, SCALED, self.seed)
            cast(FixedFilters, model.backbone).learn_scale(item_set.take(some).to(self.device))
        wholes = self._trained(model, item_set, index, LEFT_OUT[training_rows], report)
        with torch.no_grad():
            if model.sees_wholes:
                model.whole = GlobalFeatures.of(wholes).to(self.device)
            usual = split.early_stop if len(split.early_stop) else index
            model.learn_usual(list(item_set.batches(usual[:MOST_USUAL], AT_A_TIME)))
        return Fitted(model.eval())

    def _trained(
        self, model: ImageBlend, item_set: ItemSet, index: np.ndarray, leave_out: float, report: Report
    ) -> Tensor:
        """Train the segmentation on features that are computed once; returns the (n, d) features of the whole images
        that are not suspicious.
        """
        features = self._seen(model, lambda chosen: item_set.take(index[chosen]), len(index), Within(report, 0, 0.3))
        wholes = _wholes(model, features)
        kept = torch.from_numpy(unsuspicious(wholes.numpy(), leave_out, self.seed))
        index, features = index[kept.numpy()], [f[kept] for f in features]
        if model.damage is not None:
            images, masks = damaged_copies(item_set, index, self._copies(index), self.seed)
            near = model.near(features)
            damaged = self._seen(model, lambda chosen: as_floats(images[chosen]), len(images), Within(report, 0.3, 0.7))
            data = DefectTraining(near, model.near(damaged), share_covered(masks, model.damage.grid))
            model.damage.learn_scale(near)
            model.places = PatchGaussians.of(near).to(self.device)
            train_segmentation(model.damage, data, self.settings.steps, self.seed, Within(report, 0.7, 1))
        return wholes[kept]

    def _seen(self, model: ImageBlend, images: Callable[[slice], Tensor], count: int, report: Report) -> Features:
        return features_of(lambda x: model.features(x.to(self.device)), images, count, report)

    def _chosen(self, index: np.ndarray, report: Report) -> np.ndarray:
        chosen = drawn_items(index, self.settings.images, self.seed)
        if len(chosen) < len(index):
            report.say(f"Trained on {len(chosen):,} of {len(index):,} images, drawn at random.")
        return chosen

    def _copies(self, index: np.ndarray) -> int:
        return self.settings.copies or min(MOST_COPIES, max(LEAST_COPIES, 2 * len(index)))

    def state(self, model: ScoreModel) -> tuple[dict[str, Any], Mapping[str, np.ndarray | Tensor]]:
        views = cast(ImageBlend, model)
        facts = {"shape": views.shape.model_dump(mode="json")}
        return facts, {name: value.detach().cpu().contiguous() for name, value in views.state_dict().items()}

    def restore(self, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> ScoreModel:
        shape = ItemShape.model_validate(facts["shape"])
        model = ImageBlend(shape, self.settings.question, self.settings.features)
        if self.settings.features == "own" and "backbone.centre" not in arrays:
            raise BundleError("This detector was saved by a version with other features. Train it again.")
        model.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in arrays.items()})
        return model.eval()


def _wholes(model: ImageBlend, features: Features) -> Tensor:
    """(n, d) features of the whole images from stored features, some at a time."""
    parts = zip(*(f.split(AT_A_TIME) for f in features), strict=True)
    return torch.cat([model.wholes([f.float() for f in part]) for part in parts])
