"""Embeddings on a plane: UMAP for who is near whom, principal components as the check on it.

A place on the map is no evidence. UMAP puts what lies far outside among the rest when it is added afterwards: in a
trial all of 30 far-off rows landed inside the crowd. So items that matter (`keep`) are always part of the fit, how well
the plane keeps neighbourhoods is measured and returned, and points whose place misleads are marked.
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
"""UMAP lays out so many items; twice as many take twice the time, and the picture is the same."""

JUDGED = 1_000
"""The trust is measured on so many items: its cost grows with their square."""

BATCH = 8_192
"""So many items are placed at a time; memory does not grow with their number."""

Embed = Callable[[np.ndarray], np.ndarray]
"""(b,) positions -> (b, d) embeddings."""


@dataclass(frozen=True)
class EmbeddingMap:
    """Where each item lies on the plane."""

    coordinates: pd.DataFrame
    """(n,) `x`, `y` (UMAP, or principal components where `facts["method"]` says so), `pca_x`, `pca_y`; NaN for items
    without an embedding. `fitted` (bool) is False for those placed between their nearest fitted neighbours. `kept` and
    `far_inside` (see `map_trust`) judge x and y, `pca_kept` and `pca_far_inside` the principal components."""
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
    """`project_items` of (n, d) embeddings that are at hand."""
    z = np.asarray(embeddings, dtype=np.float32).reshape(len(embeddings), -1)
    return project_items(
        lambda index: z[index], len(z), _kept_first(len(z), keep, max_fit, seed), seed, report, normals
    )


def project_items(
    embed: Embed, n: int, fitted: np.ndarray, seed: int, report: Report | None, normals: np.ndarray | None
) -> EmbeddingMap:
    """Lay items out on a plane. The same embeddings and seed give the same map on the same machine.

    Args:
        embed: asked for the items to fit on, then for the others, batch by batch; items whose embedding is not finite
            get no place.
        n: how many items there are.
        fitted: ascending positions of the items to fit on; the others are placed by their neighbours among them.
        normals: (m, d) embeddings of training items, which say what lies far outside; None = nothing is marked.

    Raises:
        DataError: none of the items to fit on has an embedding.
    """
    report = report or Silent()
    z = _flat(embed(fitted))
    known = np.isfinite(z).all(axis=1)
    if not known.any():
        raise DataError(f"None of {len(z)} items has an embedding of finite numbers, so there is no map.")
    plane = Plane(z[known], seed, report, normals)
    found = Placement.empty(n)
    found.put(fitted[known], plane.of_fitted())
    rest = np.setdiff1d(np.arange(n), fitted, assume_unique=True)
    for begin in range(0, len(rest), BATCH):
        report.check()
        index = rest[begin : begin + BATCH]
        some = _flat(embed(index))
        finite = np.isfinite(some).all(axis=1)
        found.put(index[finite], plane.of_others(some[finite]))
        report.step(0.6 + 0.3 * min(1.0, (begin + BATCH) / len(rest)))
    placed = np.isfinite(found.places[:, 0])
    trust = _trust(embed, found.places[:, :2], np.flatnonzero(placed), seed)
    notices = [plane.why_no_umap] if plane.why_no_umap else []
    if not placed.all():
        notices.append(f"{n - placed.sum()} of {n} items have no finite embedding and are not on the map.")
    report.step(1.0)
    fits = int(known.sum())
    facts = {"fitted": fits, "placed": int(placed.sum()) - fits, "notice": " ".join(notices)}
    coordinates = found.table(np.isin(np.arange(n), fitted[known]))
    return EmbeddingMap(coordinates, {"method": "pca" if plane.why_no_umap else "umap", "trust": trust, **facts})


def fit_sample(n: int, keep: np.ndarray, max_fit: int = FITTED, seed: int = 0) -> np.ndarray:
    """Ascending positions to fit on: those to keep, and others by chance up to max_fit.

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
    """How far near neighbours on the plane are near in truth, 0..1 (Venna & Kaski 2001); None under four items."""
    from sklearn.manifold import trustworthiness

    if len(placed) < 4:
        return None
    some = np.sort(np.random.default_rng(seed).permutation(placed)[:JUDGED])
    nearby = min(NEIGHBOURS, (len(some) - 1) // 2)
    return float(trustworthiness(_flat(embed(some)), places[some], n_neighbors=nearby))
