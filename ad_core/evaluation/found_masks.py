"""The masks in a folder or zip that belong to the images of a data set."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ad_core.data.images.mask_files import find_masks, look_like_masks
from ad_core.data.images.mask_pairs import pair_masks
from ad_core.data.images.mask_pixels import marked_pixels
from ad_core.data.images.sources import find_images
from ad_core.errors import DataError

SIZE = 256
"""Side of maps and masks when they are compared [pixels]; the same for all, so that all images have equal weight."""


class FoundMasks:
    """Masks found for images, see `pair_masks`; files that are images themselves are left out.

    Args:
        folder: a folder, or a zip, of nothing but masks or of masks among images.
        row_ids: relative paths of the images.

    Raises:
        DataError: there is no such folder, it holds no image, none belongs to an image of the data set, or they do not
            look like masks.
    """

    def __init__(self, folder: Path, row_ids: Sequence[str]) -> None:
        if not folder.exists():
            raise DataError(f"There is no folder {folder}. Name the folder that holds the masks.")
        paths, files = zip(*find_images([folder])[0], strict=True)
        among_images = find_masks(paths, files)[0]
        chosen = among_images if among_images.any() else np.ones(len(paths), dtype=bool)
        self._file = {path: file for path, file, one in zip(paths, files, chosen, strict=True) if one}
        pairs = pair_masks(row_ids, list(self._file))
        self._of_image = pairs.of_image
        self.unused = [*pairs.unused, *pairs.unclear]
        """Masks of which no image, or more than one, could be found."""
        used = [mask for masks in pairs.of_image.values() for mask in masks]
        if not used:
            raise DataError(
                f"No image has a mask in {folder}. A mask is found by the name of its image, such as "
                f"<kind of defect>/<image>_mask.png; the first file there is {next(iter(self._file))}. Check the "
                f"folder."
            )
        if not look_like_masks([self._file[mask] for mask in used]):
            raise DataError(
                f"The images in {folder} do not look like masks, but like photographs, such as {used[0]}. Name the "
                f"folder of the masks: white on the defect, black elsewhere."
            )
        self.damaged: list[str] = []
        """Masks that could not be read, so far."""

    def of(self, row_id: str, size: int = SIZE) -> np.ndarray | None:
        """(size, size) bool, True where any mask of the image is marked; None if it has none that can be read."""
        masks = []
        for name in self._of_image.get(row_id, ()):
            try:
                masks.append(shrunk(marked_pixels(self._file[name]), size))
            except DataError:
                self.damaged.append(name)
                return None
        return np.any(masks, axis=0) if masks else None


def shrunk(marked: np.ndarray, size: int) -> np.ndarray:
    """(y, x) bool -> (size, size): the nearest pixel, and of marks so thin that they would vanish every one."""
    small = np.asarray(Image.fromarray(marked).resize((size, size), Image.Resampling.NEAREST))
    if small.any() or not marked.any():
        return small
    small = np.zeros((size, size), dtype=bool)
    y, x = np.nonzero(marked)
    small[y * size // marked.shape[0], x * size // marked.shape[1]] = True
    return small


def labels_by_masks(folder: Path, row_ids: Sequence[str]) -> np.ndarray:
    """(images,) float: 1 = a mask of the image marks something, 0 = none does, NaN = not known.

    Images without a mask count as normal, unless masks are left over that may be theirs.

    Raises:
        DataError: see `FoundMasks`.
    """
    found = FoundMasks(folder, row_ids)
    without = np.nan if found.unused else 0.0
    marked = [found.of(row_id) for row_id in row_ids]
    return np.array([without if mask is None else float(mask.any()) for mask in marked])
