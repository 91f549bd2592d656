"""Draw small synthetic defects into normal images.

Seven kinds, after CutPaste (Li et al. 2021, arXiv:2104.04015, sec. 3), DRAEM (Zavrtanik et al. 2021, arXiv:2108.07610,
sec. 3.2, noise within ragged shapes) and MemSeg (Yang et al. 2023, arXiv:2205.00908, sec. 3.1): rectangles and ragged
blobs from elsewhere, blobs that are brighter or darker, noisy, blurred or empty, scars filled from elsewhere, and
scratches. Sizes are drawn on a logarithmic scale, from a 48th to a third of the image's side.
"""

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter

VISIBLE, NEAR, ENOUGH = 8 / 255, 1.5, 0.2
"""The mask is where the indicator of changes above `VISIBLE`, blurred by `NEAR` px, exceeds `ENOUGH`."""

MOST = 3
"""Maximum number of defects in one image."""


def with_defects(
    image: np.ndarray, other: np.ndarray, random: np.random.Generator, kinds: tuple[str, ...] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """An image with one to three defects, and where they are.

    Args:
        image, other: (channel, y, x) float32 in 0..1; what is pasted comes from either of them.
        kinds: keys of `KINDS`; None = all.

    Returns:
        (channel, y, x) float32 in 0..1, and (y, x) bool: where the image differs visibly.
    """
    names = kinds or tuple(KINDS)
    changed = image
    for _ in range(random.integers(1, MOST + 1)):
        for _ in range(3):  # a drawn defect may be invisible
            attempt = KINDS[names[random.integers(len(names))]](changed, other, random)
            if np.abs(attempt - changed).max() > VISIBLE:
                changed = attempt
                break
    difference = np.abs(changed - image).max(0) > VISIBLE
    return changed, gaussian_filter(difference.astype(np.float32), NEAR) > ENOUGH


def _rectangle(image: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return _blend(image, _elsewhere(image, other, random), _box(image.shape[1:], random), random)


def _pasted_blob(image: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return _blend(image, _elsewhere(image, other, random), _blob(image.shape[1:], random), random)


def _scar(image: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return _blend(image, _elsewhere(image, other, random), _curve(image.shape[1:], random, 0.0), random)


def _scratch(image: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return _blend(image, _recoloured(image, other, random), _curve(image.shape[1:], random, 0.08), random)


def _stain(image: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return _blend(image, _recoloured(image, other, random), _blob(image.shape[1:], random), random)


def _rough(image: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:  # noqa: ARG001
    noise = random.normal(size=image.shape).astype(np.float32)
    sigma = random.choice([0.0, 0.7, 1.5])
    if sigma:
        noise = gaussian_filter(noise, (0, sigma, sigma))
        noise /= noise.std()
    strength = random.uniform(22, 90) / 255
    return _blend(image, image + strength * noise, _blob(image.shape[1:], random), random)


def _wiped(image: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:  # noqa: ARG001
    if random.random() < 0.5:
        sigma = random.uniform(2, 6)
        wiped = gaussian_filter(image, (0, sigma, sigma))
    else:
        fills = [0.0, 1.0, image.mean((1, 2), keepdims=True)]
        wiped = np.broadcast_to(fills[random.integers(3)], image.shape)
    return _blend(image, wiped, _blob(image.shape[1:], random), random)


KINDS: dict[str, Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]] = {
    "rectangle": _rectangle,
    "scar": _scar,
    "pasted blob": _pasted_blob,
    "stain": _stain,
    "rough": _rough,
    "wiped": _wiped,
    "scratch": _scratch,
}
"""Kinds of defects: (image, other image, random) -> image, not yet clipped."""


def _blend(image: np.ndarray, new: np.ndarray, mask: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """`new` within the mask; half of the time with soft edges."""
    weight = mask.astype(np.float32)
    if random.random() < 0.5:
        weight = gaussian_filter(weight, 0.6)
    blended: np.ndarray = image + weight * (new - image)
    return blended.clip(0, 1).astype(np.float32)


def _elsewhere(image: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Either image, shifted, at random turned and slightly brighter or darker."""
    source = image if random.random() < 0.5 else other
    height, width = image.shape[1:]
    source = np.roll(source, (int(random.integers(height)), int(random.integers(width))), (1, 2))
    if random.random() < 0.5:
        quarters = int(random.integers(1, 4)) if height == width else 2
        source = np.rot90(source, quarters, (1, 2))
    return source + random.uniform(-30, 30) / 255 if random.random() < 0.5 else source


def _recoloured(image: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Brighter or darker; or filled with one tone of a normal image, since in black-and-white images other greys would
    give the defect away.
    """
    if random.random() < 0.5:
        shift = random.choice([-1, 1]) * random.uniform(20, 130) / 255
        return image + np.float32(shift) * _tint(image, random)
    source = image if random.random() < 0.5 else other
    y, x = random.integers(source.shape[1]), random.integers(source.shape[2])
    return np.broadcast_to(source[:, y : y + 1, x : x + 1], image.shape)


def _tint(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(channel, 1, 1): factor of a change of brightness for each colour."""
    if len(image) == 1 or random.random() < 0.5:
        return np.ones((len(image), 1, 1), np.float32)
    return random.uniform(-1, 1, (len(image), 1, 1)).astype(np.float32)


def _sides(size: tuple[int, ...], random: np.random.Generator) -> tuple[int, int]:
    """Height and width of a defect [px], each uniform on a logarithmic scale."""
    least, most = np.log(max(2.0, min(size) / 48)), np.log(max(3.0, min(size) / 3))
    height, width = np.exp(random.uniform(least, most, 2)).round().astype(int)
    return int(height), int(width)


def _box(size: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    height, width = _sides(size, random)
    top, left = random.integers(0, size[0] - height + 1), random.integers(0, size[1] - width + 1)
    mask = np.zeros(size, dtype=bool)
    mask[top : top + height, left : left + width] = True
    return mask


def _blob(size: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """An irregular spot: smooth noise plus an ellipse, above a random threshold."""
    height, width = _sides(size, random)
    y, x = random.uniform(0, size[0]), random.uniform(0, size[1])
    top, left = max(0, int(y - height)), max(0, int(x - width))
    bottom, right = min(size[0], int(y + height) + 1), min(size[1], int(x + width) + 1)
    noise = gaussian_filter(random.normal(size=(bottom - top, right - left)), random.choice([2.0, 4.0, 8.0]))
    noise = (noise - noise.mean()) / (noise.std() + 1e-9)
    rows, columns = np.mgrid[top:bottom, left:right]
    radius = np.hypot((rows - y) / (height / 2), (columns - x) / (width / 2))
    mask = np.zeros(size, dtype=bool)
    mask[top:bottom, left:right] = 0.5 * noise + 1 - 1.3 * radius > random.uniform(0, 0.5)
    return mask


def _curve(size: tuple[int, ...], random: np.random.Generator, bend: float) -> np.ndarray:
    """A line of 1 to 5 px (of an image of 192), straight or with a random turn every half pixel."""
    side, scale = min(size), min(size) / 192
    length = np.exp(random.uniform(np.log(12 * scale), np.log(side / 2)))
    steps = max(4, int(2 * length))
    heading = random.uniform(0, 2 * np.pi) + np.cumsum(random.normal(0, bend, steps))
    y = random.uniform(0, size[0]) + np.cumsum(np.sin(heading)) / 2
    x = random.uniform(0, size[1]) + np.cumsum(np.cos(heading)) / 2
    reach = max(0.5, random.uniform(1, 5) * scale / 2)
    mask = np.zeros(size, dtype=bool)
    span = np.arange(-int(np.ceil(reach)), int(np.ceil(reach)) + 1)
    for down in span:
        for across in span:
            if np.hypot(down, across) <= reach:
                rows, columns = np.round(y + down).astype(int), np.round(x + across).astype(int)
                inside = (rows >= 0) & (rows < size[0]) & (columns >= 0) & (columns < size[1])
                mask[rows[inside], columns[inside]] = True
    return mask
