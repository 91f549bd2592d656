"""How far embeddings of items, turned in several ways, are from every class."""

import torch
from torch import Tensor

from ad_core.methods.losses.class_gaussians import gaussians, shared_whitening
from ad_core.methods.pretext import TensorGroup


class ClassDistances(TensorGroup):
    """A Gaussian of embeddings per class and way of turning; beside it one per class of the items' lengths."""

    def learn(self, cls: Tensor, length: Tensor | None, z: Tensor, ways_are_asked: bool) -> None:
        """From normal items.

        Args:
            cls: (n,) class codes, -1 = unknown: one more class.
            length: (n,) or None where lengths say nothing.
            z: (n, R, d).
            ways_are_asked: whether `nearnesses` is needed.
        """
        codes, points = cls.cpu().numpy(), z.cpu().double().numpy()
        found = dict(zip(("mean", "whiten"), gaussians(points, codes), strict=True))
        if length is not None:
            lengths = length.cpu().double().numpy()[:, None, None]
            found |= dict(zip(("length", "length_whiten"), gaussians(lengths, codes), strict=True))
        if ways_are_asked:
            found["probe"] = shared_whitening(points, codes)
        for name, value in found.items():
            self.put(name, torch.from_numpy(value).to(z))

    def squares(self, z: Tensor) -> Tensor:
        """(b, R, d) -> (b, classes, R) squared Mahalanobis distances from the classes turned alike."""
        squares = [
            torch.einsum("brd,rde->bre", z - mean, whiten.to(z.dtype)).to(z.dtype).square().sum(2)
            for mean, whiten in zip(self.mean, self.whiten, strict=True)  # type: ignore[arg-type]
        ]
        return torch.stack(squares, 1)

    def squares_of_length(self, length: Tensor) -> Tensor:
        """(b,) -> (b, classes, 1), from the lengths of the classes."""
        usual, unit = self.length[:, :, 0], self.length_whiten[:, :, 0, 0]  # type: ignore[index]
        return ((length[:, None, None] - usual) * unit).square()

    def nearnesses(self, z: Tensor) -> Tensor:
        """(b, R, d) -> (b, R, R): how near an item, turned in each way, comes to the nearest class in each way."""
        whitened = (z @ self.probe)[:, :, None, None] - self.mean @ self.probe  # type: ignore[operator]
        return -whitened.square().sum(4).amin(2)  # of (b, R, classes, R, d)
