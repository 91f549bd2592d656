"""Accuracy of a classification pretext task, and warnings if its scores mean little."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ad_core.types import Modality

TIMES_CHANCE = 1.5
"""The task was not learnt if the accuracy on held-out items is at most this multiple of chance."""

SOLVED, A_FEW_STEPS, LAST = 0.98, 20, 5
"""The task is trivial (there is a shortcut) if the mean accuracy over the last LAST of the first A_FEW_STEPS training
steps is at least SOLVED."""

HARDLY = 0.6
"""A class counts as recognised if more than this share of its held-out items is classified correctly."""

AS_GOOD_AS = 10
"""Number of correctly classified pseudo-items that are added to the held-out ones: a few items say little."""

ITEMS = {Modality.TABLE: ("row", "rows"), Modality.IMAGE: ("image", "images"), Modality.SENSOR: ("window", "windows")}


@dataclass(frozen=True)
class AccuracyShares:
    """Accuracy on held-out items, per class."""

    right: Tensor
    """(k,) float32 share of correct predictions per class."""
    count: int
    """Number of items."""

    @classmethod
    def of(cls, answers: Iterable[Tensor]) -> "AccuracyShares":
        """From at least one (b, k, k): the logits for the k transformed copies of every item, of which copy i belongs
        to class i.
        """
        right, count = torch.zeros(()), 0
        for batch in answers:
            right, count = right + _right(batch).sum(0).cpu(), count + len(batch)
        return cls(right / count, count)

    @property
    def chance(self) -> float:
        """Accuracy of guessing."""
        return 1 / len(self.right)

    def recognised(self) -> Tensor:
        """(k,) bool: whether the class is recognised, see `HARDLY`."""
        return (self.count * self.right + AS_GOOD_AS) / (self.count + AS_GOOD_AS) > HARDLY

    def weights(self) -> Tensor:
        """(k,) from 0 (chance) to 1: accuracy of each class above chance."""
        better = ((self.right - self.chance) / (1 - self.chance)).clamp_min(0)
        return (self.count * better + AS_GOOD_AS) / (self.count + AS_GOOD_AS)


class TaskAccuracy:
    """Records the accuracy of the first training steps, and words the warnings about held-out items.

    Args:
        modality: says how items are called in the warnings.
    """

    def __init__(self, modality: Modality) -> None:
        self.one, self.many = ITEMS[modality]
        self.first: list[float] = []

    def start(self) -> None:
        """Forget an earlier training."""
        self.first = []

    def watch(self, answers: Tensor, truth: Tensor | None = None) -> None:
        """Record a training step; only the first few are kept.

        Args:
            answers: (b, k) logits; or (b, k, k) for all k copies of every item.
            truth: (b,) the right classes; not needed for all copies.
        """
        if len(self.first) < A_FEW_STEPS:
            right = _right(answers) if truth is None else answers.argmax(1) == truth
            self.first.append(float(right.float().mean()))

    def doubts(self, shares: AccuracyShares) -> list[str]:
        """One sentence if the task was too hard or too easy for its score to mean much; otherwise none."""
        share = float(shares.right.mean())
        if share <= TIMES_CHANCE * shares.chance:
            return [
                f"On {self._counted(shares.count)} {share:.0%} of the predictions were right, and guessing gives "
                f"{shares.chance:.0%}: the network learnt next to nothing, and its scores mean little. Choose another "
                f"pretext task."
            ]
        early = sum(self.first[-LAST:]) / LAST
        if len(self.first) == A_FEW_STEPS and early >= SOLVED:
            return [
                f"After {A_FEW_STEPS} training steps {early:.0%} of the predictions were right already: the task has a "
                f"shortcut, and {self.many} whose anomaly leaves the shortcut intact score as normal. Compare with "
                f"another pretext task."
            ]
        return []

    def hardly(self, shares: AccuracyShares, names: Sequence[str], consequence: str) -> list[str]:
        """One sentence that names the classes that are hardly recognised and the consequence; none if all are."""
        known = zip(names, shares.right.tolist(), shares.recognised().tolist(), strict=True)
        found = [f"{name} ({share:.0%})" for name, share, recognised in known if not recognised]
        if not found:
            return []
        return [f"Hardly recognised on {self._counted(shares.count)}, and {consequence}: {', '.join(found)}."]

    def _counted(self, count: int) -> str:
        return f"{count:,} held-out {self.one if count == 1 else self.many}"


def surprises(answers: Tensor) -> Tensor:
    """Cross-entropy of each copy's own class, accurate also where its probability is close to 1.

    Args:
        answers: (b, k, k) as for `AccuracyShares.of`.

    Returns:
        (b, k) [nat].
    """
    own = answers.diagonal(dim1=1, dim2=2)
    itself = torch.eye(answers.shape[1], dtype=torch.bool, device=answers.device)
    return softplus(answers.masked_fill(itself, -torch.inf).logsumexp(2) - own)


def _right(answers: Tensor) -> Tensor:
    """(b, k, k) -> (b, k)."""
    return answers.argmax(2) == torch.arange(answers.shape[1], device=answers.device)
