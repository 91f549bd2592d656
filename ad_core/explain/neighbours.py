"""The nearest normal items of an item, by embedding."""

from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from ad_core.data.item_set import ItemSet
from ad_core.detector.detector import Detector
from ad_core.training.fit import embed_items

ROUNDING = 1e-5
"""Tolerance in the comparison of values in single precision."""

NEIGHBOURS = 5
"""Number of nearest normal items that are shown with a case."""


def nearest(
    detector: Detector, item_set: ItemSet, index: np.ndarray, k: int = NEIGHBOURS
) -> tuple[np.ndarray, np.ndarray]:
    """(n, k) positions of the nearest normals by embedding, and their distances.

    Those that share samples with the item come last, as they contain the same anomaly. A normal item is one of these
    data if it has the id and the values of one of their items.
    """
    embeddings = embed_items(detector.model, item_set, index, device=detector.device)
    normals = detector.normals
    near, distance = nearest_normals(embeddings, normals.embeddings.numpy(), len(normals.row_ids))
    at = _positions(detector, item_set)
    middle = item_set.items["start"].to_numpy()[index] + item_set.span // 2
    shares = np.abs(at[near] - middle[:, None]) < item_set.span
    order = np.argsort(shares, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(near, order, 1), np.take_along_axis(distance, order, 1)


def _positions(detector: Detector, item_set: ItemSet) -> np.ndarray:
    """(m,) sample in the middle of each normal item, -span for those that are not among these items."""
    normals, span = detector.normals, item_set.span
    sample = pd.Series(item_set.rows["sample"].to_numpy(), index=item_set.rows["row_id"].to_numpy())
    at = np.asarray(sample.reindex(normals.row_ids).fillna(-span), dtype=np.int64)
    if item_set.tiled:  # each image has several items, so its id says which
        return at
    start = at - span // 2
    there = (start >= 0) & (start < len(item_set.x))
    named = replace(item_set, items=pd.DataFrame({"start": start[there]}), fill_in=None).take(slice(None))
    same = there.copy()
    own = normals.x[torch.from_numpy(there)]
    same[there] = torch.isclose(named, own, rtol=ROUNDING, atol=ROUNDING).flatten(1).all(1).numpy()
    return np.where(same, at, -span)


def nearest_normals(
    embeddings_x: np.ndarray, embeddings_normals: np.ndarray, k: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """The normal items that are nearest by Euclidean distance.

    Args:
        embeddings_x: (n, d); embeddings, or flat items of a model without embedding.
        embeddings_normals: (m, d).

    Returns:
        (n, min(k, m)) positions among the normals, nearest first (the earlier one among equals), and their distances.
    """
    some, normals = np.asarray(embeddings_x, dtype=np.float64), np.asarray(embeddings_normals, dtype=np.float64)
    k = min(k, len(normals))
    index, distance = np.empty((len(some), k), dtype=np.int64), np.empty((len(some), k))
    for begin in range(
        0, len(some), 64
    ):  # blocks of rows: exact differences, since |a|²+|b|²-2ab loses near neighbours
        rows = slice(begin, begin + 64)
        apart = np.stack([np.sqrt(((normals - row) ** 2).sum(1)) for row in some[rows]])
        index[rows] = np.argsort(apart, axis=1, kind="stable")[:, :k]
        distance[rows] = np.take_along_axis(apart, index[rows], 1)
    return index, distance
