"""What every pretext task must do. Each check gets a `Case`: a task of one kind of data, trained for a few steps."""

import re
from dataclasses import dataclass

import numpy as np
import torch
from pydantic import BaseModel
from torch import Tensor

from ad_core.data.batches import Batches
from ad_core.data.item_set import ItemSet
from ad_core.methods.encoder import DEFAULT_ENCODER, build_encoder
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.pretext import Pretext
from ad_core.methods.scorer import SCORERS, TaskModel
from ad_core.training.fit import OF_MODALITY, Fit, TrainingSettings, train_task
from ad_core.types import Batch, Draw, Modality
from tests.contracts import items

CPU = torch.device("cpu")

SAME = {"rtol": 1e-5, "atol": 1e-5}
"""Sums of float32 in another order differ by about 1e-6 of the terms."""


@dataclass(frozen=True)
class Case:
    """A trained task on tiny items."""

    cls: type[Pretext]
    modality: Modality
    task: Pretext
    loss_before: float

    @property
    def item_set(self) -> ItemSet:
        return items.item_set(self.modality)

    @property
    def x(self) -> Tensor:
        """(12, *item) normal items that did not teach."""
        return self.item_set.take(np.arange(80, 92))

    def model(self) -> TaskModel:
        return own_score(self.task)


def own_score(task: Pretext) -> TaskModel:
    scorer = SCORERS.get("own_score")
    return TaskModel(task, scorer(scorer.Settings())).eval()


def untrained(cls: type[Pretext], modality: Modality) -> Pretext:
    settings, shape = cls.Settings(), items.shape(modality)
    name = cls.encoder_name or DEFAULT_ENCODER[modality]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return cls(
            settings,
            shape,
            build_encoder(name, cls.encoder_shape(settings, shape), cls.encoder_settings(settings, shape)),
        )


def trained(cls: type[Pretext], modality: Modality, steps: int = 60) -> Case:
    task, frame, split = untrained(cls, modality), items.item_set(modality), items.split()
    batches = Batches(frame, split.fit, 64, CPU)
    with torch.no_grad():
        task.prepare(batches)
        before = mean_loss(task, batches)
    settings = TrainingSettings.parse(OF_MODALITY[modality] | {"batch_size": 32, "max_steps": steps}, "training")
    train_task(task, Fit(frame, split), settings)
    return Case(cls, modality, task.eval(), before)


def mean_loss(task: Pretext, batches: Batches) -> float:
    task.eval()
    draw = Draw.per_item(1)
    with torch.no_grad():
        return float(torch.cat([task.loss(batch, draw) for batch in batches]).mean())


def learns(task: Pretext) -> bool:
    """Whether it has weights to train; if not, it is only prepared and finished."""
    return any(p.requires_grad for p in task.parameters())


def check_settings_are_documented_and_survive_json(case: Case) -> None:
    check_settings(case.cls.Settings)


def check_settings(settings: type[BaseModel]) -> None:
    for name, field in settings.model_fields.items():
        assert field.description, f"{settings.__name__}.{name} has no description"
        assert field.description.endswith("."), f"{settings.__name__}.{name}: the description is no sentence"
    default = settings()
    assert settings.model_validate_json(default.model_dump_json()) == default


def check_card_is_complete(case: Case) -> None:
    for text in ("title", "task", "finds", "misses", "source"):
        assert getattr(case.cls, text).strip(), f"{text} is empty"
    assert case.cls.task.endswith("."), "the task is no sentence"
    assert not re.search(r"\b(I|me|my|you|your)\b|\?", case.cls.task), "say what is predicted, in the imperative"
    assert case.modality in case.cls.modalities


def check_loss_is_one_finite_number_per_item_with_a_gradient(case: Case) -> None:
    task = untrained(case.cls, case.modality)
    batch = next(iter(Batches(case.item_set, np.arange(16), 16, CPU)))
    with torch.no_grad():
        task.prepare([batch])
    loss = task.loss(batch, Draw.per_item(0))
    assert loss.shape == (16,)
    assert loss.isfinite().all()
    if not learns(task):
        return
    loss.mean().backward()
    gradients = [p.grad for p in task.parameters() if p.grad is not None]
    assert all(g.isfinite().all() for g in gradients)
    assert any(g.abs().sum() > 0 for g in gradients)


def check_loss_uses_no_randomness_but_the_draw(case: Case) -> None:
    batch = next(iter(Batches(case.item_set, np.arange(16), 16, CPU)))
    before = torch.get_rng_state()
    with torch.no_grad():  # dropout is off: the task is in evaluation mode
        first, second = (case.task.loss(batch, Draw.per_item(3)) for _ in range(2))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert torch.equal(before, torch.get_rng_state())


def check_training_lowers_the_loss(case: Case) -> None:
    if not learns(case.task):
        return
    assert mean_loss(case.task, Batches(case.item_set, items.split().fit, 64, CPU)) < case.loss_before


def check_score_does_not_depend_on_the_rest_of_the_batch(case: Case) -> None:
    with torch.no_grad():
        whole = case.model().score(case.x)
        backwards = case.model().score(case.x.flip(0)).flip(0)
        pieces = torch.cat([case.model().score(part) for part in case.x.split([1, 4, 7])])
    assert whole.shape == (12,)
    torch.testing.assert_close(backwards, whole, **SAME)
    torch.testing.assert_close(pieces, whole, **SAME)


def check_score_is_the_same_at_every_call(case: Case) -> None:
    before = torch.get_rng_state()
    with torch.no_grad():
        assert torch.equal(case.model().score(case.x), case.model().score(case.x))
    assert torch.equal(before, torch.get_rng_state())


def check_expected_range_holds_what_is_expected(case: Case) -> None:
    with torch.no_grad():
        found = case.task.expected_range(case.x, Draw.shared(0))
    if found is None:
        return
    low, high = found
    assert low.shape == high.shape == case.x.shape
    assert (low <= high).all()
    assert low.isfinite().all()
    assert high.isfinite().all()


def check_reasons_against_a_kind_of_data_are_sentences(case: Case) -> None:
    assert not set(case.cls.not_for) & set(case.cls.modalities)
    assert all(reason.endswith(".") for reason in case.cls.not_for.values())


def check_score_has_a_gradient_if_it_says_so(case: Case) -> None:
    if not case.task.smooth:
        return
    x = items.far_off(case.modality).requires_grad_()
    score = case.model().score(x)
    (gradient,) = torch.autograd.grad(score.sum(), x)
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0


def check_far_off_item_scores_above_the_median_of_normal_ones(case: Case) -> None:
    with torch.no_grad():
        assert case.model().score(items.far_off(case.modality)).item() > case.model().score(case.x).median().item()


def check_shapes_of_what_it_says_about_an_item(case: Case) -> None:
    draw, shape = Draw.shared(0), items.shape(case.modality)
    with torch.no_grad():
        parts, expected = case.task.part_scores(case.x, draw), case.task.expected(case.x, draw)
        embedding, positions = case.task.embed(case.x), case.task.embed_parts(case.x)
        extras = case.task.extras(case.x, draw)
    if parts is not None:
        if case.modality is Modality.IMAGE:
            assert parts.ndim == 3
            assert len(parts) == 12
        else:
            wanted = (len(shape.parts.names),) if case.modality is Modality.TABLE else shape.size
            assert parts.shape == (12, *wanted)
    assert expected is None or expected.shape == case.x.shape
    assert embedding.ndim == 2
    assert len(embedding) == 12
    if positions is not None:
        assert positions.shape[:2] == (12, int(np.prod(case.task.encoder.grid)))
    assert all(values.shape == (12,) for values in extras.values())


def check_embedding_does_not_depend_on_the_rest_of_the_batch(case: Case) -> None:
    with torch.no_grad():
        whole, pieces = case.task.embed(case.x), torch.cat([case.task.embed(part) for part in case.x.split([5, 7])])
    torch.testing.assert_close(pieces, whole, **SAME)


def check_weights_make_another_instance_score_the_same(case: Case) -> None:
    other = untrained(case.cls, case.modality)
    other.load_state_dict({name: value.clone() for name, value in case.task.state_dict().items()})
    with torch.no_grad():
        torch.testing.assert_close(own_score(other).score(case.x), case.model().score(case.x), rtol=1e-5, atol=1e-7)


def check_encoder_takes_in_what_the_task_says(case: Case) -> None:
    wanted = case.cls.encoder_shape(case.task.settings, items.shape(case.modality))
    assert case.task.encoder.shape == wanted
    assert len(wanted.parts.of_entry) == wanted.size[0]


def check_everything_is_float32(case: Case) -> None:
    """Apple's GPUs know nothing longer."""
    with torch.no_grad():
        results = [case.model().score(case.x), case.task.embed(case.x), case.task.expected(case.x, Draw.shared(0))]
    for value in [*results, *case.task.state_dict().values(), *case.task.buffers()]:
        assert value is None or value.dtype in (torch.float32, torch.int64, torch.bool)


def check_float64_scores_agree(case: Case) -> None:
    """The scikit-learn face scores in float64."""
    task = untrained(case.cls, case.modality)
    task.load_state_dict(case.task.state_dict())
    with torch.no_grad():
        long = own_score(task.double()).score(case.x.double())
        short = case.model().score(case.x)
    assert long.dtype == torch.float64
    torch.testing.assert_close(
        long.float(), short, rtol=1e-3, atol=1e-3
    )  # float32 against float64 through a deep network


def check_bfloat16_gives_numbers(case: Case) -> None:
    task = untrained(case.cls, case.modality)
    batch = next(iter(Batches(case.item_set, np.arange(16), 16, CPU)))
    with torch.no_grad():
        task.prepare([batch])
    with torch.autocast("cpu", torch.bfloat16):
        loss = task.loss(batch, Draw.per_item(0))
        with torch.no_grad():
            task.finish([batch])
            score = own_score(task).score(case.x)
    if learns(task):
        loss.float().mean().backward()
    assert loss.isfinite().all()
    assert score.isfinite().all()
    assert all(p.grad.isfinite().all() for p in task.parameters() if p.grad is not None)


def check_an_item_as_its_own_copy_has_its_score(case: Case) -> None:
    x = case.item_set.take(np.arange(16))  # taught
    with torch.no_grad():
        torch.testing.assert_close(case.model().score_copies(x, SourceItems.each(x)), case.model().score(x), **SAME)


def check_class_column_may_be_there_or_not(case: Case) -> None:
    x = case.x
    with torch.no_grad():
        for cls in (None, torch.full((12,), -1), torch.arange(12) % 2):
            assert case.task.loss(Batch(x, cls), Draw.per_item(0)).isfinite().all()


CHECKS = [check for name, check in sorted(globals().items()) if name.startswith("check_") and name != "check_settings"]
