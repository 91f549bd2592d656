"""Distance of an item's embedding to the nearest embeddings of normal items."""

from collections.abc import Iterable

import torch
from pydantic import Field
from torch import Tensor

from ad_core.data.reservoir import drawn
from ad_core.methods.losses.reconstruction_error import worst_mean
from ad_core.methods.pretext import Pretext, TensorGroup
from ad_core.methods.scorer import SCORERS, Scorer
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, Modality

QUERIES = 1024
"""Number of embeddings that are compared with the bank at a time: bounds the memory for distances."""

WORST_PATCHES = 0.01
"""An image's score is the mean over this share of its patches, those with the largest distances."""


class NearestNormalsSettings(Settings):
    """Size of the bank of normal items, and whether patches are compared."""

    neighbours: int = Field(5, ge=1, le=100, description="Number of nearest normal items whose distance is averaged.")
    bank: int = Field(
        4000,
        ge=1,
        le=200_000,
        description="Maximum number of stored embeddings of normal items (or image patches), drawn at random.",
    )
    patches: bool = Field(
        True,
        description="Images only: compare patches, which finds local defects and gives a map; otherwise whole images.",
    )


@SCORERS.register
class NearestNormals(Scorer[NearestNormalsSettings]):
    """Mean Euclidean distance to the nearest embeddings of normal items, each dimension divided by its spread.

    Images are compared patch by patch if the task embeds patches. Windows are compared as a whole: neighbouring time
    steps see nearly the same subsequence, so comparing each of them adds little and takes far longer.
    """

    title = "Nearest normals"
    about = "Distance of the item's embedding to the most similar normal items; for images patch by patch, with a map."
    source = (
        "Ramaswamy et al. 2000, Efficient algorithms for mining outliers; patches: Roth et al. 2022, PatchCore, eq. 6"
    )
    Settings = NearestNormalsSettings

    def __init__(self, settings: NearestNormalsSettings) -> None:
        super().__init__(settings)
        self.normal = _Bank()

    def fit(self, task: Pretext, batches: Iterable[Batch]) -> None:
        bank = drawn((self._embedded(task, b.x).flatten(0, 1) for b in batches), self.settings.bank)
        spread = bank.std(0, correction=0)
        spread = torch.where(spread > 1e-6, spread, 1.0)  # a constant dimension is not scaled
        self.normal.put("spread", spread)
        self.normal.put("bank", bank / spread)

    def forward(self, task: Pretext, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        distances = self._distances(self._embedded(task, x))  # (b, positions)
        return worst_mean(distances, WORST_PATCHES)

    def part_scores(self, task: Pretext, x: Tensor, draw: Draw) -> Tensor | None:  # noqa: ARG002
        distances = self._distances(self._embedded(task, x))
        return None if distances.shape[1] == 1 else distances.unflatten(1, task.encoder.grid)  # (b, y, x)

    def _embedded(self, task: Pretext, x: Tensor) -> Tensor:
        """(b, positions, d); one position where whole items are compared."""
        if task.shape.modality is Modality.IMAGE and self.settings.patches:
            parts = task.embed_parts(x)
            if parts is not None:
                return parts
        return task.embed(x)[:, None]

    def _distances(self, z: Tensor) -> Tensor:
        """(b, positions, d) -> (b, positions)."""
        scaled = (z / self.normal.spread).flatten(0, 1)
        return torch.cat([self._mean_distance(part) for part in scaled.split(QUERIES)]).view(z.shape[:2])

    def _mean_distance(self, z: Tensor) -> Tensor:
        """(q, d) -> (q,). Neighbours are searched without gradient; their distances are then recomputed with one."""
        bank = self.normal.bank
        k = min(self.settings.neighbours, len(bank))
        with torch.no_grad():
            nearest = torch.cdist(z, bank).topk(k, largest=False).indices  # (q, k)
        squares = (z[:, None] - bank[nearest]).square().sum(2)
        return squares.clamp_min(1e-12).sqrt().mean(1)  # the root has no gradient at 0


class _Bank(TensorGroup):
    spread: Tensor
    bank: Tensor
