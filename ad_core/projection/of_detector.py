"""The map of a detector's items: embeddings in two dimensions with scores and percentiles."""

from typing import Any

import numpy as np
import pandas as pd

from ad_core.data.item_set import ItemSet
from ad_core.detector.detector import Detector
from ad_core.progress import Report
from ad_core.training.fit import embed_items, per_item


def embedding_map(
    detector: Detector, item_set: ItemSet, item_scores: np.ndarray, most: int, report: Report
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Coordinates of the items in two dimensions, and how trustworthy they are.

    Returns:
        `row_id, score, percentile`, and the coordinates and facts of `project.EmbeddingMap`.
    """
    from ad_core.projection import project

    item_scores = per_item(item_scores)
    index = _highest_pieces(item_set, item_scores) if item_set.tiled else np.arange(len(item_set))
    if len(index) > most:
        highest = index[np.argsort(item_scores[index])[-most // 10 :]]
        rest = np.random.default_rng(0).permutation(np.setdiff1d(index, highest))[: most - len(highest)]
        index = np.sort(np.concatenate([highest, rest]))
    keep = np.argsort(item_scores[index])[-200:][::-1]

    def embed(positions: np.ndarray) -> np.ndarray:
        return embed_items(detector.model, item_set, index[positions], device=detector.device)

    fitted, normals = project.fit_sample(len(index), keep), detector.normals.embeddings.numpy()
    placed = project.project_items(embed, len(index), fitted, 0, report, normals)
    coordinates, facts = placed.coordinates, placed.facts
    coordinates.insert(0, "row_id", item_set.row_ids(index))
    coordinates["score"] = item_scores[index]
    coordinates["percentile"] = detector.calibration.percentile(item_scores[index])
    return coordinates, {
        **facts,
        "shown": len(index),
        "items": int(item_set.rows["sample"].nunique()) if item_set.tiled else len(item_set),
    }


def _highest_pieces(item_set: ItemSet, item_scores: np.ndarray) -> np.ndarray:
    """The highest tile of each image, as a point of the map is an image."""
    scores = pd.Series(item_scores).groupby(item_set.items["start"].to_numpy())
    return np.sort(scores.idxmax().to_numpy())
