"""The scikit-learn face: a pretext task on a matrix of numbers, as an outlier detector.

It takes what scikit-learn takes, one finite matrix. Tables with categories, dates and missing cells, images and
recordings go through `ad_core.open_dataset` and `ad_core.train`.
"""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from ad_core.data.item_set import ItemSet, Split
from ad_core.types import ItemShape, Modality, PartKind, Parts

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

SMALL = 40
"""Below so many rows everything both trains and sets the threshold: a share of so few says nothing."""


class AnomalyDetector(OutlierMixin, BaseEstimator):  # type: ignore[misc]
    """Self-supervised outlier detector for numeric matrices.

    Args:
        pretext: name of a pretext task that works on tables.
        scorer: name of a scorer.
        preset: "quick", "standard" or "thorough".
        alpha: share of normal rows that `predict` may call outliers; sets the threshold on held-out training rows.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        settings: section (training, pretext, encoder, scorer) -> setting -> value.
        random_state: seed, generator or None.
    """

    def __init__(
        self,
        pretext: str = "masked_cells",
        *,
        scorer: str = "own_score",
        preset: str = "quick",
        alpha: float = 0.1,
        device: str = "cpu",
        settings: dict[str, dict[str, Any]] | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.pretext = pretext
        self.scorer = scorer
        self.preset = preset
        self.alpha = alpha
        self.device = device
        self.settings = settings
        self.random_state = random_state

    def fit(self, X: "ArrayLike", y: None = None) -> Self:  # noqa: ARG002
        """Train on the rows of X, (n, d) finite numbers; y is ignored.

        Raises:
            ValueError: X is not such a matrix, or alpha is not a share.
        """
        from ad_core.training.fit import Fit, choose_device, fit_task_model

        if not 0 < self.alpha < 1:
            raise ValueError(f"alpha = {self.alpha!r}: give a share between 0 and 1, for example 0.1.")
        x = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        split = _split(len(x), seed)
        self.center_ = x[split.fit].mean(axis=0)
        spread = x[split.fit].std(axis=0)
        self.scale_ = np.where(spread > 1e-12, spread, 1.0)
        item_set = _item_set(self._scaled(x).astype(np.float32))
        fit = Fit(item_set, split, seed, choose_device(self.device))
        model, _ = fit_task_model(self.pretext, fit, scorer=self.scorer, sections=self.settings, preset=self.preset)
        self.model_ = model.cpu().double().eval()
        self.offset_ = float(np.quantile(-self._anomaly(x[split.calibration]), self.alpha))
        return self

    def score_samples(self, X: "ArrayLike") -> np.ndarray:
        """(n,) float64; lower = more anomalous, as everywhere in scikit-learn."""
        check_is_fitted(self)
        return -self._anomaly(validate_data(self, X, dtype=np.float64, reset=False))

    def decision_function(self, X: "ArrayLike") -> np.ndarray:
        """(n,) float64; negative = outlier."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: "ArrayLike") -> np.ndarray:
        """(n,) 1 for inliers and -1 for outliers."""
        return np.asarray(np.where(self.decision_function(X) < 0, -1, 1))

    def _scaled(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(np.clip((x - self.center_) / self.scale_, -30, 30))

    def _anomaly(self, x: np.ndarray) -> np.ndarray:
        import torch

        scaled = torch.from_numpy(self._scaled(x))
        with torch.no_grad():
            scores: np.ndarray = torch.cat([self.model_.score(part) for part in scaled.split(1024)]).numpy()
        return scores


def _split(n: int, seed: int) -> Split:
    if n < SMALL:
        everything = np.arange(n)
        return Split(everything, everything, everything)
    order = np.random.default_rng(seed).permutation(n)
    fit, early_stop, calibration = np.split(order, [int(0.6 * n), int(0.75 * n)])
    return Split(np.sort(fit), np.sort(early_stop), np.sort(calibration))


def _item_set(x: np.ndarray) -> ItemSet:
    n, d = x.shape
    parts = Parts(
        names=tuple(f"x{i}" for i in range(d)),
        of_entry=tuple(range(d)),
        kinds=(PartKind.NUMBER,) * d,
        units=(None,) * d,
    )
    position = np.arange(n)
    rows = pd.DataFrame({"row_id": position.astype(str), "sample": position, "note": ""})
    return ItemSet(
        ItemShape(modality=Modality.TABLE, size=(d,), parts=parts), x, pd.DataFrame({"start": position}), rows
    )
