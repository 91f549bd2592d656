"""Images with their anomaly map as an overlay, on one colour scale, and a frame around the most anomalous region."""

import numpy as np

from ad_core.explain.heat_scale import HeatScale


def overlay(image: np.ndarray, heat: np.ndarray, opacity: float, scale: HeatScale | None = None) -> np.ndarray:
    """An image with its anomaly map as an overlay.

    Args:
        image: (height, width) or (height, width, 3) uint8.
        heat: (height, width), higher = more anomalous.
        opacity: 0..1 of the hottest colour.
        scale: the run's. Values that calibration images hardly exceed stay transparent; above, colour grows. None =
            from the map's own median to its own maximum, for runs without a scale.

    Returns:
        (height, width, 3) uint8.
    """
    base = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image[..., :3]
    if scale is None:
        low = float(np.median(heat))
        level = np.clip((heat - low) / max(float(heat.max()) - low, 1e-12), 0, 1)[..., None]
        alpha = opacity * np.sqrt(level)
    else:
        level = np.clip((heat - scale.high) / max(scale.full - scale.high, 1e-12), 0, 1)[..., None]
        alpha = opacity * np.where(level > 0, np.sqrt(level), 0)
    colour = _between(level, np.array([249.0, 200.0, 70.0]), np.array([205.0, 60.0, 20.0]))
    return np.clip(base * (1 - alpha) + colour * alpha, 0, 255).astype(np.uint8)


def outlined(image: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """An image with a frame around a region; light inside dark, so that it is visible on any background.

    Args:
        image: (height, width, 3) uint8.
        box: `y0, x0, y1, x1` [px], the last two outside.
    """
    height, width = image.shape[:2]
    line = max(1, round(max(height, width) / 240))
    shown, (y0, x0, y1, x1) = image.copy(), box
    for grown, tint in ((2 * line, 25), (line, 255)):
        ring = np.zeros((height, width), dtype=bool)
        top, left = max(0, y0 - grown), max(0, x0 - grown)
        ring[top : min(height, y1 + grown), left : min(width, x1 + grown)] = True
        inner = grown - line
        ring[max(0, y0 - inner) : min(height, y1 + inner), max(0, x0 - inner) : min(width, x1 + inner)] = False
        shown[ring] = tint
    return shown


def top_box(heat: np.ndarray, scale: HeatScale | None = None) -> tuple[int, int, int, int] | None:
    """`y0, x0, y1, x1` [px] of the connected region around the maximum, above half of its height and above the scale.

    Args:
        heat: (height, width).

    Returns:
        None where nothing stands out: the map is constant, or within the range of calibration images.
    """
    from scipy import ndimage

    low = float(np.median(heat)) if scale is None else scale.low
    peak = float(heat.max())
    if not peak > (low if scale is None else scale.high):
        return None
    level = max(low + (peak - low) / 2, low if scale is None else scale.high)
    labels, _ = ndimage.label(heat >= level)
    y, x = ndimage.find_objects(labels)[int(labels.flat[int(heat.argmax())]) - 1]
    return int(y.start), int(x.start), int(y.stop), int(x.stop)


def _between(level: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return np.asarray(low + (high - low) * level)
