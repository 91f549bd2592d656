"""The nearest normal items of an item, by embedding."""

import numpy as np
import pandas as pd

from ad_core.data.item_set import ItemSet
from ad_core.detector.detector import Detector
from ad_core.explain import attribution
from ad_core.training.fit import embed_items

NEIGHBOURS = 5
"""Number of nearest normal items that are shown with a case."""


def nearest(
    detector: Detector, item_set: ItemSet, index: np.ndarray, k: int = NEIGHBOURS
) -> tuple[np.ndarray, np.ndarray]:
    """(n, k) positions of the nearest normals by embedding, and their distances.

    Those that share samples with the item come last, as they contain the same anomaly.
    """
    embeddings = embed_items(detector.model, item_set, index, device=detector.device)
    normals = detector.normals
    near, distance = attribution.nearest_normals(embeddings, normals.embeddings.numpy(), len(normals.row_ids))
    sample = pd.Series(item_set.rows["sample"].to_numpy(), index=item_set.rows["row_id"].to_numpy())
    at = (
        sample.reindex(normals.row_ids).fillna(-item_set.span).to_numpy()
    )  # (m,) position of the normal item in these data
    middle = item_set.items["start"].to_numpy()[index] + item_set.span // 2
    shares = np.abs(at[near] - middle[:, None]) < item_set.span
    order = np.argsort(shares, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(near, order, 1), np.take_along_axis(distance, order, 1)
