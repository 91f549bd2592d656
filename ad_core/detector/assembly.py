"""From a fitted method to a detector: calibration, normal items, and typical values on items that were held out."""

from dataclasses import replace

import numpy as np
import torch

from ad_core.alerts.calibration_rows import calibrated, marked, of_items, trimmed
from ad_core.data.dataset import Dataset
from ad_core.data.item_set import Split
from ad_core.data.reader import Reader
from ad_core.detector.detector import Detector
from ad_core.detector.drift import histograms_of_training, usual_rows
from ad_core.detector.info import DetectorInfo
from ad_core.detector.kept_scores import kept_scores
from ad_core.detector.leading_channels import usual_parts
from ad_core.detector.normals import Normals
from ad_core.detector.usual_parts import UsualParts
from ad_core.methods.recipe import Fitted, HeldOut
from ad_core.methods.scorer import ScoreModel
from ad_core.methods.watched import watched
from ad_core.training.by_method import MethodFit
from ad_core.training.fit import embed_items, per_item, score_items
from ad_core.training.fit_inputs import Fit
from ad_core.types import Modality

USUAL = 0.75
"""Share of the training items, those with the lowest scores, from which normal items are drawn if all items train."""

NORMALS_KEPT, NORMALS_BYTES = 512, 32 * 2**20
"""Maximum number and size [bytes] of the normal items that a detector keeps for neighbours and baselines."""


def assembled(
    dataset: Dataset,
    data: tuple[Reader, Fit],
    result: MethodFit,
    item_scores: np.ndarray,
    info: DetectorInfo,
    *,
    trims: bool = False,
) -> Detector:
    """A detector: the fitted model with its calibration, normal items, typical values and histograms.

    Args:
        data: the fitted reader, and what the model was fitted to.
        trims: whether calibration rows that are taken for anomalies are left out, see `alerts.trimming`.
    """
    reader, fit = data
    fitted = result.fitted
    rows = of_items(fit.item_set, fitted.held_out or _held_out(fit.split, item_scores))
    if trims:
        rows = marked(trimmed(rows))
    calibration = calibrated(rows)
    usual = usual_rows(fit.item_set.reduce(item_scores), calibration)
    return Detector(
        reader=reader,
        model=fitted.model,
        calibration=calibration,
        normals=_normals(fitted, fit, item_scores),
        info=info,
        residuals=_residuals(fitted.model, fit),
        out_of_bag=None if fitted.held_out is None else kept_scores(fit.item_set, fitted.held_out),
        recipe=result.recipe,
        usual_parts=_usual_parts(fitted, fit),
        device=fit.device,
        calibration_rows=rows,
        histograms=histograms_of_training(dataset, usual),
    )


def scores_of_all(fitted: Fitted, fit: Fit) -> np.ndarray:
    """Scores of all items, as returned by `score_items`; training items keep their out-of-bag scores."""
    if isinstance(fitted.model, torch.nn.Module):
        fitted.model.to(fit.device)
    held_out, item_set = fitted.held_out, fit.item_set
    if held_out is None:
        return score_items(fitted.model, item_set, np.arange(len(item_set)), device=fit.device, report=fit.report)
    rest = np.setdiff1d(np.arange(len(item_set)), held_out.items)
    scores = np.empty((len(item_set), *held_out.scores.shape[1:]), dtype=held_out.scores.dtype)
    scores[held_out.items] = held_out.scores
    if len(rest):
        scores[rest] = score_items(fitted.model, item_set, rest, device=fit.device, report=fit.report)
    return scores


def watched_too(result: MethodFit, fit: Fit, item_scores: np.ndarray) -> tuple[MethodFit, np.ndarray]:
    """The method's model with the limits of the items, and the scores of all items by it; see `methods.watched`.

    Args:
        fit: with the item set that has the limits.
        item_scores: of all items, by the model alone.
    """
    fitted, scores = watched(result.fitted, fit.item_set, _calibrating(fit.split), item_scores)
    if isinstance(fitted.model, torch.nn.Module):
        fitted.model.to(fit.device)
    return replace(result, fitted=fitted), scores


def _calibrating(split: Split) -> np.ndarray:
    """Calibration items, or for a recording too short for any the early-stop items, which no weight was fitted to."""
    return split.calibration if len(split.calibration) else split.early_stop


def _held_out(split: Split, item_scores: np.ndarray) -> HeldOut:
    chosen = _calibrating(split)
    return HeldOut(chosen, item_scores[chosen])


def _normals(fitted: Fitted, fit: Fit, item_scores: np.ndarray) -> Normals:
    """A sample of the training items; if none is held out, of those with the lower scores."""
    item_set = fit.item_set
    keep = int(max(32, min(NORMALS_KEPT, NORMALS_BYTES // (4 * item_set.shape.entries))))
    usual = fit.split.fit
    if fitted.held_out is not None:
        scores = per_item(item_scores[usual])
        usual = usual[scores <= np.quantile(scores, USUAL)]
    chosen = np.sort(np.random.default_rng(fit.seed).permutation(usual)[:keep])
    embeddings = embed_items(fitted.model, item_set, chosen, device=fit.device)
    return Normals(item_set.take(chosen), item_set.row_ids(chosen), torch.from_numpy(embeddings))


def _residuals(model: ScoreModel, fit: Fit) -> np.ndarray | None:
    """5 % and 95 % quantile of actual minus expected per entry, on held-out rows of a table."""
    calibration = fit.split.calibration
    if fit.modality is not Modality.TABLE or not len(calibration):
        return None
    found = []
    with torch.no_grad():
        for batch in fit.item_set.batches(calibration[:5000], 1024):
            expected = model.expected(batch.x.to(fit.device))
            if expected is None:
                return None
            found.append((batch.x - expected.cpu()).numpy())
    return np.asarray(np.quantile(np.concatenate(found), [0.05, 0.95], axis=0), dtype=np.float32)


def _usual_parts(fitted: Fitted, fit: Fit) -> UsualParts | None:
    """The usual part scores of a recording's channels, on items that weren't in the fit."""
    if fit.modality is not Modality.SENSOR:
        return None
    if fitted.held_out is None:
        items = fit.split.calibration if len(fit.split.calibration) else fit.split.early_stop
        return usual_parts(fitted.model, fit.item_set, items, fit.device)
    if isinstance(fitted.held_out.model, torch.nn.Module):
        model = fitted.held_out.model.to(fit.device)
        return usual_parts(model, fit.item_set, fitted.held_out.items, fit.device)
    return None
