"""Tiny items of the three kinds, normal and far off, for the contract tests."""

from functools import lru_cache

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ad_core.data.item_set import ItemSet, Split
from ad_core.types import ItemShape, Modality, PartKind, Parts

N = 96
"""Normal items per kind of data."""

NUMBER, CATEGORY = PartKind.NUMBER, PartKind.CATEGORY


def shape(modality: Modality) -> ItemShape:
    """Three numbers (one with a missing flag) and a category of three levels; 16 x 16 RGB; 2 channels x 32
    steps.
    """
    if modality is Modality.TABLE:
        parts = Parts(
            names=("a", "b", "c", "kind"),
            of_entry=(0, 1, 2, 2, 3, 3, 3),
            kinds=(NUMBER, NUMBER, NUMBER, CATEGORY),
            units=(None,) * 4,
        )
        return ItemShape(modality=modality, size=(7,), parts=parts, classes=2)
    names = ("red", "green", "blue") if modality is Modality.IMAGE else ("flow", "pressure")
    parts = Parts(
        names=names, of_entry=tuple(range(len(names))), kinds=(NUMBER,) * len(names), units=(None,) * len(names)
    )
    return ItemShape(
        modality=modality, size=(3, 16, 16) if modality is Modality.IMAGE else (2, 32), parts=parts, classes=2
    )


@lru_cache
def item_set(modality: Modality) -> ItemSet:
    """N normal items."""
    x = {Modality.TABLE: _rows, Modality.IMAGE: _images, Modality.SENSOR: _windows}[modality]()
    items = pd.DataFrame({"start": np.arange(N), "cls": np.arange(N) % 2})
    span = 32 if modality is Modality.SENSOR else 1
    rows = pd.DataFrame(
        {"row_id": [f"r{i}" for i in range(N + span - 1)], "sample": np.arange(N + span - 1), "note": ""}
    )
    return ItemSet(shape(modality), x, items, rows, span)


def far_off(modality: Modality) -> Tensor:
    """(1, *item) that no task can take for normal: broken in value, in place and in what goes with what."""
    size = shape(modality).size
    if modality is Modality.TABLE:
        return torch.tensor([[9.0, -9.0, 0.0, 1.0, 1.0, 1.0, 0.0]])
    noise = torch.from_numpy(np.random.default_rng(5).random((1, *size))).float()
    return noise if modality is Modality.IMAGE else 12 * noise - 6


def split() -> Split:
    return Split(np.arange(0, 64), np.arange(64, 80), np.arange(80, N))


def _rows() -> np.ndarray:
    random = np.random.default_rng(0)
    a = random.normal(size=N)
    kind = (a > 0.4).astype(int) + (a > -0.4)
    missing = random.random(N) < 0.2
    b = -a + 0.1 * random.normal(size=N)
    c = np.where(missing, 0, a + 0.1 * random.normal(size=N))
    return np.column_stack([a, b, c, missing, np.eye(3)[kind]]).astype(np.float32)


def _images() -> np.ndarray:
    """Bright at the top, a dark square at a random place: turned images can be told apart."""
    random = np.random.default_rng(1)
    light = np.linspace(220, 60, 16)[None, None, :, None] * np.ones((N, 3, 1, 16))
    x = light + random.normal(0, 4, (N, 3, 16, 16))
    for image, (top, left) in zip(x, random.integers(2, 11, (N, 2)), strict=True):
        image[:, top : top + 3, left : left + 3] = 20
    return x.clip(0, 255).astype(np.uint8)


def _windows() -> np.ndarray:
    """Overlapping windows of two sines that keep step: a strided view, as readers make it."""
    t = np.arange(N + 31)
    random = np.random.default_rng(2)
    x = np.column_stack([np.sin(t / 3), np.sin(t / 3 + 1)]) + 0.05 * random.normal(size=(N + 31, 2))
    return np.lib.stride_tricks.sliding_window_view(x.astype(np.float32), 32, axis=0)
