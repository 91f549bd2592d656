"""Scores as a live system has them: at each time stamp the newest window that has ended, nothing later."""

import numpy as np

from ad_core.data.item_set import ItemSet


def without_look_ahead(item_set: ItemSet, item_scores: np.ndarray) -> np.ndarray:
    """(rows,) score of each row by the last window of its stretch that ends no later than it; NaN before the first.

    Args:
        item_scores: (n,), or (n, span): then the window's last sample counts.
    """
    last = item_scores[:, -1] if item_scores.ndim == 2 else item_scores
    start = item_set.items["start"].to_numpy()
    order = np.argsort(start, kind="stable")
    end = start[order] + item_set.span - 1
    sample = item_set.rows["sample"].to_numpy()
    newest = np.searchsorted(end, sample, side="right") - 1
    # windows never cross a gap, so one that ended long ago belongs to an earlier stretch
    fresh = (sample >= 0) & (newest >= 0)
    fresh[fresh] = sample[fresh] - end[newest[fresh]] < item_set.span
    return np.where(fresh, last[order][np.maximum(newest, 0)], np.nan)
