"""Hide some cells of a row and predict them from the others."""

from collections.abc import Iterable
from typing import Self, cast

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn.functional import pad

from ad_core.methods.encoder import Encoder
from ad_core.methods.kernel_imputation import KernelImputation
from ad_core.methods.losses.cell_loss import CellLoss, compressed
from ad_core.methods.moments import mean_and_spread
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.methods.scorer import SCORE_SEED
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality

FAR = 6.0
"""Entries are clipped to this many standard deviations in the network's input; the predicted values are not."""

HEADS = 2
"""Number of kernels that impute hidden cells if `retrieved` is set."""


class MaskedCellsSettings(Settings):
    """Share of hidden cells, and size of the network."""

    mask_from: float = Field(0.1, ge=0, le=0.95, description="Smallest share of a row's cells hidden in training.")
    mask_to: float = Field(0.6, ge=0.05, le=1, description="Largest share of a row's cells hidden in training.")
    groups: int = Field(
        4,
        ge=1,
        le=50,
        description="In scoring: number of groups into which the cells are divided; one group is hidden at a time.",
    )
    rounds: int = Field(
        3, ge=1, le=50, description="In scoring: number of times that each cell is hidden, with other cells each time."
    )
    width: int = Field(96, ge=2, le=4096, description="Units per layer of the network.")
    retrieved: bool = Field(
        False,
        description="Also show the network the values of up to 1,024 similar training rows in the hidden cells.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.mask_from > self.mask_to:
            raise ValueError(f"mask_from ({self.mask_from}) must not be larger than mask_to ({self.mask_to})")
        return self


@PRETEXTS.register
class MaskedCells(Pretext[MaskedCellsSettings]):
    """In a normal row each cell follows from the others; a large loss shows which cell does not.

    Loss: `CellLoss`, mean over the hidden cells. Score: (loss - m) / (s + 0.01), mean over all columns, with m and s
    the mean and standard deviation of the column's loss over the training rows.

    With `retrieved`, two kernels impute the hidden cells from a bank of training rows (`KernelImputation`). Both
    imputations are inputs of the network, and numbers are predicted as a difference from their mean; the last layer's
    initial weights are divided by ten.
    """

    title = "Masked cells"
    task = "Predict hidden cells from the rest of the row."
    finds = "cells that contradict the rest of their row, and combinations that don't occur"
    misses = "columns that depend on no other; anomalies that are frequent in training"
    source = "Own form of masked-cell prediction; after Yin et al. 2024, MCM, ICLR, eq. 4 and 7"
    modalities = frozenset({Modality.TABLE})
    Settings = MaskedCellsSettings
    owner: Tensor
    usual: Tensor
    spread: Tensor

    def __init__(self, settings: MaskedCellsSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        self.columns = len(shape.parts.names)
        self.cells = CellLoss(shape.parts)
        self.head = nn.Linear(encoder.d, self.cells.outputs)
        self.retrieval: KernelImputation | None = None
        if settings.retrieved:
            self.retrieval = KernelImputation(shape.parts.of_entry, HEADS)
            with torch.no_grad():
                self.head.weight.mul_(0.1)
                self.head.bias.mul_(0.1)
        self.register_buffer("usual", torch.zeros(self.columns))
        self.register_buffer("spread", torch.ones(self.columns))
        self.register_buffer("owner", torch.tensor(shape.parts.of_entry), persistent=False)

    @classmethod
    def encoder_shape(cls, settings: MaskedCellsSettings, shape: ItemShape) -> ItemShape:
        """The row, a flag per column that says whether it is hidden, and the imputations of the hidden entries."""
        entries, columns = shape.parts.of_entry, tuple(range(len(shape.parts.names)))
        filled_in = entries * HEADS if settings.retrieved else ()
        of_entry = (*entries, *columns, *filled_in)
        parts = shape.parts.model_copy(update={"of_entry": of_entry})
        return shape.model_copy(update={"size": (len(of_entry),), "parts": parts})

    @classmethod
    def encoder_settings(cls, settings: MaskedCellsSettings, shape: ItemShape) -> dict[str, object]:  # noqa: ARG003
        return {"width": settings.width}

    def prepare(self, batches: Iterable[Batch]) -> None:
        self.cells.learn(batches)
        if self.retrieval is not None:
            self.retrieval.learn(batches)

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        b, settings = len(batch.x), self.settings
        share = settings.mask_from + (settings.mask_to - settings.mask_from) * draw.uniform(b, 1)
        hidden = draw.bernoulli(share, b, self.columns)  # (b, columns)
        hidden = hidden.scatter(1, draw.integers(self.columns, b, 1), True)  # at least one
        losses = self.cells(self._guess(batch.x, hidden), batch.x)
        return (losses * hidden).sum(1) / hidden.sum(1)

    def finish(self, batches: Iterable[Batch]) -> None:
        """Mean loss of each column and its standard deviation, with the same masks as in scoring."""
        losses = (self._cell_losses(b.x, Draw.shared(SCORE_SEED, b.x.device)) for b in batches)
        usual, spread = mean_and_spread(losses)
        self.usual, self.spread = usual.to(self.usual), spread.to(self.spread)

    def score(self, x: Tensor, draw: Draw) -> Tensor:
        return self.part_scores(x, draw).mean(1)

    def score_copies(self, x: Tensor, draw: Draw, originals: SourceItems) -> Tensor:
        return self._surprise(self._cell_losses(x, draw, originals.items[originals.of])).mean(1)

    def part_scores(self, x: Tensor, draw: Draw) -> Tensor:
        return self._surprise(self._cell_losses(x, draw))

    def _surprise(self, losses: Tensor) -> Tensor:
        return (losses - self.usual) / (self.spread + 0.01)  # (b, columns)

    def expected(self, x: Tensor, draw: Draw) -> Tensor:
        guesses, hidden = self._guesses(x, draw)
        expected: Tensor = self.cells.expected(guesses.flatten(0, 1)).unflatten(0, hidden.shape[:2])
        return (expected * hidden[:, :, self.owner]).sum(1) / self.settings.rounds  # of (b, masks, entries)

    def embed(self, x: Tensor) -> Tensor:
        nothing = x.new_zeros(len(x), self.columns, dtype=torch.bool)
        return self.encoder(self._shown(x, nothing, self._retrieved(x, nothing)))

    def _cell_losses(self, x: Tensor, draw: Draw, sources: Tensor | None = None) -> Tensor:
        """(b, columns): loss of each cell while it was hidden, mean over the rounds.

        Args:
            sources: (b, entries) the rows that x are changed copies of.
        """
        guesses, hidden = self._guesses(x, draw, sources)
        rows = x.repeat_interleave(hidden.shape[1], 0)
        losses = self.cells(guesses.flatten(0, 1), rows).unflatten(0, hidden.shape[:2])  # (b, masks, columns)
        return (compressed(losses) * hidden).sum(1) / self.settings.rounds

    def _guesses(self, x: Tensor, draw: Draw, sources: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(b, masks, outputs) predictions and (b, masks, columns) the masks: each column is hidden once per round."""
        groups = min(self.settings.groups, self.columns)
        place = draw.uniform(len(x), self.settings.rounds, self.columns).argsort(2).argsort(2)  # (b, rounds, columns)
        hidden = (place % groups).unsqueeze(2) == torch.arange(groups, device=x.device)[:, None]
        hidden = hidden.flatten(1, 2)  # (b, rounds * groups, columns)
        rows, of = (None if part is None else part.repeat_interleave(hidden.shape[1], 0) for part in (x, sources))
        guesses = self._guess(cast(Tensor, rows), hidden.flatten(0, 1), of)
        return guesses.unflatten(0, hidden.shape[:2]), hidden

    def _guess(self, x: Tensor, hidden: Tensor, sources: Tensor | None = None) -> Tensor:
        """(b, entries), (b, columns) -> (b, outputs)."""
        retrieved = self._retrieved(x, hidden, sources)
        outputs: Tensor = self.head(self.encoder(self._shown(x, hidden, retrieved)))
        if retrieved is None:
            return outputs
        start = retrieved.mean(1)[:, self.cells.number_at]  # the outputs for numbers come first
        return outputs.to(x.dtype) + pad(start, (0, outputs.shape[1] - start.shape[1]))

    def _retrieved(self, x: Tensor, hidden: Tensor, sources: Tensor | None = None) -> Tensor | None:
        """(b, heads, entries), or None without a bank."""
        return None if self.retrieval is None else self.retrieval(x, hidden, sources)

    def _shown(self, x: Tensor, hidden: Tensor, retrieved: Tensor | None) -> Tensor:
        """(b, *encoder_shape.size), the encoder's input."""
        unseen = hidden if self.cells.plain else hidden[:, self.owner]
        shown = [x.clamp(-FAR, FAR) * ~unseen, hidden.to(x.dtype)]
        if retrieved is not None:
            shown.append((retrieved * unseen[:, None]).flatten(1))
        return torch.cat(shown, 1)
