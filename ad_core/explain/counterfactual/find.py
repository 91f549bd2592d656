"""What would make a case normal: the smallest change of at most three of its parts, with values that exist.

Normal means that the score is no alert by the rule in force, and that the changed item lies no further from normal
items than these lie from each other: a score can also be low far from all training data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from ad_core.alerts.calibration import severity
from ad_core.data.dataset import Dataset
from ad_core.data.readers.table import Table
from ad_core.detector.detector import Detector
from ad_core.errors import DataError
from ad_core.explain.anomaly_maps import grids
from ad_core.explain.attribution import at_a_time
from ad_core.explain.counterfactual.case import ChangedCase, case_of, changed_image, described_moves, window
from ad_core.explain.counterfactual.images import image_moves
from ad_core.explain.counterfactual.rows import Columns
from ad_core.explain.counterfactual.search import Breadth, Found, Judge, Move, Outcome, apply, search
from ad_core.explain.counterfactual.windows import best_channels, window_moves
from ad_core.explain.counterfactual.words import described, sentence_of
from ad_core.explain.neighbours import nearest_normals
from ad_core.progress import Report
from ad_core.types import Modality

TYPICAL = 0.95
"""Quantile of the distances among normal items up to which a distance is typical."""

KEPT = 3
"""Number of alternative counterfactuals to minimise and report, smallest first."""

BREADTH = {Modality.TABLE: Breadth(), Modality.SENSOR: Breadth(8, 24), Modality.IMAGE: Breadth(3, 9)}


class Counterfactual(BaseModel):
    """The counterfactual of one row; JSON-able."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="null")

    row_id: str
    found: bool
    sentence: str
    """The change, or why there is none."""
    changes: list[dict[str, Any]] = []
    """`part`, `value`, `to`, and the region or times of the part; largest change first."""
    before: dict[str, Any]
    """`score`, `percentile`, `p_value`, `severity`."""
    after: dict[str, Any] | None = None
    others: list[dict[str, Any]] = []
    """Other changes that suffice: `changes` and `after`."""
    begin: float
    """Score from which on the row is an alert."""
    fixed: list[str] = []
    """Parts that had to stay."""
    distance: float | None = None
    typical_distance: float | None = None
    """How far the changed item is from the nearest normal one, and what is typical; None without embedding."""
    tried: int = 0


@dataclass(frozen=True)
class Answer:
    """The facts, and the changed item."""

    facts: Counterfactual
    picture: np.ndarray | None = None
    """(y, x) or (y, x, 3) uint8, in the size of the user's image."""
    window: pd.DataFrame | None = None
    """`time`, and for each changed channel its values and `<channel> changed`."""


def counterfactual(
    detector: Detector, dataset: Dataset, row_id: str, begin: float, report: Report, fixed: Sequence[str] = ()
) -> Answer:
    """Find the smallest change that makes a row normal.

    Args:
        begin: score from which on the row is an alert, see `alerts.boundary`.
        fixed: columns or channels that must stay as they are.

    Raises:
        DataError: the row does not exist or has no score, the data lack a column, or a fixed part does not exist.
    """
    case = case_of(detector, dataset, row_id)
    names = case.item_set.shape.parts.names
    if unknown := [name for name in fixed if name not in names]:
        raise DataError(f"{unknown[0]!r} can't be fixed: the detector has no such part. It uses {', '.join(names)}.")
    filled = [names[part] for part in case.item_set.absent]  # a value that these data do not hold can't be changed
    fixed = [*fixed, *(name for name in filled if name not in fixed)]
    judge, limit = _judge(case, begin)
    before = _before(case, row_id, judge)
    facts = {"row_id": row_id, "before": before, "begin": begin, "fixed": list(fixed), "typical_distance": limit}
    start = float(judge.score(case.x[None])[0])
    if before["score"] < begin or judge.normal([case.x], report)[0]:
        again = not before["score"] < begin
        return Answer(
            Counterfactual(found=False, sentence=sentence_of(case.item_set.shape, normal_again=again), **facts)
        )
    moves = _moves(case, judge, fixed)
    outcome = search(case.x, moves, judge, report, BREADTH[detector.modality])
    best = _smallest(case, outcome, judge, report)
    if not best:
        lowest = outcome.lowest if outcome.lowest and outcome.lowest.score < start else None
        sentence = sentence_of(
            case.item_set.shape,
            free=len(names) - len(fixed),
            moves=len(moves),
            begin=begin,
            lowest=None if lowest is None else (lowest.score, described(described_moves(case, lowest.moves))),
        )
        return Answer(Counterfactual(found=False, sentence=sentence, tried=outcome.tried, **facts))
    return _answer(case, best, facts | {"tried": outcome.tried})


def _before(case: ChangedCase, row_id: str, judge: Judge) -> dict[str, Any]:
    """The row's score as in the score table; for recordings that of the window around it, which is changed."""
    detector, scores = case.detector, judge.score(case.x[None])
    if detector.modality is Modality.SENSOR:
        return _meaning(detector, float(scores[0]))
    found = detector.scored_rows(case.item_set, scores)
    return _meaning(detector, float(found.loc[found["row_id"] == row_id, "score"].iloc[0]))


def _meaning(detector: Detector, score: float) -> dict[str, Any]:
    calibration = detector.calibration
    p, percentile = float(calibration.p_value(score)), float(calibration.percentile(score))
    word = str(severity([p], [percentile], calibration.smallest_p)[0])
    return {"score": score, "percentile": percentile, "p_value": p, "severity": word}


def _judge(case: ChangedCase, begin: float) -> tuple[Judge, float | None]:
    """The criterion for normal, and the typical distance; None where the detector has no embedding."""
    detector, size = case.detector, at_a_time(case.item_set.shape)
    made_of = detector.sources(case.item_set, np.array([case.item]))
    original = made_of.items

    def score(x: Tensor) -> np.ndarray:
        with torch.no_grad():
            of = torch.zeros(len(x), dtype=torch.int64, device=detector.device)
            return np.asarray(detector.model.score_copies(x.to(detector.device), made_of.copies(of)).cpu().double())

    with torch.no_grad():
        embeds = detector.model.embed(original) is not None
    if not embeds:
        return Judge(score, lambda x: np.ones(len(x), dtype=bool), begin, size), None
    normals = detector.normals.embeddings.numpy()
    apart = nearest_normals(normals, normals, 2)[1][:, -1]  # the nearest of each is itself
    limit = float(np.quantile(apart, TYPICAL))

    def typical(x: Tensor) -> np.ndarray:
        return np.asarray(_distance(detector, x) <= limit * (1 + 1e-6) + 1e-9)

    return Judge(score, typical, begin, size), limit


def _distance(detector: Detector, x: Tensor) -> np.ndarray:
    """(c,) distance of items to the nearest normal one."""
    with torch.no_grad():
        z = detector.model.embed(x.to(detector.device))
    assert z is not None  # only called where there is one
    return nearest_normals(z.cpu().numpy(), detector.normals.embeddings.numpy(), 1)[1][:, 0]


def _moves(case: ChangedCase, judge: Judge, fixed: Sequence[str]) -> list[Move]:
    detector = case.detector
    if detector.modality is Modality.TABLE:
        return _columns(case).moves(case.donors, fixed)
    if detector.modality is Modality.IMAGE:
        grid = grids(detector, case.item_set, np.array([case.item]))[0]
        return image_moves(case.x, case.donors, case.donor_ids, grid)
    parts = case.item_set.shape.parts
    best = best_channels(case.x, case.donors, judge.score, fixed, parts)
    stay = [name for c, name in enumerate(parts.names) if c not in best]
    return window_moves(case.x, case.donors, case.donor_ids, parts, stay)


def _columns(case: ChangedCase) -> Columns:
    reader = cast(Table, case.detector.reader)
    return Columns(reader, case.allowed, case.dataset.data.iloc[0], case.x)


def _smallest(case: ChangedCase, outcome: Outcome, judge: Judge, report: Report) -> list[Found]:
    """The sufficient changes, the smallest first; changes of numbers are minimised."""
    best = outcome.normal[:KEPT]
    if case.detector.modality is Modality.TABLE:
        columns = _columns(case)
        best = [columns.shrunk(one, judge, report) for one in best]
    return sorted(best, key=lambda one: (one.cost, one.score))


def _answer(case: ChangedCase, best: Sequence[Found], facts: Mapping[str, Any]) -> Answer:
    first, changes = best[0], [described_moves(case, one.moves) for one in best]
    changed, after = apply(case.x, first.moves), [_meaning(case.detector, one.score) for one in best]
    results = [
        {
            "changes": [change.facts() for change in own],
            "after": then,
            "sentence": f"{described(own)}: {_better(facts['before'], then)}.",
        }
        for own, then in zip(changes, after, strict=True)
    ]
    distance = None if facts["typical_distance"] is None else float(_distance(case.detector, changed[None])[0])
    facts_found = Counterfactual(found=True, **results[0], others=results[1:], distance=distance, **facts)
    pixels = changed_image(case, changed) if case.detector.modality is Modality.IMAGE else None
    changed_window = window(case, changed, first) if case.detector.modality is Modality.SENSOR else None
    return Answer(facts_found, pixels, changed_window)


def _better(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    if np.isfinite(after["p_value"]):
        return f"p {before['p_value']:.3g} → {after['p_value']:.3g}"
    return f"score {before['score']:.3g} → {after['score']:.3g}"
