"""Distance of a whole image from the most similar normal images, by pooled features of a backbone."""

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional as F

from ad_core.methods.pretext import TensorGroup

NEIGHBOURS = 5
"""Number of the most similar images."""

QUERIES = 1024
"""Number of images that are compared with the bank at a time."""


class GlobalFeatures(TensorGroup):
    """Mean of 1 - cosine to the nearest normal images.

    The features of each depth are averaged over the image and normalised to length 1, so that depths weigh the same.

    Source: Reiss et al. 2021, PANDA, arXiv:2010.05903, section 3.1 (k nearest neighbours of pretrained features).
    """

    bank: Tensor

    @classmethod
    def of(cls, embeddings: Tensor) -> Self:
        """With the (n, d) embeddings of normal images as the bank."""
        model = cls()
        model.put("bank", embeddings)
        return model

    def forward(self, embeddings: Tensor) -> Tensor:
        """(b, d) -> (b,)."""
        return torch.cat([self._distance(part) for part in embeddings.split(QUERIES)])

    def _distance(self, z: Tensor) -> Tensor:
        return 1 - (z @ self.bank.mT).topk(min(NEIGHBOURS, len(self.bank))).values.mean(1)


def pooled(features: Sequence[Tensor]) -> Tensor:
    """Features of some depths -> (b, d) of length 1."""
    parts = [F.normalize(f.mean((2, 3)), dim=1) for f in features]
    return F.normalize(torch.cat(parts, 1), dim=1)
