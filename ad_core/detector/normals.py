"""The training items that stay with a detector."""

from dataclasses import dataclass

from torch import Tensor


@dataclass
class Normals:
    """A sample of the training items: explanations take neighbours and baselines from it."""

    x: Tensor
    """(m, *item) float32."""
    row_ids: list[str]
    embeddings: Tensor
    """(m, d); the flattened items where the model has no embedding."""
