"""Rows that a pretext task of tables must find odd, and by how much it does: for the tests of single tasks."""

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from ad_core.methods.pretext import Pretext
from ad_core.types import Draw, Modality
from tests.contracts import items


def usual() -> Tensor:
    """(32, 7) rows that did not teach: b is about -a, c about a."""
    return items.item_set(Modality.TABLE).take(np.arange(64, 96))


def contradicting(rows: Tensor) -> Tensor:
    """The same rows with b and c of the wrong sign."""
    odd = rows.clone()
    odd[:, 1:3] *= -1
    return odd


def clearly_broken() -> tuple[Tensor, Tensor]:
    """Normal rows away from 0, where there is something to break, and the same with b = a and c = -2 a, nearly."""
    rows = usual()
    rows = rows[rows[:, 0].abs() > 0.5]
    broken = rows.clone()
    broken[:, 1], broken[:, 2] = -rows[:, 1], -2 * rows[:, 2]
    return rows, broken


def auroc(task: Pretext, rows: Tensor, odd: Tensor) -> float:
    """How well the score tells odd rows from normal ones."""
    with torch.no_grad():
        scores = task.score(torch.cat([rows, odd]), Draw.shared(0))
    return float(roc_auc_score([0] * len(rows) + [1] * len(odd), scores))


def scores_farther_and_farther(task: Pretext) -> Tensor:
    """(4,) scores of a row whose first number is 0, 10, 30 and 1000 standard deviations off."""
    far = usual()[16:17].repeat(4, 1)
    far[:, 0] = torch.tensor([0.0, 10.0, 30.0, 1000.0])
    with torch.no_grad():
        return task.score(far, Draw.shared(0))


def share_above_usual(task: Pretext, times: float) -> float:
    """Share of 200 rows in random directions, so many typical lengths away, that score above 90 % of normal ones."""
    towards = torch.nn.functional.normalize(torch.randn(200, 7, generator=torch.Generator().manual_seed(0)), dim=1)
    with torch.no_grad():
        near, far = task.score(usual(), Draw.shared(0)), task.score(times * towards * 7**0.5, Draw.shared(0))
    return float((far > near.quantile(0.9)).float().mean())
