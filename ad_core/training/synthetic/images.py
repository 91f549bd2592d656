"""Synthetic anomalies of images: the defects of `augmentations.drawn_defects`, sorted by what they look like, and
missing parts.
"""

import numpy as np

from ad_core.methods.augmentations.drawn_defects import with_defects
from ad_core.training.synthetic.anomaly import Make, SyntheticAnomaly, TrainingItems

PART = (0.15, 0.4)
"""Sides of a missing part, as shares of the image's sides."""


def _drawn(*kinds: str) -> Make:
    """One to three defects of these kinds."""

    def make(x: np.ndarray, stock: TrainingItems, random: np.random.Generator) -> np.ndarray | None:
        return with_defects(x, stock.one(random), random, kinds)[0]

    return make


def _missing_part(x: np.ndarray, stock: TrainingItems, random: np.random.Generator) -> np.ndarray | None:  # noqa: ARG001
    """A rectangle is filled with the median colour of the image's border."""
    height, width = (max(1, round(random.uniform(*PART) * side)) for side in x.shape[1:])
    top, left = random.integers(x.shape[1] - height + 1), random.integers(x.shape[2] - width + 1)
    border = np.concatenate([x[:, 0], x[:, -1], x[:, :, 0], x[:, :, -1]], axis=1)
    x[:, top : top + height, left : left + width] = np.median(border, axis=1)[:, None, None]
    return x


SYNTHETIC_ANOMALIES = (
    SyntheticAnomaly(
        "pasted",
        "A piece from elsewhere",
        "Rectangles, spots or scars show a piece of the same or of another image.",
        _drawn("rectangle", "pasted blob", "scar"),
    ),
    SyntheticAnomaly(
        "scratch", "Scratches", "Thin winding lines, lighter, darker or of another tone.", _drawn("scratch")
    ),
    SyntheticAnomaly(
        "wiped", "Blurred or empty", "Spots are blurred, or filled with black, white or one tone.", _drawn("wiped")
    ),
    SyntheticAnomaly("stain", "Stains", "Spots are lighter, darker or of another colour.", _drawn("stain")),
    SyntheticAnomaly("rough", "Rough spots", "Spots are noisy or grainy.", _drawn("rough")),
    SyntheticAnomaly(
        "missing_part",
        "A missing part",
        "A rectangle of a sixth to two fifths of each side shows the tone of the image's border, as if a part were "
        "gone.",
        _missing_part,
    ),
)
"""The kinds of synthetic anomalies of images."""
