"""Hide patches of a window and fill them in from what surrounds them."""

from collections.abc import Iterable

import torch
from pydantic import Field
from torch import Tensor, nn

from ad_core.methods.encoder import Encoder
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.methods.scorer import SCORE_SEED
from ad_core.settings import Settings as AnySettings
from ad_core.types import Batch, Draw, ItemShape, Modality

LEAST_ERROR = 0.01
"""Added to a channel's usual squared error: a channel that never errs must not turn rounding into alerts."""


class MaskedWindowSettings(AnySettings):
    """How much is hidden, and the size of the network."""

    patch: int = Field(8, ge=1, le=1024, description="Time steps that are hidden together; less in short windows.")
    hidden_share: float = Field(0.4, gt=0, lt=1, description="Share of the patches hidden in training.")
    all_channels_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of the windows in which a hidden patch spans all channels; the others hide single channels.",
    )
    groups: int = Field(
        3, ge=2, le=20, description="In scoring, patches are hidden in so many groups that together cover all."
    )
    width: int = Field(48, ge=2, le=1024, description="Channels of the network.")


@PRETEXTS.register
class MaskedWindow(Pretext):
    """What a recording did in a gap follows from before, after and the other channels, as long as all is as usual.

    Loss: mean squared error over the hidden values [standard deviations squared]. Score: mean over all values of the
    squared error as a multiple of the channel's usual one.
    """

    title = "Masked window"
    asks = "What happened while I was not shown?"
    finds = "courses that don't fit what is before, after and beside them; channels that no longer go together"
    misses = "anomalies far longer than the window; a shift of level of all channels at once"
    source = "Own form of masked-patch prediction; after He et al. 2022, Masked autoencoders, section 3"
    modalities = frozenset({Modality.SENSOR})
    Settings = MaskedWindowSettings
    settings: MaskedWindowSettings
    usual: Tensor

    def __init__(self, settings: MaskedWindowSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        self.channels, self.time = shape.size
        self.patch = max(1, min(settings.patch, self.time // 4))
        self.patches = -(-self.time // self.patch)
        self.head = nn.Conv1d(encoder.d, self.channels, 1)
        self.register_buffer("usual", torch.ones(self.channels, 1))

    @classmethod
    def encoder_shape(cls, settings: AnySettings, shape: ItemShape) -> ItemShape:  # noqa: ARG003
        """The window, and for each channel a course that says when it is hidden."""
        parts = shape.parts.model_copy(update={"of_entry": shape.parts.of_entry * 2})
        return shape.model_copy(update={"size": (2 * shape.size[0], shape.size[1]), "parts": parts})

    @classmethod
    def encoder_settings(cls, settings: AnySettings, shape: ItemShape) -> dict[str, object]:  # noqa: ARG003
        return {"width": settings.width}  # type: ignore[attr-defined]

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
        return self.encoder(self._shown(x, torch.zeros_like(x, dtype=torch.bool)))  # type: ignore[no-any-return]

    def embed_parts(self, x: Tensor) -> Tensor:
        return self.encoder.parts(self._shown(x, torch.zeros_like(x, dtype=torch.bool))).mT  # (b, time, d)

    def _hidden_errors(self, x: Tensor, draw: Draw) -> tuple[Tensor, Tensor]:
        """Mean squared error of each value while it was hidden, and the mean guess; (b, channel, time) both.

        Each value is hidden twice: once alone with random patches of all channels, once with its whole time span.
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
        return self.head(self.encoder.parts(self._shown(x, hidden)))  # type: ignore[no-any-return]  # (b, channel, time)

    def _over_time(self, patches: Tensor) -> Tensor:
        """(..., patches) -> (..., time)."""
        return patches.repeat_interleave(self.patch, -1)[..., : self.time]

    @staticmethod
    def _errors(guess: Tensor, x: Tensor) -> Tensor:
        return (guess.to(x.dtype) - x).square()

    @staticmethod
    def _shown(x: Tensor, hidden: Tensor) -> Tensor:
        return torch.cat([x * ~hidden, hidden.to(x.dtype)], 1)  # (b, 2 channel, time)
