"""How well anomaly maps of images cover marked defects, by masks in a folder."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch

from ad_core.errors import DataError
from ad_core.region_metrics import aupro

SIZE = 256
"""Maps and masks are compared at this many pixels a side, so that images of all sizes count the same."""


def mask_of(folder: Path, row_id: str, size: int = SIZE) -> np.ndarray | None:
    """(size, size) bool, True where the image is marked as defective; None where there is no mask for it.

    Masks lie as in public benchmarks: `<folder>/<kind of defect>/<image>_mask.png`, where the kind is the image's own
    folder; `<folder>/<image>_mask.png` and names without `_mask` are understood, too.
    """
    from PIL import Image

    path = Path(row_id)
    for place in (folder / path.parent.name, folder):
        for name in (f"{path.stem}_mask.png", f"{path.stem}.png"):
            if (place / name).is_file():
                picture = Image.open(place / name).convert("L").resize((size, size), Image.Resampling.NEAREST)
                return np.asarray(picture) > 127
    return None


def is_marked(folder: Path, row_id: str) -> bool:
    """Whether an image has a mask with a marked pixel."""
    mask = mask_of(folder, row_id)
    return mask is not None and bool(mask.any())


def at_size(found: np.ndarray, size: int = SIZE) -> np.ndarray:
    """(y, x) -> (size, size), bilinear."""
    grid = torch.from_numpy(np.ascontiguousarray(found, dtype=np.float32))[None, None]
    return torch.nn.functional.interpolate(grid, (size, size), mode="bilinear")[0, 0].numpy()


def mask_figures(maps: Iterable[tuple[str, np.ndarray]], folder: Path) -> dict[str, float]:
    """Pixel AUROC and AUPRO to 0.3.

    Args:
        maps: row id and (y, x) anomaly map of every image that counts; one without a mask counts as normal throughout.
        folder: see `mask_of`.

    Returns:
        `pixel_auroc`, `aupro`, `masks` (how many images have one).

    Raises:
        DataError: no image has a mask, or no pixel is marked.
    """
    from sklearn.metrics import roc_auc_score

    masks, fine, marked = [], [], 0
    for row_id, found in maps:
        mask = mask_of(folder, row_id)
        marked += mask is not None
        masks.append(np.zeros((SIZE, SIZE), dtype=bool) if mask is None else mask)
        fine.append(at_size(found))
    if not any(mask.any() for mask in masks):
        raise DataError(
            f"No image has a mask with a marked pixel in {folder}. Masks are looked for as "
            "<kind of defect>/<image>_mask.png; check the folder."
        )
    some = [np.concatenate([m[::2, ::2].ravel() for m in of]) for of in (masks, fine)]  # a quarter says as much
    return {"pixel_auroc": float(roc_auc_score(*some)), "aupro": aupro(masks, fine), "masks": marked}
