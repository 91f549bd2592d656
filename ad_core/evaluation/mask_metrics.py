"""Metrics of anomaly maps against defect masks in a folder."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ad_core.data.images.tiles import resized
from ad_core.errors import DataError
from ad_core.evaluation.found_masks import SIZE, FoundMasks
from ad_core.evaluation.region_metrics import aupro


class MaskMetrics(NamedTuple):
    """How well anomaly maps cover the marked defects."""

    pixel_auroc: float
    """Over the pixels of all images."""
    aupro: float
    """Area under the per-region overlap up to a false positive rate of 30 % of the pixels (Bergmann et al. 2021)."""
    images: pd.DataFrame
    """One line per image with a marked pixel: `row_id`, `marked` (share of its pixels) and `auroc` over its own pixels,
    lowest first."""

    left_out: tuple[str, ...] = ()
    """Images that were not compared, as their masks were not found: row ids."""
    notes: tuple[str, ...] = ()
    """What was left out, and what was assumed, in sentences."""

    def facts(self) -> dict[str, Any]:
        """`pixel_auroc`, `aupro`, `masks` (images with a marked pixel), `left_out` (images) and `notes`."""
        return {
            "pixel_auroc": self.pixel_auroc,
            "aupro": self.aupro,
            "masks": len(self.images),
            "left_out": len(self.left_out),
            "notes": list(self.notes),
        }


def mask_metrics(
    maps: Iterable[tuple[str, np.ndarray]], folder: Path, labels: Mapping[str, float] | None = None
) -> MaskMetrics:
    """Compare anomaly maps with defect masks.

    Args:
        maps: row id and (y, x) anomaly map of each image.
        folder: a folder or zip, see `FoundMasks`.
        labels: row id -> 0 = normal, 1 = anomalous, NaN = not known. An anomalous image without a marked mask is left
            out and named. An image without a mask is normal everywhere if it is labelled normal, or if no image has a
            label and no mask is left over; otherwise it is left out too.

    Raises:
        DataError: there is no such folder, no image has a mask, or no pixel is marked.
    """
    from sklearn.metrics import roc_auc_score

    fine = {row_id: resized(heat, (SIZE, SIZE)) for row_id, heat in maps}
    found = FoundMasks(folder, list(fine))
    masks, images, aside = _compared(found, fine, labels or {})
    if not images:
        raise DataError(
            f"No image has a mask with a marked pixel in {folder}. Masks are white on the defect, black elsewhere, and "
            "named after their image, such as <kind of defect>/<image>_mask.png; check the folder."
        )
    heats = [fine[row_id] for row_id in masks]
    some = [np.concatenate([m[::2, ::2].ravel() for m in of]) for of in (masks.values(), heats)]  # a quarter is enough
    table = pd.DataFrame(images, columns=["row_id", "marked", "auroc"]).sort_values("auroc", ignore_index=True)
    notes = [*_in_words(aside), *_of_masks(found, table)]
    left_out = [row_id for why in LEFT_OUT for row_id in aside[why]]
    auroc = float(roc_auc_score(*some))
    return MaskMetrics(auroc, aupro(list(masks.values()), heats), table, tuple(left_out), tuple(notes))


def _compared(
    found: FoundMasks, fine: Mapping[str, np.ndarray], labels: Mapping[str, float]
) -> tuple[dict[str, np.ndarray], list[tuple[str, float, float]], dict[str, list[str]]]:
    """The masks of the images that are compared, the lines of those with a mark, and the images that are set aside."""
    from sklearn.metrics import roc_auc_score

    masks, images = {}, []
    aside: dict[str, list[str]] = {why: [] for why in WHY}
    nothing_known = all(np.isnan(labels.get(row_id, np.nan)) for row_id in fine) and not found.unused
    for row_id, heat in fine.items():
        mask, label = found.of(row_id), labels.get(row_id, np.nan)
        if mask is not None and mask.any():
            masks[row_id] = mask
            inside = 1.0 if mask.all() else float(roc_auc_score(mask.ravel(), heat.ravel()))
            images.append((row_id, float(mask.mean()), inside))
            if label == 0:
                aside["normal, marked"].append(row_id)
        elif label == 1:
            aside["anomalous, no mask" if mask is None else "anomalous, black mask"].append(row_id)
        elif mask is not None or label == 0 or nothing_known:
            masks[row_id] = np.zeros((SIZE, SIZE), dtype=bool)
            if mask is None and label != 0:
                aside["taken for normal"].append(row_id)
        else:
            aside["not known, no mask"].append(row_id)
    return masks, images, aside


LEFT_OUT = ("anomalous, no mask", "anomalous, black mask", "not known, no mask")
WHY = {
    "anomalous, no mask": "{} without a mask: left out of the figures per pixel",
    "anomalous, black mask": "{} with a mask that marks nothing: left out of the figures per pixel",
    "not known, no mask": "{} without a mask, of which it is not known whether they are normal: left out",
    "taken for normal": "{} without a label and a mask: taken for normal",
    "normal, marked": "{} labelled normal although the mask marks something: the mask counts",
}
"""What can be odd about an image, and how it is said."""


def _in_words(aside: Mapping[str, list[str]]) -> list[str]:
    """Sentences with the number of images and the first names."""
    kinds = {"anomalous, no mask": "anomalous image", "anomalous, black mask": "anomalous image"}
    return [
        f"{WHY[why].format(_count(len(rows), kinds.get(why, 'image')))}: {_first(rows)}."
        for why, rows in aside.items()
        if rows
    ]


def _of_masks(found: FoundMasks, table: pd.DataFrame) -> list[str]:
    told = []
    if found.unused:
        told.append(
            f"{_count(len(found.unused), 'mask')} that fit no image, or several, not used: {_first(found.unused)}."
        )
    if found.damaged:
        told.append(f"{_count(len(found.damaged), 'mask')} that can't be read: {_first(found.damaged)}.")
    if table["marked"].median() > 0.5:
        told.append("Most masks mark more than half of their image. Check that they are white on the defect.")
    return told


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _first(names: list[str], n: int = 5) -> str:
    return ", ".join([*names[:n], *([f"and {len(names) - n:,} more"] if len(names) > n else [])])
