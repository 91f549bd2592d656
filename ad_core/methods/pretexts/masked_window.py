"""Hide patches of a window and predict them from the rest of it."""

from collections.abc import Iterable

import torch
from pydantic import Field
from torch import Tensor, nn

from ad_core.methods.encoder import Encoder
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.methods.scorer import SCORE_SEED
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality

LEAST_ERROR = 0.01
"""Added to a channel's mean squared error: otherwise rounding would raise the score of a channel without errors."""


class MaskedWindowSettings(Settings):
    """Share of hidden patches, and size of the network."""

    patch: int = Field(
        8, ge=1, le=1024, description="Number of time steps that are hidden together; fewer in short windows."
    )
    hidden_share: float = Field(0.4, gt=0, lt=1, description="Share of the patches hidden in training.")
    all_channels_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of the windows in which a hidden patch spans all channels; the others hide single channels.",
    )
    groups: int = Field(
        3,
        ge=2,
        le=20,
        description="In scoring: number of groups into which the patches are divided; one group is hidden at a time.",
    )
    width: int = Field(48, ge=2, le=1024, description="Channels of the network.")


@PRETEXTS.register
class MaskedWindow(Pretext[MaskedWindowSettings]):
    """In a normal recording a hidden patch follows from the samples before and after it and the other channels.

    Loss: mean squared error over the hidden values [standard deviations squared]. Score: the squared error divided by
    the channel's mean squared error on training windows; mean over all values.
    """

    title = "Masked window"
    task = "Predict hidden patches of the window from the rest of it."
    finds = "signals that don't fit what is before, after and beside them; channels that no longer go together"
    misses = "anomalies far longer than the window; a shift of level of all channels at once"
    source = "Own form of masked-patch prediction; after He et al. 2022, Masked autoencoders, section 3"
    modalities = frozenset({Modality.SENSOR})
    Settings = MaskedWindowSettings
    usual: Tensor

    def __init__(self, settings: MaskedWindowSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        self.channels, self.time = shape.size
        self.patch = max(1, min(settings.patch, self.time // 4))
        self.patches = -(-self.time // self.patch)
        self.head = nn.Conv1d(encoder.d, self.channels, 1)
        self.register_buffer("usual", torch.ones(self.channels, 1))

    @classmethod
    def encoder_shape(cls, settings: MaskedWindowSettings, shape: ItemShape) -> ItemShape:  # noqa: ARG003
        """The window, and for each channel a mask over time of the hidden patches."""
        parts = shape.parts.model_copy(update={"of_entry": shape.parts.of_entry * 2})
        return shape.model_copy(update={"size": (2 * shape.size[0], shape.size[1]), "parts": parts})

    @classmethod
    def encoder_settings(cls, settings: MaskedWindowSettings, shape: ItemShape) -> dict[str, object]:  # noqa: ARG003
        return {"width": settings.width}

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        b, share = len(batch.x), self.settings.hidden_share
        cells = draw.bernoulli(share, b, self.channels, self.patches)
        spans = draw.bernoulli(share, b, 1, self.patches).expand_as(cells)
        hidden = torch.where(draw.bernoulli(self.settings.all_channels_share, b, 1, 1), spans, cells)
        hidden = self._over_time(hidden)
        errors = self._errors(self._guess(batch.x, hidden), batch.x)
        return (errors * hidden).sum((1, 2)) / hidden.sum((1, 2)).clamp_min(1)

    def finish(self, batches: Iterable[Batch]) -> None:
        total, count = torch.zeros_like(self.usual), 0
        for batch in batches:
            errors, _ = self._hidden_errors(batch.x, Draw.shared(SCORE_SEED, batch.x.device))
            total, count = total + errors.sum((0, 2))[:, None], count + len(errors) * self.time
        self.usual = total / count

    def score(self, x: Tensor, draw: Draw) -> Tensor:
        return self.part_scores(x, draw).mean((1, 2))

    def part_scores(self, x: Tensor, draw: Draw) -> Tensor:
        errors, _ = self._hidden_errors(x, draw)
        return errors / (self.usual + LEAST_ERROR)  # (b, channel, time)

    def expected(self, x: Tensor, draw: Draw) -> Tensor:
        return self._hidden_errors(x, draw)[1]

    def embed(self, x: Tensor) -> Tensor:
        return self.encoder(self._shown(x, torch.zeros_like(x, dtype=torch.bool)))

    def embed_parts(self, x: Tensor) -> Tensor:
        return self.encoder.parts(self._shown(x, torch.zeros_like(x, dtype=torch.bool))).mT  # (b, time, d)

    def _hidden_errors(self, x: Tensor, draw: Draw) -> tuple[Tensor, Tensor]:
        """Mean squared error of each value while it was hidden, and the mean prediction; (b, channel, time) both.

        Each value is hidden twice: once with random patches of single channels, once together with all channels.
        """
        b, groups = len(x), self.settings.groups
        place = draw.uniform(b, self.channels * self.patches).argsort(1).argsort(1).view(b, self.channels, self.patches)
        span = draw.uniform(b, 1, self.patches).argsort(2).argsort(2).expand_as(place)
        group = torch.stack([place, span], 1) % min(groups, self.patches)  # (b, 2, channel, patches)
        hidden = group.unsqueeze(2) == torch.arange(min(groups, self.patches), device=x.device).view(1, 1, -1, 1, 1)
        hidden = self._over_time(hidden.flatten(1, 2))  # (b, masks, channel, time)
        guesses = self._guess(x.repeat_interleave(hidden.shape[1], 0), hidden.flatten(0, 1)).unflatten(
            0, hidden.shape[:2]
        )
        errors = self._errors(guesses, x[:, None])
        return (errors * hidden).sum(1) / 2, (guesses.to(x.dtype) * hidden).sum(1) / 2

    def _guess(self, x: Tensor, hidden: Tensor) -> Tensor:
        guess: Tensor = self.head(self.encoder.parts(self._shown(x, hidden)))
        return guess  # (b, channel, time)

    def _over_time(self, patches: Tensor) -> Tensor:
        """(..., patches) -> (..., time)."""
        return patches.repeat_interleave(self.patch, -1)[..., : self.time]

    @staticmethod
    def _errors(guess: Tensor, x: Tensor) -> Tensor:
        return (guess.to(x.dtype) - x).square()

    @staticmethod
    def _shown(x: Tensor, hidden: Tensor) -> Tensor:
        return torch.cat([x * ~hidden, hidden.to(x.dtype)], 1)  # (b, 2 channel, time)
