"""What was recognised about folders of images, in sentences: nothing is left out or labelled without a word."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ad_core.data.dataset import Declared
from ad_core.data.images.layout import FolderUse, Layout

HOW = (
    f"If a folder was taken for something else than it is, change it on the Data page, with --folder "
    f"NAME={'|'.join(FolderUse)}, or in Python with folders={{'NAME': ...}}; --folder '*=train' trains on all images."
)


def layout_in_words(layout: Layout, folders: pd.Series, declared: Declared) -> tuple[list[str], list[str]]:
    """Sentences about masks and labels, and sentences that matter only where the data are trained on.

    Nothing where no folder says anything, or all images are normal training images.

    Args:
        folders: of all images that were given, parallel to the layout.
        declared: where it chooses the training images by a condition, nothing is said of them.
    """
    names, images = folders.to_numpy(), ~layout.is_mask
    told, of_training = _of_masks(layout, names), []
    if not declared.only and not layout.teaches[images].all():
        of_training.append(_of_training(layout, names, images))
    if (layout.label == 1).any() or (of_training and (layout.label == 0).any()):
        told.append(_of_labels(layout, names))
    if (told or of_training) and not declared.folders:
        of_training.append(HOW)
    return told, of_training


def _of_masks(layout: Layout, names: np.ndarray) -> list[str]:
    told = []
    if count := int(layout.is_mask.sum()):
        told.append(
            f"{count:,} {'image is a mask' if count == 1 else 'images are masks'} of defects, neither trained on nor "
            f"scored: {listed(names[layout.is_mask])}."
        )
    if layout.doubted:
        told.append(
            f"What lies in {listed(layout.doubted)} is used as images although the name says mask: there are no other "
            f"images, or they do not look like masks."
        )
    return told


def _of_training(layout: Layout, names: np.ndarray, images: np.ndarray) -> str:
    teaches = layout.teaches & images
    whence = "folders or masks" if layout.by_mask.any() else "folders"
    if not teaches.any():
        return (
            f"By their {whence}, none of the {images.sum():,} images is a training image: they are anomalies or belong "
            f"to a test ({listed(names[images])})."
        )
    only = images & ~teaches
    return (
        f"By their {whence}, {teaches.sum():,} of {images.sum():,} images are training images "
        f"({listed(names[teaches])}); {only.sum():,} are only scored ({listed(names[only])})."
    )


def _of_labels(layout: Layout, names: np.ndarray) -> str:
    known = ~np.isnan(layout.label)
    normal, odd, unknown = layout.label == 0, layout.label == 1, ~layout.is_mask & ~known
    whence = "masks" if layout.by_mask[known].all() else "folders or masks" if layout.by_mask.any() else "folders"
    parts = [
        f"{which.sum():,} {what} ({listed(names[which])})"
        for which, what in ((odd, "anomalies"), (normal, "normal"), (unknown, "not known"))
        if which.any()
    ]
    return f"Labels by their {whence}, used for evaluation only: {', '.join(parts)}."


def listed(names: Sequence[str] | np.ndarray, n: int = 5) -> str:
    """The different names, at most `n` of them, in order."""
    different = sorted({str(name) or "(no folder)" for name in names})
    more = [f"and {len(different) - n:,} more"] if len(different) > n else []
    return ", ".join([*different[:n], *more])
