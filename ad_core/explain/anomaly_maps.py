"""Anomaly maps of images: where the score comes from, and the colour scale that all maps of a detector share."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch

from ad_core.data.dataset import Dataset
from ad_core.data.item_set import ItemSet
from ad_core.detector.detector import Detector
from ad_core.errors import DataError
from ad_core.explain import attribution
from ad_core.explain.attribution import STEPS
from ad_core.explain.describe import row_of_item, whole_maps
from ad_core.explain.heat_scale import HeatScale
from ad_core.explain.neighbours import nearest
from ad_core.progress import Report
from ad_core.types import Modality

MAPPED = 64
"""Maximum number of calibration images that fix the colour scale of anomaly maps."""


def anomaly_maps(detector: Detector, dataset: Dataset, report: Report) -> Iterator[tuple[str, np.ndarray]]:
    """For each readable image its row_id and a float32 (height, width) map of its own size.

    Raises:
        DataError: the detector is not for images.
    """
    if detector.modality is not Modality.IMAGE:
        raise DataError(f"Anomaly maps exist for images only; these are {detector.modality} data. Leave --maps out.")
    item_set = detector.item_set(dataset)
    rows = np.flatnonzero(item_set.rows["sample"].to_numpy() >= 0)
    for begin in range(0, len(rows), 16):
        report.check()
        report.step(begin / len(rows))
        some = rows[begin : begin + 16]
        yield from zip(
            item_set.rows["row_id"].iloc[some],
            whole_maps(item_set, some, partial(grids, detector, item_set)),
            strict=True,
        )


def heat_scale(detector: Detector, item_set: ItemSet, report: Report) -> HeatScale | None:
    """Colour scale of this detector's anomaly maps, from some of its calibration images; None where there are no maps.

    Args:
        item_set: the images that it was trained and calibrated on.
    """
    if detector.modality is not Modality.IMAGE or detector.calibration_rows is None:
        return None
    calibrates = item_set.rows["row_id"].isin(detector.calibration_rows["row_id"]).to_numpy()
    items = np.flatnonzero(calibrates[row_of_item(item_set)])
    with torch.no_grad():
        own = len(items) and detector.model.part_scores(item_set.take(items[:1]).to(detector.device)) is not None
    most = MAPPED if own else MAPPED // 4  # otherwise a map costs several passes with gradients
    items = items[np.unique(np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int))]
    maps: list[np.ndarray] = []
    for begin in range(0, len(items), 4):
        report.check()
        maps += list(grids(detector, item_set, items[begin : begin + 4]))
    return HeatScale.of(maps)


def grids(detector: Detector, item_set: ItemSet, index: np.ndarray) -> np.ndarray:
    """(k, y, x) anomaly maps: the model's own, else the attribution of the score against the nearest normal image."""
    return np.concatenate([_grids(detector, item_set, index[at : at + 16]) for at in range(0, len(index), 16)])


def _grids(detector: Detector, item_set: ItemSet, index: np.ndarray) -> np.ndarray:
    x = item_set.take(index).to(detector.device)
    with torch.no_grad():
        own = detector.model.part_scores(x)
    if own is not None:
        return np.asarray(own.float().cpu())
    near, _ = nearest(detector, item_set, index)
    baseline = attribution.baseline_from(detector.normals.x, near).to(detector.device)
    method = attribution.methods_for(detector.model)[0]
    found = attribution.explain(detector.model, item_set.shape, x, baseline, method, STEPS[detector.modality])
    return attribution.heat(found.values)
