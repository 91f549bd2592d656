"""Training of a `DefectSegmentation` on normal images and on copies with drawn defects."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.data.item_set import ItemSet
from ad_core.methods.augmentations.drawn_defects import with_defects
from ad_core.methods.base_detectors.defect_segmentation import DefectSegmentation
from ad_core.methods.networks.imagenet_features import AT_A_TIME
from ad_core.progress import Report

DAMAGED, WHOLE = 12, 4
"""Number of images with and without defects in a batch."""

COVERED = 0.1
"""A position is a defect if more than this share of it is covered; partly covered ones below that have no loss."""

NOISE = 0.1
"""Noise added to the features in training, in standard deviations."""

LEARNING_RATE, WEIGHT_DECAY, CLIP = 2e-3, 1e-3, 1.0

Features = list[Tensor]
"""Per depth (n, channels, y, x) float16."""


@dataclass(frozen=True)
class DefectTraining:
    """Training data of a `DefectSegmentation`: features, computed once."""

    whole: Features
    """Features of normal images."""
    damaged: Features
    """Features of copies with defects."""
    truth: Tensor
    """(n, y, x): share of each position of the copies that is covered by a defect."""


def damaged_copies(item_set: ItemSet, index: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """This number of copies with defects, of the items in turn.

    Returns:
        (count, *item) uint8 and (count, y, x) bool.
    """

    def damage(number: int) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng([seed, number])
        pair = index[np.array([number % len(index), random.integers(len(index))])]
        image, other = item_set.take(pair).numpy()
        damaged, mask = with_defects(image, other, random)
        return (255 * damaged).round().astype(np.uint8), mask

    with ThreadPoolExecutor() as pool:
        images, masks = zip(*pool.map(damage, range(count)), strict=True)
    return np.stack(images), np.stack(masks)


def as_floats(images: np.ndarray) -> Tensor:
    """uint8 -> float32 in 0..1."""
    return torch.from_numpy(images).float() / 255


def share_covered(masks: np.ndarray, grid: tuple[int, int]) -> Tensor:
    """(n, height, width) bool -> (n, y, x) float32: share of each position that is covered."""
    parts = [F.adaptive_avg_pool2d(torch.from_numpy(part).float(), grid) for part in np.array_split(masks, 8)]
    return torch.cat(parts)


def features_of(
    backbone: Callable[[Tensor], Features], images: Callable[[slice], Tensor], count: int, report: Report
) -> Features:
    """Features of many images, as float16 in main memory.

    Args:
        images: slice of positions -> (b, *item) in 0..1.
    """
    found: Features = []
    with torch.no_grad():
        for begin in range(0, count, AT_A_TIME):
            chosen = slice(begin, min(begin + AT_A_TIME, count))
            parts = backbone(images(chosen))
            if not found:
                found = [torch.empty((count, *part.shape[1:]), dtype=torch.float16) for part in parts]
            for all_, part in zip(found, parts, strict=True):
                all_[chosen] = part.half().cpu()
            report.check()
            report.step(chosen.stop / count)
    return found


def train_segmentation(model: DefectSegmentation, data: DefectTraining, steps: int, seed: int, report: Report) -> None:
    """Train the network: focal cross-entropy (Lin et al. 2017, arXiv:1708.02002, eq. 4, gamma 1) at each position."""
    draw, random, device = torch.Generator().manual_seed(seed), np.random.default_rng(seed), model.centre.device
    optimiser = torch.optim.AdamW(model.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps, pct_start=0.1)
    model.train()
    for step in range(steps):
        chosen = random.integers(len(data.truth), size=DAMAGED), random.integers(len(data.whole[0]), size=WHOLE)
        features, truth = _batch(data, *chosen, device)
        parts = model.standardised(features)
        noisy = [part + NOISE * torch.randn(part.shape, generator=draw).to(device) for part in parts]
        loss = _loss(model.judged(noisy), truth)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimiser.step()
        schedule.step()
        report.check()
        report.step((step + 1) / steps, loss=float(loss.detach()))
    model.eval()


def _batch(
    data: DefectTraining, damaged: np.ndarray, whole: np.ndarray, device: torch.device
) -> tuple[Sequence[Tensor], Tensor]:
    features = [
        torch.cat([d[damaged], w[whole]]).to(device).float() for d, w in zip(data.damaged, data.whole, strict=True)
    ]
    truth = torch.cat([data.truth[damaged], torch.zeros(len(whole), *data.truth.shape[1:])])
    return features, truth.to(device)


def _loss(logits: Tensor, covered: Tensor) -> Tensor:
    damaged = (covered > COVERED).to(logits.dtype)
    counts = (covered > COVERED) | (covered == 0)
    entropy = F.binary_cross_entropy_with_logits(logits, damaged, reduction="none")
    focal = entropy * -torch.expm1(-entropy)  # times the probability of being wrong
    return (counts * focal * (1 + damaged)).mean()
