"""Balanced, for recordings: an ensemble of nearest subsequences of several lengths, with and without their level."""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from torch import Tensor

from ad_core.data.item_set import ItemSet, Split
from ad_core.data.recordings.level_shift import of_windows
from ad_core.errors import DataError
from ad_core.methods.base_detectors.level_and_shape import LevelAndShape
from ad_core.methods.contamination import LEFT_OUT, trusted
from ad_core.methods.recipe import RECIPES, Fitted, HeldOut, Recipe
from ad_core.methods.scorer import ScoreModel
from ad_core.progress import Report
from ad_core.settings import Settings
from ad_core.types import ItemShape, JudgedBy, Modality, TrainingRows

EARLIER = 0.6
"""Share of the training windows, the first ones of each recording, on which the calibration's model is fitted; it
scores the later ones.
"""

MOST_TEACHING = 3000
"""Maximum number of training windows, evenly chosen: the banks hold no more subsequences than that."""


class BalancedSensorSettings(Settings):
    """The only setting; whether a channel's level matters is declared with the data."""

    doubt_levels: bool = Field(
        True,
        description="Compare a recording of a single channel by shape only if its level has left its range for good.",
    )


@RECIPES.register
class BalancedSensor(Recipe[BalancedSensorSettings]):
    """Log ratios of the distance to the nearest training subsequences to its median on held-out windows; their mean per
    view, and a soft maximum of the two views.

    One view keeps the level of a subsequence and finds faults that only change the level; the other subtracts the
    channels' means and is robust against drift. A first fit on the earlier training windows is calibrated on the later
    ones; the final fit uses all of them.
    """

    title = "Balanced"
    about = (
        "An ensemble: compares subsequences of several lengths with the most similar ones of the training rows, with "
        "and without their level. More robust than any single method; nothing to tune."
    )
    source = "Own; after Yankov et al. 2008 (nearest subsequences) and Mahalanobis 1936 (whitening)"
    modalities = frozenset({Modality.SENSOR})
    Settings = BalancedSensorSettings
    shares = (1.0, 0.0, 0.0)

    def fit(self, item_set: ItemSet, split: Split, training_rows: TrainingRows, report: Report) -> Fitted:
        teaching = np.sort(np.concatenate([split.fit, split.early_stop, split.calibration]))
        if not len(teaching):
            raise DataError(
                "No windows are left to train on. Choose more training rows, or repair those that have a note."
            )
        judged = self._judged(item_set, teaching, report)
        if training_rows == "mixed":
            teaching = np.sort(trusted(item_set, teaching, LEFT_OUT["mixed"], self.seed))
        earlier, later = earlier_and_later(item_set, teaching)
        first = _views(item_set, earlier, judged)
        report.check()
        report.step(0.3)
        first.learn_usual(item_set.take(_evenly(later, MOST_TEACHING)))
        model = _views(item_set, teaching, judged)
        model.take_usual(first)
        report.step(0.6)
        with torch.no_grad():
            scores = [first.over_time(batch.x).numpy() for batch in item_set.batches(later, item_set.items_at_a_time)]
        model.earlier = first
        return Fitted(model.eval(), HeldOut(later, np.concatenate(scores), first.eval()))

    def _judged(self, item_set: ItemSet, teaching: np.ndarray, report: Report) -> list[JudgedBy]:
        """What counts per channel: as declared, else level and shape, or shape alone for a single drifting channel."""
        parts = item_set.shape.parts
        declared = parts.judged_by or (None,) * len(parts.names)
        judged: list[JudgedBy] = [by or "both" for by in declared]
        if self.settings.doubt_levels and declared == (None,):
            for finding in of_windows(item_set, teaching):
                if finding.drifted:
                    judged = ["shape"]
                    report.say(f"{finding.reason} So it is judged by its shape only.")
        return judged

    def state(self, model: ScoreModel) -> tuple[dict[str, Any], Mapping[str, np.ndarray | Tensor]]:
        views = cast(LevelAndShape, model)
        facts = {
            "shape": views.shape.model_dump(mode="json"),
            "judged": views.judged,
            "recordings": views.recordings,
        }
        return facts, {name: value.detach().cpu() for name, value in views.state_dict().items()}

    def restore(self, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> ScoreModel:
        shape, judged = ItemShape.model_validate(facts["shape"]), list(facts["judged"])
        model = LevelAndShape(shape, judged)
        found = {name: torch.from_numpy(np.array(value)) for name, value in arrays.items()}
        if any(name.startswith("earlier.") for name in arrays):
            model.earlier = LevelAndShape(shape, judged)
        of_models = {"": model} if model.earlier is None else {"": model, "earlier.": model.earlier}
        for prefix, one in of_models.items():
            found.setdefault(f"{prefix}recording", one.recording)  # bundles of older versions know neither
            one.recordings = list(facts.get("recordings", []))
            one.recording = torch.empty_like(found[f"{prefix}recording"])
        model.load_state_dict(found)
        return model.eval()


def earlier_and_later(item_set: ItemSet, teaching: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first windows of each recording, and the later ones that share no sample with them.

    If no recording is long enough for both, whole recordings are divided; a single short one is used for both.
    """
    start = item_set.items["start"].to_numpy()[teaching]
    entity = item_set.items["entity"].to_numpy()[teaching] if "entity" in item_set.items else np.zeros(len(teaching))
    order = np.lexsort((start, pd.factorize(entity)[0]))
    recordings = np.split(teaching[order], np.flatnonzero(np.diff(pd.factorize(entity[order])[0])) + 1)
    earlier, later = [], []
    for items in recordings:
        cut = max(1, round(EARLIER * len(items)))
        begin = item_set.items["start"].to_numpy()[items]
        earlier.append(items[:cut])
        later.append(items[cut:][begin[cut:] >= begin[cut - 1] + item_set.span])
    if any(map(len, later)):
        return np.concatenate(earlier), np.concatenate(later)
    if len(recordings) > 1:
        cut = max(1, round(EARLIER * len(recordings)))
        return np.concatenate(recordings[:cut]), np.concatenate(recordings[cut:])
    return teaching, teaching


def _views(item_set: ItemSet, items: np.ndarray, judged: list[JudgedBy]) -> LevelAndShape:
    """With the subsequences of the samples that these items cover as the banks."""
    starts, recording = dense(item_set, items)
    windows = item_set.at(starts)
    return LevelAndShape.of(windows, item_set.shape, judged, recording.astype(str).tolist())


def dense(item_set: ItemSet, items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) evenly chosen starts of windows of all samples that these items cover, at any sample, and (n,) the recording
    of each, "" where there is only one; no window crosses the end of a segment.
    """
    frame = item_set.items.iloc[items].sort_values("start", kind="stable")
    start, recording, segment = (
        frame[name].to_numpy() if name in frame else np.full(len(frame), "") for name in ("start", "entity", "segment")
    )
    follows = np.diff(start) <= item_set.span  # these windows overlap or touch: there is no gap between their samples
    follows &= (recording[1:] == recording[:-1]) & (segment[1:] == segment[:-1])
    until = np.append(np.where(follows, start[1:], start[:-1] + 1), start[-1] + 1)
    every = np.concatenate([np.arange(a, b) for a, b in zip(start, until, strict=True)])
    chosen = _evenly(np.arange(len(every)), MOST_TEACHING)
    return every[chosen], np.repeat(recording, until - start)[chosen]


def _evenly(positions: np.ndarray, most: int) -> np.ndarray:
    return positions[np.linspace(0, len(positions) - 1, min(most, len(positions))).astype(np.int64)]
