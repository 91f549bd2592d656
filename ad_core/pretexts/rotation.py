"""Guess by how many quarter turns an image was rotated."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ad_core.encoder import Encoder
from ad_core.errors import MethodError
from ad_core.pretext import PRETEXTS, Pretext
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality


class RotationSettings(Settings):
    """There is nothing to set."""


@PRETEXTS.register
class Rotation(Pretext):
    """An image whose parts sit as usual betrays its orientation; an odd one does not.

    Loss: cross-entropy over the four turns [nat]. Score: its mean over all four.
    """

    title = "Rotation"
    asks = "By how much was I turned?"
    finds = "objects of the wrong kind, or standing the wrong way"
    misses = "small local defects; objects and textures that look the same when turned"
    source = "Gidaris et al. 2018, arXiv:1803.07728, eq. 2"
    modalities = frozenset({Modality.IMAGE})
    Settings = RotationSettings

    def __init__(self, settings: RotationSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        if shape.size[1] != shape.size[2]:
            raise MethodError(
                f"Rotation needs square images, but these are {shape.size[1]} high and {shape.size[2]} wide."
            )
        self.head = nn.Linear(encoder.d, 4)

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        turns = draw.integers(4, len(batch.x))
        item = torch.arange(len(batch.x), device=batch.x.device)
        return self._surprise(_all_turns(batch.x)[item, turns], turns)

    def score(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return self._all_surprises(x).mean(1)

    def extras(self, x: Tensor, draw: Draw) -> dict[str, Tensor]:  # noqa: ARG002
        """`rotation_spread`: how differently the four turns surprise; high = only some orientations look odd."""
        return {"rotation_spread": self._all_surprises(x).std(1)}

    def embed_parts(self, x: Tensor) -> Tensor:
        return self.encoder.parts(x).flatten(2).mT  # (b, positions, d)

    def _all_surprises(self, x: Tensor) -> Tensor:
        """(b, 4): no chance is left in a score, every turn is asked for."""
        turns = torch.arange(4, device=x.device).repeat(len(x))
        return self._surprise(_all_turns(x).flatten(0, 1), turns).view(-1, 4)

    def _surprise(self, turned: Tensor, turns: Tensor) -> Tensor:
        return cross_entropy(self.head(self.encoder(turned)).to(turned.dtype), turns, reduction="none")  # (b,)


def _all_turns(x: Tensor) -> Tensor:
    """(b, channel, y, x) -> (b, 4, channel, y, x): by 0, 1, 2 and 3 quarter turns."""
    return torch.stack([x.rot90(k, (2, 3)) for k in range(4)], 1)
