"""Augmentations of windows: time reversal, sign flip, crop, scaling, dropped channels and noise."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from ad_core.errors import MethodError
from ad_core.methods.augmentations.permutations import far_apart
from ad_core.types import Draw, ItemShape

SEGMENTS = 4
"""Number of segments that are exchanged."""


class WindowAugmentations(nn.Module):
    """Copy 0 is not transformed, copy r by the r-th of: time reversal, sign flip, both, four segments exchanged.

    Args:
        shape: of a window.
        ways: number of transformations, the first being none.
        noise: added to every copy, in standard deviations.
        scaling: standard deviation of the factor, around 1, by which a copy's channels are multiplied.
        crop: least share of the window that a copy shows, resampled to its length.
        dropout: share of a copy's channels that are set to their mean; never for a single channel.

    Raises:
        MethodError: there are not that many transformations.
    """

    def __init__(self, shape: ItemShape, ways: int, noise: float, scaling: float, crop: float, dropout: float) -> None:
        super().__init__()
        turns = _turns(shape.size[1])
        if ways > len(turns):
            raise MethodError(
                f"There are {len(turns)} transformations of a window, not {ways}. Lower pretext.transformations."
            )
        self.names, self.turns = list(turns)[:ways], list(turns.values())[:ways]
        self.noise, self.scaling, self.crop = noise, scaling, crop
        self.dropout = dropout if shape.size[0] > 1 else 0.0

    def learn(self, chunks: Iterable[Tensor]) -> None:
        """Nothing to learn."""

    def disturbed(self, x: Tensor, draw: Draw) -> Tensor:
        """(b, channel, time) -> (b, ways, channel, time): cropped, scaled, without some channels, noisy."""
        b, channels, time = x.shape
        ways = len(self.names)
        factor = 1 + self.scaling * draw.normal(b, ways, channels, 1).to(x.dtype)
        kept = ~draw.bernoulli(self.dropout, b, ways, channels, 1)
        noise = draw.normal(b, ways, channels, time).to(x.dtype)
        return self._cropped(x, draw) * factor * kept + self.noise * noise

    def forward(self, copies: Tensor) -> Tensor:
        """(b, ways, channel, time) -> the same size, copy r after transformation r."""
        return torch.stack([turn(copy) for turn, copy in zip(self.turns, copies.unbind(1), strict=True)], 1)

    def _cropped(self, x: Tensor, draw: Draw) -> Tensor:
        """(b, ways, channel, time) crops of the window, interpolated linearly to its length."""
        b, channels, time = x.shape
        length, start = draw.uniform(b, len(self.names), 2, 1).to(x.dtype).unbind(2)  # (b, ways, 1)
        length = self.crop + (1 - self.crop) * length
        place = torch.linspace(0, 1, time, device=x.device, dtype=x.dtype)
        at = (start * (1 - length) + place * length) * (time - 1)  # (b, ways, time)
        before = at.long().clamp(0, max(0, time - 2))
        share = (at - before)[:, :, None]  # (b, ways, 1, time)
        wide = x[:, None].expand(-1, len(self.names), -1, -1)
        index = before[:, :, None].expand(-1, -1, channels, -1)
        after = (index + 1).clamp_max(time - 1)
        return wide.gather(3, index) * (1 - share) + wide.gather(3, after) * share


def _turns(time: int) -> dict[str, Callable[[Tensor], Tensor]]:
    """Transformations of (b, channel, time) windows by name; samples that fill no segment are not moved."""
    length, order = time // SEGMENTS, far_apart(SEGMENTS, 2)[1].tolist()

    def exchanged(x: Tensor) -> Tensor:
        pieces = [x[..., place * length : (place + 1) * length] for place in order]
        return torch.cat([*pieces, x[..., SEGMENTS * length :]], -1)

    return {
        "nothing done": lambda x: x,
        "time reversal": lambda x: x.flip(-1),
        "sign flip": lambda x: -x,
        "reversal and sign flip": lambda x: -x.flip(-1),
        "segments exchanged": exchanged,
    }
