"""Project embeddings to a plane: UMAP for neighbourhoods, principal components as a check.

A position on the map is no evidence. UMAP places outliers among the other points when they are added after the fit: in
a trial all of 30 distant rows were placed inside the main cluster. So important items (`keep`) are always part of the
fit, the trustworthiness of the map is measured and returned, and points with a misleading position are marked.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ad_core.errors import DataError
from ad_core.progress import Report, Silent
from ad_core.projection.planes import NEIGHBOURS, Placement, Plane

FITTED = 5_000
"""Maximum number of items that UMAP is fitted to; twice as many take twice the time for the same map."""

JUDGED = 1_000
"""Maximum number of items for trustworthiness, whose cost grows with their square."""

BATCH = 8_192
"""Number of items that are placed at a time, so that memory does not grow with their number."""

Embed = Callable[[np.ndarray], np.ndarray]
"""(b,) positions -> (b, d) embeddings."""


@dataclass(frozen=True)
class EmbeddingMap:
    """The position of each item on the plane."""

    coordinates: pd.DataFrame
    """(n,) `x`, `y` (UMAP, or principal components where `facts["method"]` says so), `pca_x`, `pca_y`; NaN for items
    without an embedding. `fitted` (bool) is False for items placed between their nearest fitted neighbours. `kept` and
    `far_inside` (see `trust`) assess x and y, `pca_kept` and `pca_far_inside` the principal components."""
    facts: dict[str, Any]
    """`method` ("umap" or "pca"), `trust` (0..1 or None), `fitted` and `placed` (counts), `notice` (text or "")."""


def project(
    embeddings: np.ndarray,
    keep: np.ndarray | None = None,
    seed: int = 0,
    max_fit: int = FITTED,
    report: Report | None = None,
    normals: np.ndarray | None = None,
) -> EmbeddingMap:
    """`project_items` of (n, d) embeddings in memory."""
    z = np.asarray(embeddings, dtype=np.float32).reshape(len(embeddings), -1)
    return project_items(
        lambda index: z[index], len(z), _kept_first(len(z), keep, max_fit, seed), seed, report, normals
    )


def project_items(
    embed: Embed, n: int, fitted: np.ndarray, seed: int, report: Report | None, normals: np.ndarray | None
) -> EmbeddingMap:
    """Project items to a plane. The same embeddings and seed give the same map on the same machine.

    Args:
        embed: called for the items to fit on, then for the others in batches; items whose embedding is not finite get
            no position.
        n: number of items.
        fitted: ascending positions of the items to fit on; the others are placed by their neighbours among them.
        normals: (m, d) embeddings of training items, which define what lies far outside; None = nothing is marked.

    Raises:
        DataError: none of the items to fit on has an embedding.
    """
    report = report or Silent()
    z = _flat(embed(fitted))
    known = np.isfinite(z).all(axis=1)
    if not known.any():
        raise DataError(f"None of {len(z)} items has an embedding of finite numbers, so there is no map.")
    plane = Plane(z[known], seed, report, normals)
    placement = Placement.empty(n)
    placement.put(fitted[known], plane.of_fitted())
    rest = np.setdiff1d(np.arange(n), fitted, assume_unique=True)
    for begin in range(0, len(rest), BATCH):
        report.check()
        index = rest[begin : begin + BATCH]
        some = _flat(embed(index))
        finite = np.isfinite(some).all(axis=1)
        placement.put(index[finite], plane.of_others(some[finite]))
        report.step(0.6 + 0.3 * min(1.0, (begin + BATCH) / len(rest)))
    placed = np.isfinite(placement.places[:, 0])
    trust = _trust(embed, placement.places[:, :2], np.flatnonzero(placed), seed)
    notices = [plane.why_no_umap] if plane.why_no_umap else []
    if not placed.all():
        notices.append(f"{n - placed.sum()} of {n} items have no finite embedding and are not on the map.")
    report.step(1.0)
    fits = int(known.sum())
    facts = {"fitted": fits, "placed": int(placed.sum()) - fits, "notice": " ".join(notices)}
    coordinates = placement.table(np.isin(np.arange(n), fitted[known]))
    return EmbeddingMap(coordinates, {"method": "pca" if plane.why_no_umap else "umap", "trust": trust, **facts})


def fit_sample(n: int, keep: np.ndarray, max_fit: int = FITTED, seed: int = 0) -> np.ndarray:
    """Ascending positions to fit on: those to keep, and a random sample of the others, max_fit in all.

    Args:
        keep: positions, most important first.
    """
    if n <= max_fit:
        return np.arange(n)
    keep = keep[:max_fit]
    others = np.random.default_rng(seed).permutation(np.setdiff1d(np.arange(n), keep))
    return np.sort(np.concatenate([keep, others[: max_fit - len(keep)]]))


def _kept_first(n: int, keep: np.ndarray | None, max_fit: int, seed: int) -> np.ndarray:
    return fit_sample(n, np.zeros(0, dtype=np.int64) if keep is None else np.asarray(keep), max_fit, seed)


def _flat(z: np.ndarray) -> np.ndarray:
    return np.asarray(z, dtype=np.float32).reshape(len(z), -1)


def _trust(embed: Embed, places: np.ndarray, placed: np.ndarray, seed: int) -> float | None:
    """Trustworthiness of the map, 0..1 (Venna & Kaski 2001); None with fewer than four items."""
    from sklearn.manifold import trustworthiness

    if len(placed) < 4:
        return None
    some = np.sort(np.random.default_rng(seed).permutation(placed)[:JUDGED])
    nearby = min(NEIGHBOURS, (len(some) - 1) // 2)
    return float(trustworthiness(_flat(embed(some)), places[some], n_neighbors=nearby))
