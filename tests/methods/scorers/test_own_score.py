"""The task's own score, unchanged."""

import torch

from ad_core.methods.scorers.own_score import OwnScore, OwnScoreSettings
from ad_core.types import Draw, Modality
from tests.methods.scorers.test_nearest_normals import identity


def test_it_hands_on_what_the_task_says():
    x, task = torch.rand(3, 7), identity(Modality.TABLE)

    assert torch.equal(OwnScore(OwnScoreSettings())(task, x, Draw.shared(0)), x.mean(1))
    assert OwnScore(OwnScoreSettings()).part_scores(task, x, Draw.shared(0)) is None
