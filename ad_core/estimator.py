"""The scikit-learn interface: any method for tables as an outlier detector for a matrix of numbers.

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
from ad_core.data.label_search import find_labels
from ad_core.data.limits import LARGEST, far, limits_of, never_changed
from ad_core.data.tables.watched_encoding import novelty
from ad_core.errors import DataError, SettingsError
from ad_core.types import ItemShape, Modality, PartKind, Parts, TrainingRows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ad_core.methods.scorer import ScoreModel

CLIP = 30.0
"""Distance from the mean beyond which a method sees no difference; the score rises with it [standard deviations]."""
UNCHANGED, ROUNDING = 1e-12, 1e-9
"""Largest standard deviation of a column that never changed, and relative rounding error of its numbers."""

SMALL = 40
"""With fewer rows than this, all rows both train and set the threshold: a held-out part would be too small."""


class AnomalyDetector(OutlierMixin, BaseEstimator):  # type: ignore[misc]
    """Self-supervised outlier detector for numeric matrices.

    The default is `balanced`, as in `ad_core.train`; before release 0.2 it was `masked_cells`, and `training_rows` was
    always "clean". `AnomalyDetector("masked_cells", training_rows="clean")` is the former default.

    Args:
        pretext: name of a recipe (such as `balanced`), pretext task or classical detector that works on tables.
        scorer: name of a scorer, of a pretext task only; None = the task's own score.
        preset: how long a pretext task is trained: "quick", "standard" or "thorough".
        alpha: share of normal rows that `predict` may call outliers; sets the threshold, on scores of rows by a
            model that was not trained on them.
        training_rows: what is known about X: "clean" (no anomalies), "mixed" (may hold some) or "unsure".
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        settings: section -> setting -> value. The section is "pretext" for every kind of method; a pretext task also
            has "training", "encoder" and "scorer".
        random_state: seed, generator or None.
    """

    def __init__(
        self,
        pretext: str = "balanced",
        *,
        scorer: str | None = None,
        preset: str = "quick",
        alpha: float = 0.1,
        training_rows: TrainingRows = "unsure",
        device: str = "cpu",
        settings: dict[str, dict[str, Any]] | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.pretext = pretext
        self.scorer = scorer
        self.preset = preset
        self.alpha = alpha
        self.training_rows = training_rows
        self.device = device
        self.settings = settings
        self.random_state = random_state

    def fit(self, X: "ArrayLike", y: None = None) -> Self:  # noqa: ARG002
        """Train on the rows of X, (n, d) finite numbers; y is ignored.

        Raises:
            ValueError: X is not such a matrix or may hold true labels, alpha is not a share, or the method or a
                setting does not exist.
        """
        from ad_core.data.splitting import SHARES
        from ad_core.detector.assembly import scores_of_all
        from ad_core.methods.watched import watched
        from ad_core.training.by_method import fit_method
        from ad_core.training.catalogue import recipe_class
        from ad_core.training.choice import Choice, method_of
        from ad_core.training.fit import Fit, choose_device

        if not 0 < self.alpha < 1:
            raise ValueError(f"alpha = {self.alpha!r}: give a share between 0 and 1, for example 0.1.")
        _refuse_labels(X)
        x = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        choice = Choice(
            pretext=self.pretext,
            scorer=self.scorer,
            preset=self.preset,
            seed=seed,
            training_rows=self.training_rows,
            settings=self.settings or {},
        )
        if "reader" in choice.settings:
            raise SettingsError("A matrix is taken as it is: there are no settings of a reader. Leave `reader` out.")
        method, kind = method_of(choice, Modality.TABLE)
        split = _split(len(x), seed, recipe_class(method, Modality.TABLE).shares if kind == "recipe" else SHARES)
        self.center_ = x[split.fit].mean(axis=0)
        spread = x[split.fit].std(axis=0)
        self.scale_ = np.where(spread > UNCHANGED, spread, 1.0)
        item_set = _item_set(self._scaled(x).astype(np.float32), self.center_, spread, split.fit)
        fit = Fit(item_set.learnt(), split, seed, choose_device(self.device), training_rows=self.training_rows)
        result = fit_method(method, kind, choice, fit)
        scores = scores_of_all(result.fitted, fit)
        fitted = watched(result.fitted, item_set, split.calibration, scores)[0]
        self.model_ = _in_float64(fitted.model)
        held_out = self._anomaly(x[split.calibration]) if fitted.held_out is None else fitted.held_out.scores
        self.offset_ = float(np.quantile(-held_out, self.alpha))
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
        with np.errstate(over="ignore"):
            return np.asarray(np.clip((x - self.center_) / self.scale_, -LARGEST, LARGEST))

    def _anomaly(self, x: np.ndarray) -> np.ndarray:
        import torch

        scaled = torch.from_numpy(self._scaled(x))
        with torch.no_grad():
            scores: np.ndarray = torch.cat([self.model_.score(part) for part in scaled.split(1024)]).numpy()
        return scores


def _refuse_labels(X: "ArrayLike") -> None:
    """A data frame whose columns may hold true labels is refused: they would be trained on.

    Raises:
        DataError: names the columns.
    """
    if not isinstance(X, pd.DataFrame) or not X.columns.is_unique:
        return
    labels = find_labels(X, None)
    if names := sorted(labels.names):
        first = names[0]
        raise DataError(
            f"Column{'s' if len(names) > 1 else ''} {', '.join(map(repr, names))} of X may hold true labels, which "
            f"must not be trained on. Leave out what does: X.drop(columns=[{first!r}]). If none does, give the numbers "
            f"without their names: X.to_numpy()."
        )


def _in_float64(model: "ScoreModel") -> "ScoreModel":
    """The model on the CPU, in the precision that scikit-learn compares scores in."""
    import torch

    return model.cpu().double().eval() if isinstance(model, torch.nn.Module) else model


def _split(n: int, seed: int, shares: tuple[float, float, float]) -> Split:
    """Rows for training, early stopping and the threshold, by their shares."""
    if shares[0] == 1:
        return Split(np.arange(n), np.arange(0), np.arange(0))
    if n < SMALL:
        everything = np.arange(n)
        return Split(everything, everything, everything)
    order = np.random.default_rng(seed).permutation(n)
    fit, early_stop, calibration = np.split(order, [int(shares[0] * n), int((shares[0] + shares[1]) * n)])
    return Split(np.sort(fit), np.sort(early_stop), np.sort(calibration))


def _item_set(x: np.ndarray, center: np.ndarray, spread: np.ndarray, training: np.ndarray) -> ItemSet:
    """Items with their limits: a column without spread never changed, up to the rounding of its numbers.

    Args:
        x: (n, d) scaled numbers.
        center, spread: (d,) mean and standard deviation of the training rows.
        training: positions of these rows.
    """
    n, d = x.shape
    ends = np.array([x[training].min(axis=0), x[training].max(axis=0)])
    parts = Parts(
        names=tuple(f"x{i}" for i in range(d)),
        of_entry=tuple(range(d)),
        kinds=(PartKind.NUMBER,) * d,
        units=(None,) * d,
    )
    position = np.arange(n)
    rows = pd.DataFrame({"row_id": position.astype(str), "sample": position, "note": ""})
    shape = ItemShape(modality=Modality.TABLE, size=(d,), parts=parts)
    entries = [
        far(CLIP, low, high) if varies else never_changed(CLIP, -rounding, rounding)
        for varies, rounding, low, high in zip(
            spread > UNCHANGED, UNCHANGED + ROUNDING * np.abs(center), *ends.tolist(), strict=True
        )
    ]
    new = novelty(pd.Series(column) for column in x[training].T) if (spread <= UNCHANGED).any() else 0.0
    limits = limits_of(shape, d, entries, new)
    return ItemSet(shape, x, pd.DataFrame({"start": position}), rows, limits=limits)
