"""How well a task that asks "which of these k was it?" is solved, and what to say where the answer means little."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ad_core.types import Modality

TIMES_CHANCE = 1.5
"""Answers about held-out items that are right in at most so many times the share that guessing gives: nothing was
learnt."""

SOLVED, A_FEW_STEPS, LAST = 0.98, 20, 5
"""A puzzle of which so many answers are right after so few steps, in the last of them, is given away by something
simple."""

HARDLY = 0.6
"""What was done to an item is hardly recognised if at most this share of the answers about it is right."""

AS_GOOD_AS = 10
"""Weights start from so many synthetic items, all of whose answers are right: a few held-out items settle little."""

ITEMS = {Modality.TABLE: ("row", "rows"), Modality.IMAGE: ("image", "images"), Modality.SENSOR: ("window", "windows")}


@dataclass(frozen=True)
class AccuracyShares:
    """How well the questions are answered for items that did not teach."""

    right: Tensor
    """(k,) float32 share of right answers per question."""
    count: int
    """How many items were asked about."""

    @classmethod
    def of(cls, answers: Iterable[Tensor]) -> "AccuracyShares":
        """From (b, k, k) each, one at least: the answers [logits] about every item to each of the k questions, of which
        question i has the right answer i.
        """
        right, count = torch.zeros(()), 0
        for batch in answers:
            right, count = right + _right(batch).sum(0).cpu(), count + len(batch)
        return cls(right / count, count)

    @property
    def chance(self) -> float:
        """What guessing gives."""
        return 1 / len(self.right)

    def recognised(self) -> Tensor:
        """(k,) bool: whether what the question is about is recognised often enough."""
        return (self.count * self.right + AS_GOOD_AS) / (self.count + AS_GOOD_AS) > HARDLY

    def weights(self) -> Tensor:
        """(k,) from 0 to 1: by how much more often than by guessing each answer was right."""
        better = ((self.right - self.chance) / (1 - self.chance)).clamp_min(0)
        return (self.count * better + AS_GOOD_AS) / (self.count + AS_GOOD_AS)


class TaskAccuracy:
    """Watches the first training steps, and judges the answers about held-out items in words.

    Args:
        modality: for the words.
    """

    def __init__(self, modality: Modality) -> None:
        self.one, self.many = ITEMS[modality]
        self.first: list[float] = []

    def start(self) -> None:
        """Forget an earlier training."""
        self.first = []

    def watch(self, answers: Tensor, truth: Tensor | None = None) -> None:
        """A training step; only the first few are looked at.

        Args:
            answers: (b, k) logits; or (b, k, k), those to all k questions about every item.
            truth: (b,) the right answers; not needed where all questions were asked.
        """
        if len(self.first) < A_FEW_STEPS:
            right = _right(answers) if truth is None else answers.argmax(1) == truth
            self.first.append(float(right.float().mean()))

    def doubts(self, shares: AccuracyShares) -> list[str]:
        """A sentence where the puzzle was too hard or too easy for its score to say much; none else."""
        share = float(shares.right.mean())
        if share <= TIMES_CHANCE * shares.chance:
            return [
                f"Of the answers about {self._counted(shares.count)} that did not teach, {share:.0%} were right, where "
                f"guessing gives {shares.chance:.0%}: the task learnt next to nothing here, and its scores mean "
                f"little. Choose another pretext task."
            ]
        early = sum(self.first[-LAST:]) / LAST
        if len(self.first) == A_FEW_STEPS and early >= SOLVED:
            return [
                f"After {A_FEW_STEPS} training steps {early:.0%} of the answers were right already: something simple "
                f"gives them away, and {self.many} that don't disturb just that score as usual. Compare with another "
                f"pretext task."
            ]
        return []

    def hardly(self, shares: AccuracyShares, names: Sequence[str], consequence: str) -> list[str]:
        """A sentence that names what is hardly recognised, and what follows from that; none where nothing is."""
        known = zip(names, shares.right.tolist(), shares.recognised().tolist(), strict=True)
        found = [f"{name} ({share:.0%})" for name, share, recognised in known if not recognised]
        if not found:
            return []
        return [
            f"Hardly recognised on {self._counted(shares.count)} that did not teach, and {consequence}: "
            f"{', '.join(found)}."
        ]

    def _counted(self, count: int) -> str:
        return f"{count:,} {self.one if count == 1 else self.many}"


def surprises(answers: Tensor) -> Tensor:
    """Cross-entropy of each right answer, with all its digits where the answer is right but for a trifle.

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
