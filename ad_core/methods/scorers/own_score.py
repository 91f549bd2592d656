"""The pretext task's own score."""

from torch import Tensor

from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.pretext import Pretext
from ad_core.methods.scorer import SCORERS, Scorer
from ad_core.settings import Settings
from ad_core.types import Draw


class OwnScoreSettings(Settings):
    """There is nothing to set."""


@SCORERS.register
class OwnScore(Scorer[OwnScoreSettings]):
    """The anomaly score that the pretext task defines itself."""

    title = "The task's own score"
    about = "How badly the task is solved for an item. Shows which part of the item contributes, if the task does."
    source = "own"
    Settings = OwnScoreSettings

    def forward(self, task: Pretext, x: Tensor, draw: Draw) -> Tensor:
        return task.score(x, draw)

    def of_copies(self, task: Pretext, x: Tensor, draw: Draw, originals: SourceItems) -> Tensor:
        return task.score_copies(x, draw, originals)

    def part_scores(self, task: Pretext, x: Tensor, draw: Draw) -> Tensor | None:
        return task.part_scores(x, draw)
