"""From a detector and its data to explained cases: which items stand for a row, and why they score as they do."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch

from ad_core.data.reader import Dataset
from ad_core.data.recordings.timestamps import ClockKind
from ad_core.detector.detector import Detector
from ad_core.detector.leading_channels import in_words_of, leads
from ad_core.explain import attribution as explanation
from ad_core.explain.attribution import How
from ad_core.explain.describe import Attributed, Explained, parts_of, row_of_item, whole_maps
from ad_core.explain.faithfulness import check
from ad_core.explain.heat_scale import HeatScale
from ad_core.progress import Report
from ad_core.training.fit import embed_items, per_item, score_items
from ad_core.types import Frame, Modality

STEPS = {Modality.TABLE: 64, Modality.IMAGE: 16, Modality.SENSOR: 32}
"""Points on the path of integrated gradients: a pass over an image costs a thousand times one over a row."""

TOGETHER = {Modality.TABLE: 128, Modality.IMAGE: 4, Modality.SENSOR: 8}
"""So many cases are explained at a time; after each lot a job can be stopped."""

NEIGHBOURS = 5
"""So many nearest normal items are shown beside a case."""

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

MAPPED = 64
"""So many calibration images at most fix the colours of anomaly maps."""

LED = 20
"""For so many of the highest events it is looked up which channels led."""


def explain_top(
    detector: Detector,
    dataset: Dataset,
    top: int,
    how: How,
    report: Report,
    frame: Frame | None = None,
    item_scores: np.ndarray | None = None,
) -> Explained:
    """Explain the highest scores; in recordings the windows at the peaks of the highest events.

    Args:
        frame, item_scores: of this data set, where they are at hand.
    """
    frame = detector.frame(dataset) if frame is None else frame
    if item_scores is None:
        item_scores = score_items(detector.model, frame, np.arange(len(frame)), device=detector.device, report=report)
    scores = detector.scored_rows(frame, item_scores)
    if detector.modality is Modality.SENSOR:
        found = find_events(detector, scores, frame, led=0).nlargest(top, "peak_score")
        highest = scores.dropna(subset="score").nlargest(1, "score")["row_id"]  # where nothing is an event
        row_ids = found["row_id_peak"].tolist() or highest.tolist()
    else:
        row_ids = scores.dropna(subset="score").nlargest(top, "score")["row_id"].tolist()
    chosen = items_of_rows(frame, row_ids, per_item(item_scores))
    return explain_items(detector, dataset, frame, chosen, row_ids, how, report)


def explain_rows(detector: Detector, dataset: Dataset, row_ids: Sequence[str], how: How, report: Report) -> Explained:
    """Explain the items that stand for these rows.

    Raises:
        DataError: a row does not exist or has no item.
        ExplanationError: the model can't be explained by that method.
    """
    frame = detector.frame(dataset)
    item_scores = _scores_of_pieces(detector, frame, row_ids) if frame.tiled else None
    chosen = items_of_rows(frame, row_ids, item_scores)
    return explain_items(detector, dataset, frame, chosen, row_ids, how, report)


def _scores_of_pieces(detector: Detector, frame: Frame, row_ids: Sequence[str]) -> np.ndarray:
    """(n,) scores of the tiles of these rows; those of others are left at minus infinity."""
    rows = np.flatnonzero(frame.rows["row_id"].isin(list(row_ids)) & (frame.rows["sample"] >= 0))
    index = np.concatenate([frame.pieces(int(row))[0] for row in rows] or [np.empty(0, dtype=np.int64)])
    scores = np.full(len(frame), -np.inf)
    if len(index):
        scores[index] = per_item(score_items(detector.model, frame, index, device=detector.device))
    return scores


def explain_items(
    detector: Detector,
    dataset: Dataset,
    frame: Frame,
    index: np.ndarray,
    row_ids: Sequence[str],
    how: How,
    report: Report,
) -> Explained:
    """Explain these items, and check the explanations.

    Args:
        index: positions in the frame, one per row id.

    Raises:
        ExplanationError: the model can't be explained by that method.
    """
    method = how.method or explanation.methods_for(detector.model)[0]
    spread = detector.normals.x.std(0, correction=0).to(detector.device)
    parts: list[dict[str, Any]] = []
    neighbours: list[dict[str, Any]] = []
    checks: list[pd.DataFrame] = []
    result = Explained(pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), {}, {})
    batch = TOGETHER[detector.modality]
    for begin in range(0, len(index), batch):
        report.check()
        chosen = np.asarray(index)[begin : begin + batch]
        names = list(row_ids)[begin : begin + batch]
        near, distance = nearest(detector, frame, chosen)
        x = frame.take(chosen).to(detector.device)
        baseline = explanation.baseline_from(detector.normals.x, near, how.baseline).to(detector.device)
        found = explanation.explain(detector.model, frame.shape, x, baseline, method, STEPS[detector.modality])
        tested = check(detector.model, frame.shape, x, baseline, found, spread)
        checks.append(tested.table(names).assign(method=method, baseline=how.baseline))
        neighbours += [
            {"row_id": row_id, "rank": rank + 1, "neighbour": detector.normals.row_ids[n], "distance": float(far)}
            for row_id, line, apart in zip(names, near, distance, strict=True)
            for rank, (n, far) in enumerate(zip(line, apart, strict=True))
        ]
        work = Attributed(detector, dataset, frame, chosen, names, x, found, partial(grids, detector, frame))
        parts += parts_of(work, result)
        report.step(min(1.0, (begin + batch) / len(index)))
    result.parts = pd.DataFrame(parts, columns=None if parts else PART_COLUMNS)
    result.checks = pd.concat(checks, ignore_index=True) if checks else result.checks
    result.neighbours = pd.DataFrame(neighbours, columns=["row_id", "rank", "neighbour", "distance"])
    return result


def items_of_rows(frame: Frame, row_ids: Sequence[str], item_scores: np.ndarray | None = None) -> np.ndarray:
    """The item that stands for each row: itself, the window whose middle is nearest, or a picture's highest tile.

    Args:
        item_scores: (n,); only looked at where items are tiles.

    Raises:
        DataError: a row does not exist or has no item.
    """
    from ad_core.errors import DataError

    sample = pd.Series(frame.rows["sample"].to_numpy(), index=frame.rows["row_id"].to_numpy())
    start = frame.items["start"].to_numpy()
    found = []
    for row_id in row_ids:
        at = int(sample.get(row_id, -1))
        covering = np.flatnonzero((start <= at) & (at < start + frame.span))
        if at < 0 or not len(covering):
            raise DataError(f"Row {row_id!r} can't be explained: it does not exist in these data, or has no score.")
        if frame.tiled and item_scores is not None:
            best = item_scores[covering].argmax()
        else:
            best = np.abs(start[covering] + frame.span // 2 - at).argmin()
        found.append(covering[best])
    return np.array(found, dtype=np.int64)


def event_rule(detector: Detector, frame: Frame) -> dict[str, Any]:
    """What makes an event of a recording: `threshold`, `by` (the p-value or percentile behind it), `merge_gap` [rows]
    and `merge_windows`, the setting that it follows from.
    """
    from ad_core.alerts.events import alarm_threshold

    threshold, by = alarm_threshold(detector.calibration)
    rows = frame.span if frame.times is None else frame.span * len(frame.rows) / frame.samples
    merge_windows: float = detector.reader.settings.merge_windows  # type: ignore[attr-defined]
    gap = round(merge_windows * rows)
    return {"threshold": threshold, "by": by, "merge_gap": gap, "merge_windows": merge_windows}


def find_events(detector: Detector, scores: pd.DataFrame, frame: Frame, led: int = LED) -> pd.DataFrame:
    """Stretches of a recording whose time stamps are alerts, see `event_rule` and `events.events`.

    Args:
        led: for so many of the highest it is looked up which channels led.

    Returns:
        Also `excluded` (whether the peak is), where times were excluded; and where the model says which channel
        surprises it, for the highest events, `leading` (the channel that led) and `leads` (the first three, and how
        long before the peak).
    """
    from ad_core.alerts.events import events

    rule = event_rule(detector, frame)
    found = events(scores, rule["threshold"], merge_gap=rule["merge_gap"])
    if "excluded" in scores:
        found["excluded"] = found["row_id_peak"].map(scores.set_index("row_id")["excluded"]).astype(bool)
    if detector.part_levels is None or not led:
        return found
    row = pd.Series(np.arange(len(frame.rows)), index=frame.rows["row_id"].to_numpy())
    sample = frame.rows["sample"].to_numpy()
    is_clock = detector.reader.clock is not ClockKind.ROW  # type: ignore[attr-defined]
    names: list[str | None] = [None] * len(found)
    texts: list[str | None] = [None] * len(found)
    for i, event in enumerate(found.head(led).itertuples()):
        start, peak = int(row[event.row_id_start]), int(row[event.row_id_peak])
        first = leads(detector.model, frame, detector.part_levels, (sample[start], sample[peak]), detector.device)
        if first:
            names[i], texts[i] = first[0].channel, in_words_of(first, frame, peak, is_clock=is_clock)
    return found.assign(leading=pd.Series(names, dtype="str"), leads=pd.Series(texts, dtype="str"))


def anomaly_maps(detector: Detector, dataset: Dataset, report: Report) -> Iterator[tuple[str, np.ndarray]]:
    """For each readable image its row_id and a float32 (height, width) map of its own size.

    Raises:
        DataError: the data are no images.
    """
    from ad_core.errors import DataError

    if detector.modality is not Modality.IMAGE:
        raise DataError(f"Anomaly maps are made of images; these data are a {detector.modality}. Leave --maps out.")
    frame = detector.frame(dataset)
    rows = np.flatnonzero(frame.rows["sample"].to_numpy() >= 0)
    for begin in range(0, len(rows), 16):
        report.check()
        report.step(begin / len(rows))
        some = rows[begin : begin + 16]
        yield from zip(
            frame.rows["row_id"].iloc[some], whole_maps(frame, some, partial(grids, detector, frame)), strict=True
        )


def heat_scale(detector: Detector, frame: Frame, report: Report) -> HeatScale | None:
    """The colours of this detector's anomaly maps, by some of its calibration images; None where there are no maps.

    Args:
        frame: the images that it was trained and calibrated on.
    """
    if detector.modality is not Modality.IMAGE or detector.calibration_rows is None:
        return None
    calibrates = frame.rows["row_id"].isin(detector.calibration_rows["row_id"]).to_numpy()
    items = np.flatnonzero(calibrates[row_of_item(frame)])
    with torch.no_grad():
        own = len(items) and detector.model.part_scores(frame.take(items[:1]).to(detector.device)) is not None
    most = MAPPED if own else MAPPED // 4  # else a map costs several passes with gradients
    items = items[np.unique(np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int))]
    maps: list[np.ndarray] = []
    for begin in range(0, len(items), 4):
        report.check()
        maps += list(grids(detector, frame, items[begin : begin + 4]))
    return HeatScale.of(maps)


def embedding_map(
    detector: Detector, frame: Frame, item_scores: np.ndarray, most: int, report: Report
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Places of the items in two dimensions, and how far to trust them.

    Returns:
        `row_id, score, percentile`, and the coordinates and facts of `embedding_map.EmbeddingMap`.
    """
    from ad_core.projection import project as maps

    item_scores = per_item(item_scores)
    index = _highest_pieces(frame, item_scores) if frame.tiled else np.arange(len(frame))
    if len(index) > most:
        highest = index[np.argsort(item_scores[index])[-most // 10 :]]
        rest = np.random.default_rng(0).permutation(np.setdiff1d(index, highest))[: most - len(highest)]
        index = np.sort(np.concatenate([highest, rest]))
    keep = np.argsort(item_scores[index])[-200:][::-1]

    def embed(positions: np.ndarray) -> np.ndarray:
        return embed_items(detector.model, frame, index[positions], device=detector.device)

    fitted, normals = maps.fit_sample(len(index), keep), detector.normals.embeddings.numpy()
    placed = maps.project_items(embed, len(index), fitted, 0, report, normals)
    coordinates, facts = placed.coordinates, placed.facts
    coordinates.insert(0, "row_id", frame.row_ids(index))
    coordinates["score"] = item_scores[index]
    coordinates["percentile"] = detector.calibration.percentile(item_scores[index])
    return coordinates, {
        **facts,
        "shown": len(index),
        "items": int(frame.rows["sample"].nunique()) if frame.tiled else len(frame),
    }


def _highest_pieces(frame: Frame, item_scores: np.ndarray) -> np.ndarray:
    """The highest tile of each picture: a point of the map is a picture."""
    scores = pd.Series(item_scores).groupby(frame.items["start"].to_numpy())
    return np.sort(scores.idxmax().to_numpy())


def nearest(detector: Detector, frame: Frame, index: np.ndarray, k: int = NEIGHBOURS) -> tuple[np.ndarray, np.ndarray]:
    """(n, k) positions of the nearest normals by embedding, and their distances; those that share samples with the item
    come last: they would hide what is odd.
    """
    embeddings = embed_items(detector.model, frame, index, device=detector.device)
    normals = detector.normals
    near, distance = explanation.nearest_normals(embeddings, normals.embeddings.numpy(), len(normals.row_ids))
    sample = pd.Series(frame.rows["sample"].to_numpy(), index=frame.rows["row_id"].to_numpy())
    at = sample.reindex(normals.row_ids).fillna(-frame.span).to_numpy()  # (m,) where this normal sits in these data
    middle = frame.items["start"].to_numpy()[index] + frame.span // 2
    shares = np.abs(at[near] - middle[:, None]) < frame.span
    order = np.argsort(shares, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(near, order, 1), np.take_along_axis(distance, order, 1)


def grids(detector: Detector, frame: Frame, index: np.ndarray) -> np.ndarray:
    """(k, y, x) anomaly maps: the model's own, else where the score's attribution against the nearest normal sits."""
    return np.concatenate([_grids(detector, frame, index[at : at + 16]) for at in range(0, len(index), 16)])


def _grids(detector: Detector, frame: Frame, index: np.ndarray) -> np.ndarray:
    x = frame.take(index).to(detector.device)
    with torch.no_grad():
        own = detector.model.part_scores(x)
    if own is not None:
        return np.asarray(own.float().cpu())
    near, _ = nearest(detector, frame, index)
    baseline = explanation.baseline_from(detector.normals.x, near).to(detector.device)
    method = explanation.methods_for(detector.model)[0]
    found = explanation.explain(detector.model, frame.shape, x, baseline, method, STEPS[detector.modality])
    return explanation.heat(found.values)
