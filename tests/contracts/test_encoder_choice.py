"""Every encoder that a pretext task may be given instead of its usual one works with it."""

from functools import lru_cache

import numpy as np
import pytest
import torch

from ad_core.data.batches import Batches
from ad_core.errors import MethodError
from ad_core.methods.encoder import ENCODERS, EncoderChoice
from ad_core.methods.pretext import PRETEXTS
from ad_core.training.fit import build_model
from ad_core.types import Draw, Modality
from tests.contracts import items
from tests.contracts.checkpoint import write_checkpoint
from tests.contracts.checks import CPU

ALL = [
    (task, modality, name)
    for modality in Modality
    for task in PRETEXTS.names(modality)
    for name in ENCODERS.names(modality)
    if not PRETEXTS.get(task).encoder_name and modality not in PRETEXTS.get(task).without_encoder
    if name != PRETEXTS.get(task).usual_encoder(modality)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    @lru_cache
    def written() -> str:
        write_checkpoint(folder := tmp_path_factory.mktemp("checkpoint"))
        return str(folder)

    return written


@pytest.mark.parametrize(("task", "modality", "name"), ALL)
def test_task_learns_and_scores_with_another_encoder(task, modality, name, folder):
    own = {"folder": folder()} if "folder" in ENCODERS.get(name).needs else {}
    cls, shape, choice = PRETEXTS.get(task), items.shape(modality), EncoderChoice(name=name, settings=own)
    if ENCODERS.get(name).pretrained and cls.encoder_shape(cls.Settings(), shape).size[0] != shape.size[0]:
        with pytest.raises(MethodError, match="Choose another encoder or another pretext task"):
            build_model(task, "own_score", shape, {}, {}, choice)
        return
    model = build_model(task, "own_score", shape, {}, {}, choice)
    batch = next(iter(Batches(items.item_set(modality), np.arange(16), 16, CPU)))

    with torch.no_grad():
        model.task.eval().prepare([batch])
    loss = model.task.train().loss(batch, Draw.per_item(0))
    taught = [p for p in model.task.parameters() if p.requires_grad]
    loss.mean().backward()
    with torch.no_grad():
        model.task.eval().finish([batch])
        score = model.score(batch.x)

    assert model.task.encoder.name == name
    assert loss.isfinite().all()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in taught)
    assert score.shape == (16,)
    assert score.isfinite().all()
