"""Explain rows: find the item of each row, and attribute its score to its parts."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch

from ad_core.data.dataset import Dataset
from ad_core.data.item_set import ItemSet
from ad_core.detector.detector import Detector
from ad_core.detector.events import find_events
from ad_core.detector.kept_scores import positions_of
from ad_core.errors import DataError
from ad_core.explain import attribution
from ad_core.explain.anomaly_maps import grids
from ad_core.explain.attribution import STEPS, How
from ad_core.explain.describe import Attributed, Explained, parts_of
from ad_core.explain.faithfulness import check
from ad_core.explain.neighbours import nearest
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.progress import Report
from ad_core.training.fit import per_item, score_items
from ad_core.types import Modality

TOGETHER = {Modality.TABLE: 128, Modality.IMAGE: 4, Modality.SENSOR: 8}
"""Maximum number of items that are explained together; a job can be stopped in between."""

PART_COLUMNS = [
    "row_id",
    "part",
    "value",
    "expected",
    "expected_low",
    "expected_high",
    "attribution",
    "method",
    "delta",
]


def explain_top(detector: Detector, dataset: Dataset, top: int, how: How, report: Report) -> Explained:
    """Explain the highest scores; in recordings the windows at the peaks of the highest events.

    Raises:
        DataError: events are needed, and the rule in force has a segment that is not known of these rows.
    """
    item_set = detector.item_set(dataset)
    item_scores = detector.item_scores(item_set, report)
    scores = detector.scored_rows(item_set, item_scores)
    events = None
    if detector.modality is Modality.SENSOR:
        events = find_events(detector, scores, item_set, detector.alerts(scores, dataset), led=0)
    row_ids = highest_rows(scores, events, top)
    chosen = items_of_rows(item_set, row_ids, per_item(item_scores))
    return explain_items(detector, dataset, item_set, chosen, row_ids, how, report)


def highest_rows(scores: pd.DataFrame, events: pd.DataFrame | None, top: int) -> list[str]:
    """Row ids of the highest scores; of recordings those of the peaks of the highest events, and where there is no
    event that of the highest score.

    Args:
        scores: `row_id` and `score`.
        events: as `find_events` gives them; None for data that are no recordings.
        top: maximum number of rows.
    """
    scored = scores.dropna(subset="score")
    if events is None:
        return list(scored.nlargest(top, "score")["row_id"])
    return list(events["row_id_peak"].head(top)) or list(scored.nlargest(1, "score")["row_id"])


def explain_rows(detector: Detector, dataset: Dataset, row_ids: Sequence[str], how: How, report: Report) -> Explained:
    """Explain the items that stand for these rows.

    Raises:
        DataError: a row does not exist or has no item.
        ExplanationError: the method does not work for this model.
    """
    item_set = detector.item_set(dataset)
    item_scores = _scores_of_pieces(detector, item_set, row_ids) if item_set.tiled else None
    chosen = items_of_rows(item_set, row_ids, item_scores)
    return explain_items(detector, dataset, item_set, chosen, row_ids, how, report)


def _scores_of_pieces(detector: Detector, item_set: ItemSet, row_ids: Sequence[str]) -> np.ndarray:
    """(n,) scores of the tiles of these rows; minus infinity for all others."""
    rows = np.flatnonzero(item_set.rows["row_id"].isin(list(row_ids)) & (item_set.rows["sample"] >= 0))
    index = np.concatenate([item_set.pieces(int(row))[0] for row in rows] or [np.empty(0, dtype=np.int64)])
    scores = np.full(len(item_set), -np.inf)
    if len(index):
        scores[index] = per_item(score_items(detector.model, item_set, index, device=detector.device))
    return scores


def explain_items(
    detector: Detector,
    dataset: Dataset,
    item_set: ItemSet,
    index: np.ndarray,
    row_ids: Sequence[str],
    how: How,
    report: Report,
) -> Explained:
    """Explain these items, and check the explanations.

    Args:
        index: positions in the item set, one per row id.

    Raises:
        ExplanationError: the method does not work for this model.
    """
    method = how.method or attribution.methods_for(detector.model)[0]
    spread = detector.normals.x.std(0, correction=0).to(detector.device)
    # only windows overlap: a training row or image has no near copies among the others
    usual = float(np.median(detector.calibration.scores)) if detector.modality is Modality.SENSOR else None
    parts: list[dict[str, Any]] = []
    neighbours: list[dict[str, Any]] = []
    checks: list[pd.DataFrame] = []
    result = Explained(pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), {}, {})
    batch = TOGETHER[detector.modality]
    positions = torch.from_numpy(positions_of(detector.out_of_bag, item_set, np.asarray(index))).to(detector.device)
    for begin in range(0, len(index), batch):
        report.check()
        chosen = np.asarray(index)[begin : begin + batch]
        names = list(row_ids)[begin : begin + batch]
        near, distance = nearest(detector, item_set, chosen)
        x = item_set.take(chosen).to(detector.device)
        made_of = SourceItems.each(x, positions[begin : begin + batch])
        baseline = attribution.baseline_from(detector.normals.x, near, how.baseline).to(detector.device)
        steps = STEPS[detector.modality]
        found = attribution.explain(detector.model, item_set.shape, x, baseline, method, steps, made_of)
        found = replace(found, usual_score=usual)
        tested = check(detector.model, item_set.shape, made_of, baseline, found, spread)
        checks.append(tested.table(names).assign(method=method, baseline=how.baseline))
        neighbours += [
            {"row_id": row_id, "rank": rank + 1, "neighbour": detector.normals.row_ids[n], "distance": float(far)}
            for row_id, line, apart in zip(names, near, distance, strict=True)
            for rank, (n, far) in enumerate(zip(line, apart, strict=True))
        ]
        work = Attributed(detector, dataset, item_set, chosen, names, x, found, partial(grids, detector, item_set))
        parts += parts_of(work, result)
        report.step(min(1.0, (begin + batch) / len(index)))
    result.parts = pd.DataFrame(parts, columns=None if parts else PART_COLUMNS)
    result.checks = pd.concat(checks, ignore_index=True) if checks else result.checks
    result.neighbours = pd.DataFrame(neighbours, columns=["row_id", "rank", "neighbour", "distance"])
    return result


def items_of_rows(item_set: ItemSet, row_ids: Sequence[str], item_scores: np.ndarray | None = None) -> np.ndarray:
    """The item that stands for each row: itself, the window whose middle is nearest, or an image's highest tile.

    Args:
        item_scores: (n,); only used where items are tiles.

    Raises:
        DataError: a row does not exist or has no item.
    """
    sample = pd.Series(item_set.rows["sample"].to_numpy(), index=item_set.rows["row_id"].to_numpy())
    start = item_set.items["start"].to_numpy()
    found = []
    for row_id in row_ids:
        at = int(sample.get(row_id, -1))
        covering = np.flatnonzero((start <= at) & (at < start + item_set.span))
        if at < 0 or not len(covering):
            raise DataError(f"Row {row_id!r} can't be explained: it does not exist in these data, or has no score.")
        if item_set.tiled and item_scores is not None:
            best = item_scores[covering].argmax()
        else:
            best = np.abs(start[covering] + item_set.span // 2 - at).argmin()
        found.append(covering[best])
    return np.array(found, dtype=np.int64)
