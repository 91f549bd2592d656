"""Images that a pretext task of images must find odd, and by how much it does: for the tests of single tasks."""

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from ad_core.data.item_set import ItemSet, Split
from ad_core.methods.encoder import build_encoder
from ad_core.methods.pretext import Pretext
from ad_core.training.fit import OF_MODALITY, Fit, TrainingSettings, train_task
from ad_core.types import Draw, ItemShape, Modality, PartKind, Parts

SIDE = 32


def shape(*size: int) -> ItemShape:
    """Of images of that many channels, rows and columns."""
    names = ("red", "green", "blue")[: size[0]]
    parts = Parts(
        names=names, of_entry=tuple(range(size[0])), kinds=(PartKind.NUMBER,) * size[0], units=(None,) * size[0]
    )
    return ItemShape(modality=Modality.IMAGE, size=size, parts=parts)


def striped(n: int, seed: int) -> Tensor:
    """(n, 1, 32, 32) upright stripes, 8 pixels from one to the next, that begin anywhere; with a little noise."""
    random = np.random.default_rng(seed)
    phase = random.uniform(0, 2 * np.pi, (n, 1, 1))
    waves = 0.5 + 0.3 * np.sin(2 * np.pi * np.arange(SIDE) / 8 + phase)
    return torch.from_numpy((waves + random.normal(0, 0.03, (n, SIDE, SIDE)))[:, None]).float().clamp(0, 1)


def with_blots(x: Tensor, seed: int = 9) -> tuple[Tensor, Tensor]:
    """The same images with an even grey square of 7 pixels each, and (b, y, x) where it is."""
    random = np.random.default_rng(seed)
    found, where = x.clone(), torch.zeros(len(x), *x.shape[2:], dtype=torch.bool)
    for i, (top, left) in enumerate(random.integers(2, SIDE - 9, (len(x), 2))):
        where[i, top : top + 7, left : left + 7] = True
    found[where[:, None].expand_as(x)] = 0.5
    return found, where


def taught(cls: type[Pretext], x: Tensor, steps: int, **settings: object) -> Pretext:
    """A task trained on these images; the last eighth only stops the training."""
    chosen, images = cls.Settings(**settings), shape(*x.shape[1:])
    rows = pd.DataFrame({"row_id": [f"r{i}" for i in range(len(x))], "sample": np.arange(len(x)), "note": ""})
    item_set = ItemSet(images, x.numpy(), pd.DataFrame({"start": np.arange(len(x))}), rows)
    place, last = np.arange(len(x)), len(x) - len(x) // 8
    training = TrainingSettings.parse(OF_MODALITY[Modality.IMAGE] | {"max_steps": steps}, "training")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        task = cls(chosen, images, build_encoder("residual_image", cls.encoder_shape(chosen, images)))
    split = Split(place[:last], place[last:], place[:0])
    train_task(task, Fit(item_set, split), training)
    return task.eval()


def auroc(task: Pretext, usual: Tensor, odd: Tensor) -> float:
    """How well the score tells odd images from normal ones."""
    with torch.no_grad():
        scores = task.score(torch.cat([usual, odd]), Draw.shared(0))
    return float(roc_auc_score([0] * len(usual) + [1] * len(odd), scores))
