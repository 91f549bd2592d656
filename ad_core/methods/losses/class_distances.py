"""Mahalanobis distances of the embeddings of transformed items from every class."""

import torch
from torch import Tensor

from ad_core.methods.losses.class_gaussians import gaussians, shared_whitening
from ad_core.methods.pretext import TensorGroup


class ClassDistances(TensorGroup):
    """A Gaussian of embeddings per class and transformation, and one of the items' lengths per class."""

    centre: Tensor
    mean: Tensor
    whiten: Tensor
    length: Tensor
    length_whiten: Tensor
    probe: Tensor

    def learn(self, cls: Tensor, length: Tensor | None, z: Tensor, with_probe: bool) -> None:
        """Fit on normal items.

        Args:
            cls: (n,) class codes; -1 = unknown, which is a further class.
            length: (n,) or None if lengths are not used.
            z: (n, R, d) embeddings after R transformations.
            with_probe: whether `nearnesses` will be called.
        """
        codes, points = cls.cpu().numpy(), z.cpu().double().numpy()
        found = dict(zip(("mean", "whiten"), gaussians(points, codes), strict=True))
        if length is not None:
            lengths = length.cpu().double().numpy()[:, None, None]
            found |= dict(zip(("length", "length_whiten"), gaussians(lengths, codes), strict=True))
        if with_probe:
            found["probe"] = shared_whitening(points, codes)
        for name, value in found.items():
            self.put(name, torch.from_numpy(value).to(z))

    def squares(self, z: Tensor) -> Tensor:
        """(b, R, d) -> (b, classes, R) squared Mahalanobis distances from the classes after the same transformation."""
        squares = [
            torch.einsum("brd,rde->bre", z - mean, whiten.to(z.dtype)).to(z.dtype).square().sum(2)
            for mean, whiten in zip(self.mean, self.whiten, strict=True)
        ]
        return torch.stack(squares, 1)

    def squares_of_length(self, length: Tensor) -> Tensor:
        """(b,) -> (b, classes, 1) squared distances from the lengths of the classes."""
        usual, unit = self.length[:, :, 0], self.length_whiten[:, :, 0, 0]
        return ((length[:, None, None] - usual) * unit).square()

    def nearnesses(self, z: Tensor) -> Tensor:
        """(b, R, d) -> (b, R, R): minus the squared distance of an item after each transformation to the nearest class
        after each transformation.
        """
        whitened = (z @ self.probe)[:, :, None, None] - self.mean @ self.probe
        return -whitened.square().sum(4).amin(2)  # of (b, R, classes, R, d)
