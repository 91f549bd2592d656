"""Gaussian mixtures, one per fold, so that every training row gets an out-of-fold density."""

from typing import Self

import numpy as np
import torch
from torch import Tensor

from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.pretext import TensorGroup
from ad_core.methods.references.gaussian_mixture import GaussianMixture, GaussianMixtureSettings

FOLDS = 4


class CrossFittedMixture(TensorGroup):
    """(b, entries) -> (b,) negative log-density [nat], mean over the folds' mixtures; copies of a training row that
    keeps its out-of-bag score are scored by the mixture that was fitted without the row.

    Fitted by scikit-learn's EM through the reference `gaussian_mixture`; stored as means and whitening matrices.
    """

    fold_of: Tensor
    """(n,) int64, the fold of each training row."""

    @classmethod
    def of(cls, x: np.ndarray, seed: int) -> tuple[Self, np.ndarray]:
        """Fit a mixture to each three quarters of the rows.

        Returns:
            The detector, and (n,) the score of each row by the mixture that was fitted without it.
        """
        member, left_out = cls(), np.zeros(len(x))
        member.put("fold_of", fold_of(len(x), seed))
        folds = [np.flatnonzero(member.fold_of == number) for number in range(min(FOLDS, len(x)))]
        rows = torch.from_numpy(np.asarray(x, dtype=np.float32))
        for number, fold in enumerate(folds):
            inside = np.ones(len(x), dtype=bool)
            inside[fold] = len(folds) == 1
            member._fit(number, x[inside], seed)
            with torch.no_grad():
                left_out[fold] = member._density(number, rows[fold]).double().numpy()
        return member, left_out

    def forward(self, x: Tensor, originals: SourceItems | None = None) -> Tensor:
        folds = sum(name.startswith("means_") for name, _ in self.named_buffers())
        every = torch.stack([self._density(number, x) for number in range(folds)])  # (folds, b)
        position = None if originals is None else originals.position
        if position is None or not self.knows_folds:
            return every.mean(0)
        at = position.clamp(0, len(self.fold_of) - 1)
        unseen = every.gather(0, self.fold_of[at][None])[0]
        return torch.where((position >= 0) & (position < len(self.fold_of)), unseen, every.mean(0))

    @property
    def knows_folds(self) -> bool:
        """Whether it is known which fold each training row was in; bundles of older versions did not store it."""
        return "fold_of" in self._buffers

    def _fit(self, number: int, x: np.ndarray, seed: int) -> None:
        reference = GaussianMixture(GaussianMixtureSettings(), seed)
        reference.fit(x)
        mixture, turn = reference.mixture, reference.leading.turn
        whiten = mixture.precisions_cholesky_  # (clouds, d, d)
        half_log_det = np.log(np.diagonal(whiten, axis1=1, axis2=2)).sum(1)
        constant = np.log(mixture.weights_) + half_log_det - 0.5 * whiten.shape[1] * np.log(2 * np.pi)
        values = {"means": mixture.means_, "whiten": whiten, "constant": constant}
        if turn is not None:
            values |= {"centre": turn.mean_, "directions": turn.components_}
        for name, value in values.items():
            self.put(f"{name}_{number}", torch.from_numpy(np.asarray(value, dtype=np.float32)))

    def _density(self, number: int, x: Tensor) -> Tensor:
        buffers = dict(self.named_buffers())
        means, whiten, constant = (buffers[f"{name}_{number}"] for name in ("means", "whiten", "constant"))
        z = x
        if f"centre_{number}" in buffers:
            away = x - buffers[f"centre_{number}"]
            z = away @ buffers[f"directions_{number}"].T
            rest = (away.square().sum(1) - z.square().sum(1)).clamp_min(1e-12).sqrt()
            z = torch.cat([z, rest[:, None]], 1)
        white = torch.einsum("kbd,kde->kbe", z - means[:, None], whiten)  # (clouds, b, d)
        return -torch.logsumexp(constant[:, None] - 0.5 * white.square().sum(2), 0)


def fold_of(n: int, seed: int) -> Tensor:
    """(n,) int64, the fold of each of n training rows."""
    folds = np.array_split(np.random.default_rng(seed).permutation(n), min(FOLDS, n))
    found = torch.empty(n, dtype=torch.int64)
    for number, fold in enumerate(folds):
        found[torch.from_numpy(fold)] = number
    return found
