"""Metrics of anomaly maps against defect masks in a folder."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ad_core.data.images.tiles import resized
from ad_core.errors import DataError
from ad_core.evaluation.region_metrics import aupro

SIZE = 256
"""Side of maps and masks when they are compared [pixels]; the same for all, so that all images have equal weight."""


def mask_of(folder: Path, row_id: str, size: int = SIZE) -> np.ndarray | None:
    """(size, size) bool, True where the image is marked as defective; None if it has no mask.

    Masks are looked for as in public benchmarks: `<folder>/<kind of defect>/<image>_mask.png`, where the kind is the
    image's own folder; also `<folder>/<image>_mask.png` and names without `_mask`.
    """
    from PIL import Image

    path = Path(row_id)
    for place in (folder / path.parent.name, folder):
        for name in (f"{path.stem}_mask.png", f"{path.stem}.png"):
            if (place / name).is_file():
                mask = Image.open(place / name).convert("L").resize((size, size), Image.Resampling.NEAREST)
                return np.asarray(mask) > 127
    return None


def is_marked(folder: Path, row_id: str) -> bool:
    """Whether an image has a mask with a marked pixel."""
    mask = mask_of(folder, row_id)
    return mask is not None and bool(mask.any())


class MaskMetrics(NamedTuple):
    """How well anomaly maps cover the marked defects."""

    pixel_auroc: float
    """Over the pixels of all images."""
    aupro: float
    """Area under the per-region overlap up to a false positive rate of 30 % of the pixels (Bergmann et al. 2021)."""
    images: pd.DataFrame
    """One line per image with a marked pixel: `row_id`, `marked` (share of its pixels) and `auroc` over its own pixels,
    lowest first."""

    def facts(self) -> dict[str, float]:
        """`pixel_auroc`, `aupro`, `masks` (images with a marked pixel)."""
        return {"pixel_auroc": self.pixel_auroc, "aupro": self.aupro, "masks": len(self.images)}


def mask_metrics(maps: Iterable[tuple[str, np.ndarray]], folder: Path) -> MaskMetrics:
    """Compare anomaly maps with defect masks.

    Args:
        maps: row id and (y, x) anomaly map of each image; an image without a mask counts as normal everywhere.
        folder: see `mask_of`.

    Raises:
        DataError: there is no such folder, no image has a mask, or no pixel is marked.
    """
    from sklearn.metrics import roc_auc_score

    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}. Name the folder that holds the masks.")
    masks, fine, images = [], [], []
    for row_id, heat in maps:
        mask = mask_of(folder, row_id)
        masks.append(np.zeros((SIZE, SIZE), dtype=bool) if mask is None else mask)
        fine.append(resized(heat, (SIZE, SIZE)))
        if masks[-1].any():
            inside = 1.0 if masks[-1].all() else float(roc_auc_score(masks[-1].ravel(), fine[-1].ravel()))
            images.append((row_id, float(masks[-1].mean()), inside))
    if not images:
        raise DataError(
            f"No image has a mask with a marked pixel in {folder}. Masks are looked for as "
            "<kind of defect>/<image>_mask.png; check the folder."
        )
    some = [np.concatenate([m[::2, ::2].ravel() for m in of]) for of in (masks, fine)]  # a quarter is enough
    table = pd.DataFrame(images, columns=["row_id", "marked", "auroc"]).sort_values("auroc", ignore_index=True)
    return MaskMetrics(float(roc_auc_score(*some)), aupro(masks, fine), table)
