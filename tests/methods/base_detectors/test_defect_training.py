"""Lessons from synthetic defects: the truth of a place, and a network that learns to see it."""

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from ad_core.methods.base_detectors.defect_segmentation import DefectSegmentation
from ad_core.methods.base_detectors.defect_training import (
    DefectTraining,
    damaged_copies,
    features_of,
    share_covered,
    train_segmentation,
)
from ad_core.progress import Silent
from ad_core.types import Modality
from tests.contracts import items


class Steps(Silent):
    def __init__(self) -> None:
        self.steps: list[float] = []

    def step(self, done: float, **facts: float) -> None:
        self.steps.append(done)


def test_copies_are_those_of_the_seed_and_of_every_image_in_turn():
    item_set, index = items.item_set(Modality.IMAGE), np.arange(3, 8)

    images, masks = damaged_copies(item_set, index, 10, seed=1)
    again, _ = damaged_copies(item_set, index, 10, seed=1)

    assert images.shape == (10, 3, 16, 16)
    assert images.dtype == np.uint8
    assert np.array_equal(images, again)
    original = item_set.x[item_set.items["start"].to_numpy()[index]]
    untouched = ~masks[6]
    assert np.abs(images[6].astype(int) - original[1])[:, untouched].max() < 40


def test_the_share_of_each_place_that_is_damaged():
    masks = np.zeros((9, 4, 4), dtype=bool)
    masks[8, :2, :1] = True

    assert share_covered(masks, (2, 2))[8].tolist() == [[0.5, 0.0], [0.0, 0.0]]


def test_features_are_computed_in_pieces_and_progress_is_told():
    report, x = Steps(), torch.rand(40, 1, 4, 4)

    found = features_of(lambda part: [part, part.mean((2, 3), keepdim=True)], lambda chosen: x[chosen], 40, report)

    torch.testing.assert_close(found[0].float(), x, atol=1e-3, rtol=1e-3)
    assert found[1].shape == (40, 1, 1, 1)
    assert report.steps == [0.4, 0.8, 1.0]


def test_a_network_learns_to_mark_bright_places():
    """Features are noise; damaged places are higher in one of three channels."""
    generator = torch.Generator().manual_seed(0)
    truth = (torch.rand(60, 6, 6, generator=generator) < 0.1).float()
    whole = torch.randn(60, 3, 6, 6, generator=generator)
    damaged = torch.randn(60, 3, 6, 6, generator=generator)
    damaged[:, 1] += 3 * truth
    model = DefectSegmentation.for_features([whole]).learn_scale([whole])

    train_segmentation(model, DefectTraining([whole], [damaged], truth), steps=60, seed=0, report=Silent())

    with torch.no_grad():
        assert roc_auc_score(truth.flatten(), model([damaged]).flatten()) > 0.9
