"""The pixels of masks: which are marked, and whether an image looks like a mask at all."""

import numpy as np
from PIL import Image

from ad_core.data.files.image_files import calm_pillow, decode_as_stored

FEW_LEVELS = 16
"""Maximum number of different values of a mask whose values are names of kinds, so that all but 0 are marked."""
_NEAR = 1 / 8
"""A pixel is near black or white within this share of the range: what JPEG and smooth edges do to a mask."""


def marked_pixels(file: str) -> np.ndarray:
    """(y, x) bool, True on the defect, of a mask in any of the usual forms.

    White (255, 1) or any number from 1 on is marked, 0 is not; so is every colour of a palette but black, and what is
    transparent is not. JPEG masks, and those of more than `FEW_LEVELS` values, are marked above half of the highest.

    Raises:
        DataError: the file can't be decoded.
    """
    with calm_pillow():
        image, is_lossy = decode_as_stored(file)
    values = _values(image)
    levels = np.unique(values)
    if is_lossy or len(levels) > FEW_LEVELS:
        return np.asarray(values > max(float(levels[-1]), 1) / 2)
    return np.asarray(values > 0)


def looks_like_mask(file: str) -> bool:
    """Whether an image has few different values, or is nearly everywhere black or white.

    Raises:
        DataError: the file can't be decoded.
    """
    with calm_pillow():
        values = _values(decode_as_stored(file)[0])
    if len(np.unique(values)) <= FEW_LEVELS:
        return True
    top = float(values.max())
    extreme = (values <= _NEAR * top) | (values >= (1 - _NEAR) * top)
    return bool(extreme.mean() >= 0.97)


def _values(image: Image.Image) -> np.ndarray:
    """(y, x): 0 where nothing is marked; elsewhere the grey, the brightest colour, or the index in a palette."""
    if image.mode in ("P", "PA"):
        return _of_palette(image)
    if image.mode == "1":
        return np.asarray(image, dtype=np.uint8)
    if image.mode in ("LA", "La", "RGBA", "RGBa"):
        bands = np.asarray(image)
        return np.asarray(np.where(bands[..., -1] > 0, bands[..., :-1].max(axis=-1), 0))
    if image.mode == "L" or image.mode.startswith(("I", "F")):
        return np.asarray(image)
    return _brightest(image)


def _of_palette(image: Image.Image) -> np.ndarray:
    """Black is unmarked; in a palette whose picture has no black, the colour number 0 is."""
    bright = _brightest(image)
    if (bright == 0).any():
        return bright
    index = np.asarray(image)
    index = index[..., 0] if index.ndim == 3 else index
    return index if (index == 0).any() else bright


def _brightest(image: Image.Image) -> np.ndarray:
    """(y, x): the largest of red, green and blue."""
    return np.asarray(np.asarray(image.convert("RGB")).max(axis=-1))
