"""Read a window, keep one state of it, and tell the window backwards from that state alone."""

from collections.abc import Iterable

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.methods.encoder import Encoder
from ad_core.methods.losses.channel_errors import ChannelErrors
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.settings import Settings as AnySettings
from ad_core.types import Batch, Draw, ItemShape, Modality


class LstmAutoencoderSettings(AnySettings):
    """Size of the state, and how fast the window is read."""

    width: int = Field(48, ge=2, le=1024, description="Units of the state that a window is squeezed into.")
    patch: int = Field(
        4, ge=1, le=256, description="Samples that are read, and rebuilt, at a time; less in short windows."
    )


@PRETEXTS.register
class LstmAutoencoder(Pretext):
    """What can be told from one remembered state is usual; what was forgotten, or never learnt, is not.

    The encoder's last state starts the decoder, which rebuilds the window from its end to its begin. It goes on from
    what it has rebuilt itself, in training as in scoring, so that all it knows of the window is that state (in the
    source, training shows it the true values).

    Loss: squared error, mean over all values [standard deviations squared]. Score: mean over channels and time of the
    squared error as a tempered multiple of the channel's usual one.
    """

    title = "Recurrent autoencoder"
    asks = "Can you tell me backwards from memory?"
    finds = "courses that break the usual pattern of the whole window"
    misses = "short and fine details, which it never rebuilds; faults that are simpler than what is usual"
    source = "Malhotra et al. 2016, LSTM-based encoder-decoder for multi-sensor anomaly detection, arXiv:1607.00148"
    modalities = frozenset({Modality.SENSOR})
    Settings = LstmAutoencoderSettings
    settings: LstmAutoencoderSettings
    encoder_name = "lstm"

    def __init__(self, settings: LstmAutoencoderSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        self.channels, self.time = shape.size
        self.patch, self.steps = _cut(settings, shape)
        patch = self.channels * self.patch
        self.cell = nn.LSTMCell(patch, encoder.d)
        self.out = nn.Linear(encoder.d, patch)
        self.errors = ChannelErrors(self.channels)

    @classmethod
    def encoder_shape(cls, settings: AnySettings, shape: ItemShape) -> ItemShape:
        """Each step holds the samples of a patch of all channels."""
        patch, steps = _cut(settings, shape)
        parts = shape.parts.model_copy(update={"of_entry": shape.parts.of_entry * patch})
        return shape.model_copy(update={"size": (patch * shape.size[0], steps), "parts": parts})

    @classmethod
    def encoder_settings(cls, settings: AnySettings, shape: ItemShape) -> dict[str, object]:  # noqa: ARG003
        return {"width": settings.width, "layers": 1}  # type: ignore[attr-defined]

    def loss(self, batch: Batch, draw: Draw) -> Tensor:  # noqa: ARG002
        return self._squares(batch.x).mean((1, 2))

    def finish(self, batches: Iterable[Batch]) -> None:
        """The usual squared error of each channel."""
        self.errors.learn(self._squares(batch.x) for batch in batches)

    def score(self, x: Tensor, draw: Draw) -> Tensor:
        return self.part_scores(x, draw).mean((1, 2))

    def part_scores(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return self.errors(self._squares(x))  # type: ignore[no-any-return]  # (b, channel, time)

    def expected(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return self._rebuilt(x)

    def expected_range(self, x: Tensor, draw: Draw) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        return self.errors.span(self._rebuilt(x))

    def embed(self, x: Tensor) -> Tensor:
        """(b, width) the state that is kept of the window."""
        return self.encoder.parts(self._patches(x))[:, :, -1]

    def embed_parts(self, x: Tensor) -> Tensor:
        return self.encoder.parts(self._patches(x)).mT  # (b, steps, d)

    def _squares(self, x: Tensor) -> Tensor:
        return (x - self._rebuilt(x)).square()

    def _rebuilt(self, x: Tensor) -> Tensor:
        """(b, channel, time) what the decoder tells from the last state alone, the last patch first."""
        h = self.embed(x)
        c, told = torch.zeros_like(h), [self.out(h)]
        for _ in range(self.steps - 1):
            h, c = self.cell(told[-1], (h, c))
            told.append(self.out(h))
        patches = torch.stack(told[::-1], 1).to(x.dtype)  # (b, steps, patch * channel)
        return patches.unflatten(2, (self.patch, self.channels)).flatten(1, 2).mT[:, :, : self.time]  # type: ignore[no-any-return]

    def _patches(self, x: Tensor) -> Tensor:
        """(b, channel, time) -> (b, patch * channel, steps); the last patch is filled up with 0."""
        filled = F.pad(x, (0, self.steps * self.patch - self.time))
        return filled.mT.unflatten(1, (self.steps, self.patch)).flatten(2).mT  # type: ignore[no-any-return]


def _cut(settings: AnySettings, shape: ItemShape) -> tuple[int, int]:
    """Samples per patch, so that a window has four patches at least where it can, and patches per window."""
    time = shape.size[1]
    patch = max(1, min(settings.patch, time // 4))  # type: ignore[attr-defined]
    return patch, -(-time // patch)
