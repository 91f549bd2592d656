"""Compress a window into one recurrent state and reconstruct the window backwards from it."""

from collections.abc import Iterable

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.methods.encoder import Encoder
from ad_core.methods.losses.channel_errors import ChannelErrors
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality


class LstmAutoencoderSettings(Settings):
    """Size of the state, and number of samples per step."""

    width: int = Field(48, ge=2, le=1024, description="Units of the state that a window is compressed into.")
    patch: int = Field(
        4, ge=1, le=256, description="Samples that are read and reconstructed per step; fewer in short windows."
    )


@PRETEXTS.register
class LstmAutoencoder(Pretext[LstmAutoencoderSettings]):
    """A normal window can be reconstructed from one recurrent state; an anomalous one can't.

    The encoder's last state is the decoder's first, which reconstructs the window from its end to its beginning. Its
    input is its own previous output, in training and in scoring, so that the state is all it knows of the window (in
    the source, the true values are its input in training).

    Loss: squared error, mean over all values [standard deviations squared]. Score: the squared error divided by the
    channel's mean squared error on training windows, tempered; mean over channels and time.
    """

    title = "Recurrent autoencoder"
    task = "Reconstruct the window backwards from one recurrent state."
    finds = "signals that break the normal pattern of the whole window"
    misses = "short and fine details, which it never reconstructs; faults that are simpler than normal windows"
    source = "Malhotra et al. 2016, LSTM-based encoder-decoder for multi-sensor anomaly detection, arXiv:1607.00148"
    modalities = frozenset({Modality.SENSOR})
    Settings = LstmAutoencoderSettings
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
    def encoder_shape(cls, settings: LstmAutoencoderSettings, shape: ItemShape) -> ItemShape:
        """One time step per patch, with the patch's samples of all channels."""
        patch, steps = _cut(settings, shape)
        parts = shape.parts.model_copy(update={"of_entry": shape.parts.of_entry * patch})
        return shape.model_copy(update={"size": (patch * shape.size[0], steps), "parts": parts})

    @classmethod
    def encoder_settings(cls, settings: LstmAutoencoderSettings, shape: ItemShape) -> dict[str, object]:  # noqa: ARG003
        return {"width": settings.width, "layers": 1}

    def loss(self, batch: Batch, draw: Draw) -> Tensor:  # noqa: ARG002
        return self._squares(batch.x).mean((1, 2))

    def finish(self, batches: Iterable[Batch]) -> None:
        """The mean squared error of each channel on the training windows."""
        self.errors.learn(self._squares(batch.x) for batch in batches)

    def score(self, x: Tensor, draw: Draw) -> Tensor:
        return self.part_scores(x, draw).mean((1, 2))

    def part_scores(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return self.errors(self._squares(x))  # (b, channel, time)

    def expected(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return self._rebuilt(x)

    def expected_range(self, x: Tensor, draw: Draw) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        return self.errors.span(self._rebuilt(x))

    def embed(self, x: Tensor) -> Tensor:
        """(b, width) the encoder's last state."""
        return self.encoder.parts(self._patches(x))[:, :, -1]

    def embed_parts(self, x: Tensor) -> Tensor:
        return self.encoder.parts(self._patches(x)).mT  # (b, steps, d)

    def _squares(self, x: Tensor) -> Tensor:
        return (x - self._rebuilt(x)).square()

    def _rebuilt(self, x: Tensor) -> Tensor:
        """(b, channel, time) the decoder's output from the encoder's last state, the last patch first."""
        h = self.embed(x)
        c, patches = torch.zeros_like(h), [self.out(h)]
        for _ in range(self.steps - 1):
            h, c = self.cell(patches[-1], (h, c))
            patches.append(self.out(h))
        steps = torch.stack(patches[::-1], 1).to(x.dtype)  # (b, steps, patch * channel)
        samples: Tensor = steps.unflatten(2, (self.patch, self.channels)).flatten(1, 2)
        return samples.mT[:, :, : self.time]

    def _patches(self, x: Tensor) -> Tensor:
        """(b, channel, time) -> (b, patch * channel, steps); the last patch is padded with 0."""
        padded = F.pad(x, (0, self.steps * self.patch - self.time))
        patches: Tensor = padded.mT.unflatten(1, (self.steps, self.patch)).flatten(2)
        return patches.mT


def _cut(settings: LstmAutoencoderSettings, shape: ItemShape) -> tuple[int, int]:
    """Samples per patch, few enough for at least four patches where possible, and patches per window."""
    time = shape.size[1]
    patch = max(1, min(settings.patch, time // 4))
    return patch, -(-time // patch)
