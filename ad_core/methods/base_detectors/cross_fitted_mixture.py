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
    """(b, entries) -> (b,) negative log-density [nat], mean over the folds' mixtures.

    Fitted by scikit-learn's EM through the reference `gaussian_mixture`; stored as means and whitening matrices.
    """

    @classmethod
    def of(cls, x: np.ndarray, seed: int) -> tuple[Self, np.ndarray]:
        """Fit a mixture to each three quarters of the rows.

        Returns:
            The detector, and (n,) the score of each row by the mixture that was fitted without it.
        """
        member, left_out = cls(), np.zeros(len(x))
        folds = np.array_split(np.random.default_rng(seed).permutation(len(x)), min(FOLDS, len(x)))
        rows = torch.from_numpy(np.asarray(x, dtype=np.float32))
        for number, fold in enumerate(folds):
            inside = np.ones(len(x), dtype=bool)
            inside[fold] = len(folds) == 1
            member._fit(number, x[inside], seed)
            with torch.no_grad():
                left_out[fold] = member._density(number, rows[fold]).double().numpy()
        return member, left_out

    def forward(self, x: Tensor, originals: SourceItems | None = None) -> Tensor:  # noqa: ARG002 - keeps no rows
        folds = sum(name.startswith("means_") for name, _ in self.named_buffers())
        return torch.stack([self._density(number, x) for number in range(folds)]).mean(0)

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
