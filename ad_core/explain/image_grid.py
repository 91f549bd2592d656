"""Nine fields of an image, so that positions in images can be counted like columns."""

import numpy as np
import pandas as pd

FIELDS = (
    "upper left",
    "top",
    "upper right",
    "left",
    "middle",
    "right",
    "lower left",
    "bottom",
    "lower right",
)
"""Row by row, from the upper left."""


def by_field(boxes: pd.DataFrame) -> pd.DataFrame:
    """The attribution in each field.

    A box across several fields is split by area.

    Args:
        boxes: `row_id`, `y0`, `x0`, `y1`, `x1` [px], `attribution`, as `attribution_regions.boxes` returns them; the
            boxes of an image cover it.

    Returns:
        (image, FIELDS) sums of attributions, images in order of their first box.
    """
    sides = {
        axis: _shares(boxes[f"{axis}0"], boxes[f"{axis}1"], boxes.groupby("row_id")[f"{axis}1"].transform("max"))
        for axis in ("y", "x")
    }
    parts = sides["y"][:, :, None] * sides["x"][:, None, :] * boxes["attribution"].to_numpy(np.float64)[:, None, None]
    table = pd.DataFrame(parts.reshape(len(boxes), len(FIELDS)), columns=list(FIELDS), index=boxes["row_id"])
    return table.groupby(level=0, sort=False).sum()


def _shares(low: pd.Series, high: pd.Series, side: pd.Series) -> np.ndarray:
    """(box, 3) share of each box's length in each third of the side."""
    begin, end, whole = (values.to_numpy(dtype=np.float64)[:, None] for values in (low, high, side))
    edges = whole * np.array([[0.0, 1.0, 2.0, 3.0]]) / 3
    inside = np.minimum(end, edges[:, 1:]) - np.maximum(begin, edges[:, :-1])
    return np.asarray(np.maximum(inside, 0) / np.maximum(end - begin, 1e-12))
