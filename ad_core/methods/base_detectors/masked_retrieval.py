"""Masked retrieval as a base detector, with a choice of the rows that it may retrieve."""

from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from ad_core.devices import seeded
from ad_core.methods.encoder import build_encoder
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.pretexts.masked_retrieval import MaskedRetrieval, MaskedRetrievalSettings
from ad_core.methods.scorer import SCORE_SEED
from ad_core.types import Batch, Draw, ItemShape


class RetrievalMember(nn.Module):
    """(b, entries) -> (b,) score of a masked-retrieval task."""

    def __init__(self, shape: ItemShape, settings: MaskedRetrievalSettings) -> None:
        super().__init__()
        self.task = MaskedRetrieval(settings, shape, build_encoder("flat", shape))

    @classmethod
    def of(
        cls, x: np.ndarray, kept: np.ndarray, shape: ItemShape, settings: MaskedRetrievalSettings, seed: int
    ) -> tuple[Self, np.ndarray]:
        """Fill its banks from some rows, and learn the distribution of the losses from all rows.

        Args:
            x: (n, entries).
            kept: (n,) bool, the rows that may be retrieved.

        Returns:
            The detector, and (n,) its scores of the rows, none of which is its own neighbour.
        """
        member, rows = cls(shape, settings).eval(), torch.from_numpy(x)
        with seeded(seed, torch.device("cpu")), torch.no_grad():
            member.task.prepare([Batch(rows[torch.from_numpy(kept)])])
            losses = torch.cat([member.task.cell_losses(piece, cls._draw(piece)) for piece in rows.split(1024)])
            member.task.learn_usual([losses])
            scores = member.task.surprise(losses).mean(1)
        return member, scores.double().numpy()

    def forward(self, x: Tensor, originals: SourceItems | None = None) -> Tensor:
        if originals is None:
            return self.task.score(x, self._draw(x))
        return self.task.score_copies(x, self._draw(x), originals)

    def part_scores(self, x: Tensor) -> Tensor:
        """(b, columns)."""
        return self.task.part_scores(x, self._draw(x))

    def expected(self, x: Tensor) -> Tensor:
        """(b, entries)."""
        return self.task.expected(x, self._draw(x))

    def expected_range(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(b, entries) twice."""
        return self.task.expected_range(x, self._draw(x))

    @staticmethod
    def _draw(x: Tensor) -> Draw:
        return Draw.shared(SCORE_SEED, x.device)
