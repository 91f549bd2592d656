"""What a benchmark of images measures beside the scores of whole images: how well maps cover the marked defects."""

from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch

from ad_core.data.dataset import Dataset
from ad_core.data.item_set import ItemSet
from ad_core.evaluation.mask_metrics import mask_metrics
from ad_core.methods.base_detectors.image_blend import ImageBlend
from ad_core.methods.reference import REFERENCES, ReferenceModel, fitting_rows
from ad_core.pipeline import Trained, _prepared, reference_scores
from ad_core.progress import Silent
from ad_core.types import Modality

SIZE: dict[str, dict[str, Any]] = {"reader": {"size": 0}}
"""References see images as large as the default method does."""

PATCHES = ("patch_nearest_neighbours", "patch_gaussian")
WHOLE = ("isolation_forest", "nearest_neighbours", "principal_components")

Found = dict[str, tuple[np.ndarray, np.ndarray | None]]
"""Method -> (rows,) scores, and (judged rows, y, x) maps where it has any."""


def of_references(dataset: Dataset, judged: np.ndarray, seed: int) -> tuple[Found, dict[str, float]]:
    """Classical detectors; those on patches by their worst places, as usual, and by the mean of their map."""
    table, seconds = reference_scores(dataset, seed, Silent(), WHOLE, SIZE)
    found: Found = {name: (table[name].to_numpy(dtype=float), None) for name in WHOLE}
    _, frame, _, split, _ = _prepared(dataset, SIZE, seed, (1.0, 0.0, 0.0))
    began = perf_counter()
    rows = fitting_rows(REFERENCES.get(PATCHES[0]), frame, split.fit, seed)
    models = {
        name: ReferenceModel(REFERENCES.get(name)(REFERENCES.get(name).Settings(), seed), Modality.IMAGE, rows)
        for name in PATCHES
    }

    def seen(x: torch.Tensor) -> dict[str, np.ndarray]:
        vectors = models[PATCHES[0]].reference.vectors(x, Modality.IMAGE)
        maps = {name: model.reference.part_scores(vectors) for name, model in models.items()}
        scores = {name: model.reference.score(vectors) for name, model in models.items()}
        return {**scores, **{f"{name} map": found for name, found in maps.items()}}

    parts = _in_batches(frame, np.flatnonzero(judged), seen)
    for name in PATCHES:
        maps = parts[f"{name} map"].astype(np.float32)
        found[name] = _of_rows(parts[name], judged), maps
        found[f"{name}, mean"] = _of_rows(maps.mean(axis=(1, 2)), judged), None
        seconds[name] = seconds[f"{name}, mean"] = perf_counter() - began
    return found, seconds


def of_trained(name: str, trained: Trained, judged: np.ndarray) -> Found:
    """A method's scores and maps; of the default also what it says where it is told to look for damage."""
    model, scores = trained.detector.model, trained.scores["score"].to_numpy(dtype=float)

    def seen(x: torch.Tensor) -> dict[str, np.ndarray]:
        maps = model.part_scores(x)
        found = {} if maps is None or maps.ndim != 3 else {"map": maps}
        if isinstance(model, ImageBlend) and model.question == "unsure" and model.origin == "imagenet":
            found["defect"] = model.by_view(model.features(x))["defect"]
        return {key: value.numpy().astype(np.float32) for key, value in found.items()}

    parts = _in_batches(trained.item_set, np.flatnonzero(judged), seen)
    maps = parts.pop("map", None)
    views = {f"{name}, {view}": (_of_rows(values, judged), None) for view, values in parts.items()}
    return {name: (scores, maps), **views}


def pixel_figures(dataset: Dataset, judged: np.ndarray, maps: np.ndarray, folder: Path) -> dict[str, float]:
    """Pixel AUROC and AUPRO (to 0.3), at one size; none where the set has no masks.

    Args:
        maps: (judged rows, y, x).
    """
    if not (folder / "ground_truth").exists():
        return {}
    names = dataset.rows["row_id"].to_numpy()[judged]
    labels = dict(zip(dataset.rows["row_id"], dataset.rows["label"], strict=True))
    found = mask_metrics(zip(names, maps, strict=True), folder / "ground_truth", labels).facts()
    return {name: found[name] for name in ("pixel_auroc", "aupro")}


def _in_batches(
    item_set: ItemSet, rows: np.ndarray, compute: Callable[[torch.Tensor], dict[str, Any]]
) -> dict[str, np.ndarray]:
    """(rows, ...) of everything that is computed, for rows all of which are items."""
    item = np.full(len(item_set.rows), -1)
    item[item_set.row_of_sample()[item_set.items["start"].to_numpy()]] = np.arange(len(item_set))

    def parts() -> Iterator[dict[str, np.ndarray]]:
        for batch in item_set.batches(item[rows], 16):
            with torch.no_grad():
                yield compute(batch.x)

    every = list(parts())
    return {key: np.concatenate([part[key] for part in every]) for key in every[0]}


def _of_rows(values: np.ndarray, judged: np.ndarray) -> np.ndarray:
    found = np.full(len(judged), np.nan)
    found[judged] = values
    return found
