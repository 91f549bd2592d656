"""The training loop: when it stops, what it keeps, and what it does when something runs out."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from ad_core.data.batches import Batches
from ad_core.data.item_set import Split
from ad_core.errors import Cancelled, DataError, MethodError, ResourceError, SettingsError
from ad_core.methods.encoder import EncoderChoice, build_encoder
from ad_core.methods.pretext import PRETEXTS, Pretext, TrainingProgress
from ad_core.methods.reference import MAX_FIT_ROWS
from ad_core.progress import Silent
from ad_core.settings import Settings
from ad_core.training.fit import (
    PRESETS,
    Fit,
    TrainingSettings,
    build_model,
    embed_items,
    fit_reference,
    fit_task_model,
    score_items,
    train_task,
    training_settings,
)
from ad_core.training.loop import _Best
from ad_core.types import Modality
from tests.contracts import items
from tests.contracts.checks import CPU, untrained

TABLE = items.item_set(Modality.TABLE)
SPLIT = items.split()


class Following(Silent):
    """Remembers everything; asks to stop after so many steps."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.steps: list[tuple[float, dict[str, float]]] = []
        self.said: list[str] = []
        self.stop_after = stop_after

    def step(self, done: float, **facts: float) -> None:
        self.steps.append((done, facts))

    def say(self, message: str) -> None:
        self.said.append(message)

    def check(self) -> None:
        if self.stop_after is not None and len(self.steps) >= self.stop_after:
            raise Cancelled("Stopped.")


class Nothing(Settings):
    """There is nothing to set."""


class Toy(Pretext):
    """Learns one number; the loss is its squared distance to a target that tells training from evaluation."""

    modalities = frozenset({Modality.TABLE})
    while_training, held_out = 1.0, 1.0

    def __init__(self) -> None:
        super().__init__(Nothing(), items.shape(Modality.TABLE), build_encoder("flat", items.shape(Modality.TABLE)))
        self.number = nn.Parameter(torch.zeros(()))
        self.log: list[str] = []

    def prepare(self, batches) -> None:
        self.log.append(f"prepare {self.training} {torch.is_grad_enabled()} {sum(len(b.x) for b in batches)}")

    def finish(self, batches) -> None:
        self.log.append(f"finish {self.training} {torch.is_grad_enabled()} {sum(len(b.x) for b in batches)}")

    def loss(self, batch, draw):
        target = self.while_training if self.training else self.held_out
        return (self.number - target).square().expand(len(batch.x))

    def score(self, x, draw):
        return x.sum(1) + self.number


def train(task: Pretext, report=None, split: Split = SPLIT, **settings):
    return train_task(task, Fit(TABLE, split, report=report or Silent()), TrainingSettings(**settings))


def test_it_learns_and_reports_every_step():
    task, report = Toy(), Following()

    summary = train(task, report, max_steps=100, learning_rate=0.1, batch_size=16, patience=100)

    assert task.number.item() == pytest.approx(1, abs=0.1)
    assert [done for done, _ in report.steps] == [step / 100 for step in range(1, 101)]
    assert all("loss" in facts for _, facts in report.steps)
    assert sum("held_out_loss" in facts for _, facts in report.steps) == len(summary.curve) == 20
    assert summary.curve[-1]["step"] == summary.steps == 100
    assert summary.epochs == pytest.approx(100 * 16 / 64)
    json.dumps(asdict(summary))


def test_prepare_and_finish_see_all_fit_items_calmly():
    task = Toy()

    train(task, max_steps=3, batch_size=10)

    assert task.log == ["prepare False False 64", "finish False False 64"]


def test_examine_sees_the_held_out_items_last_and_what_it_says_reaches_the_run():
    class Examined(Toy):
        def examine(self, batches):
            self.log.append(f"examine {self.training} {torch.is_grad_enabled()} {sum(len(b.x) for b in batches)}")
            return ["Hardly better than guessing."]

    task, report = Examined(), Following()

    summary = train(task, report, max_steps=3, batch_size=10)

    assert task.log[1:] == ["finish False False 64", "examine False False 16"]
    assert summary.notices == report.said == ["Hardly better than guessing."]
    nothing = Split(SPLIT.fit, np.array([], dtype=int), SPLIT.calibration)
    assert train(Examined(), split=nothing, max_steps=3).notices == []


def test_it_stops_early_and_restores_the_best_weights():
    """The training target 1 leads away from the held-out target 0.3 after it was passed."""
    task = Toy()
    task.held_out = 0.3

    summary = train(task, max_steps=400, checks=100, patience=5, learning_rate=0.01, warm_up=0.0)

    assert summary.steps < 400
    assert task.number.item() == pytest.approx(0.3, abs=0.05)
    assert summary.best_loss == min(line["held_out_loss"] for line in summary.curve)
    assert summary.curve[-1]["held_out_loss"] > summary.best_loss


def test_without_held_out_items_it_uses_all_steps():
    summary = train(Toy(), split=Split(SPLIT.fit, np.array([], dtype=int), SPLIT.calibration), max_steps=30)

    assert summary.steps == 30
    assert summary.best_loss is None
    assert summary.curve[-1]["held_out_loss"] is None


def test_a_tasks_own_stop_ends_the_training_with_the_weights_of_that_moment():
    class Enough(Toy):
        held_out = -1.0  # by held-out loss the first weights would be the best

        def enough(self, progress: TrainingProgress) -> bool:
            return progress.step == 17

    task = Enough()
    summary = train(task, max_steps=100, learning_rate=0.05, warm_up=0.0, patience=100)

    assert summary.steps == 17
    assert task.number.item() > 0.5


def test_epochs_bound_the_steps():
    assert train(Toy(), max_steps=1000, max_epochs=3, batch_size=16).steps == 3 * 4


def test_the_held_out_loss_leaves_out_the_worst_items():
    """One of 16 held-out items is absurd; it must not decide when to stop."""

    class Absurd(Toy):
        def loss(self, batch, draw):
            loss = super().loss(batch, draw)
            return loss if self.training else loss + 1e6 * (batch.rows == SPLIT.early_stop[3])

    assert train(Absurd(), max_steps=20).best_loss < 2


def test_held_out_losses_are_always_taken_with_the_same_random_numbers():
    class Dicey(Toy):
        def loss(self, batch, draw):
            return draw.uniform(len(batch.x)) + 0 * self.number

    curve = train(Dicey(), max_steps=40, patience=100).curve

    assert len({line["held_out_loss"] for line in curve}) == 1
    assert len({line["loss"] for line in curve}) > 1


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    def weights(seed: int) -> torch.Tensor:
        model, _ = fit_task_model("autoencoder", Fit(TABLE, SPLIT, seed), sections={"training": {"max_steps": 10}})
        return nn.utils.parameters_to_vector(model.parameters())

    before = torch.get_rng_state()
    assert torch.equal(weights(3), weights(3))
    assert not torch.equal(weights(3), weights(4))
    assert torch.equal(before, torch.get_rng_state())


class Hungry(Toy):
    """Memory for so many items."""

    room = 10

    def loss(self, batch, draw):
        if len(batch.x) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory (as injected by this test)")
        return super().loss(batch, draw)


def test_when_memory_runs_out_the_batch_is_halved_and_it_is_said():
    report = Following()

    summary = train(Hungry(), report, max_steps=20, batch_size=64)

    assert (summary.steps, summary.batch_size, summary.halvings) == (20, 8, 3)
    assert report.said == summary.notices
    assert "Memory ran out: going on with 8 items at a time." in report.said


def test_when_four_halvings_do_not_help_it_gives_up_with_advice():
    task = Hungry()
    task.room = 2

    with pytest.raises(ResourceError, match=r"Memory ran out even with 4 items at a time\. Choose a smaller network"):
        train(task, max_steps=20, batch_size=64)


def test_a_loss_that_is_no_number_ends_the_training_with_advice():
    class Diverging(Toy):
        def loss(self, batch, draw):
            return super().loss(batch, draw) * torch.nan

    with pytest.raises(MethodError, match=r"no longer a number at step 1\. Lower training\.learning_rate"):
        train(Diverging(), max_steps=5)


def test_it_stops_when_the_report_says_so():
    report = Following(stop_after=4)

    with pytest.raises(Cancelled):
        train(Toy(), report, max_steps=100)

    assert len(report.steps) == 4


def test_nothing_to_train_on_is_a_clear_error():
    nothing = np.array([], dtype=int)

    with pytest.raises(DataError, match="No rows are left to train on"):
        train(Toy(), split=Split(nothing, nothing, nothing), max_steps=5)
    with pytest.raises(DataError, match="No rows are left to train on"):
        fit_reference("isolation_forest", Fit(TABLE, Split(nothing, nothing, nothing)))


@pytest.mark.parametrize("modality", list(Modality))
def test_bfloat16_training_comes_close_to_float32(modality):
    losses = {}
    for precision in ("float32", "bfloat16"):
        task = untrained(PRETEXTS.get("autoencoder"), modality)
        settings = TrainingSettings(max_steps=10, batch_size=8, precision=precision)  # emulated, so slow
        summary = train_task(task, Fit(items.item_set(modality), SPLIT), settings)
        losses[precision] = summary.best_loss
        assert summary.precision == precision
        assert all(p.dtype == torch.float32 for p in task.parameters())

    assert losses["bfloat16"] == pytest.approx(losses["float32"], rel=0.2)


@pytest.mark.parametrize("modality", list(Modality))
def test_presets_differ_in_effort_and_the_user_wins(modality):
    steps = [training_settings(preset, modality, {}).max_steps for preset in PRESETS]

    assert steps == sorted(steps)
    assert len(set(steps)) == 3
    assert training_settings("quick", modality, {"max_steps": 7}).max_steps == 7


def test_unknown_names_are_clear_errors():
    with pytest.raises(SettingsError, match=r"There is no preset 'fast'. There is: quick, standard, thorough."):
        training_settings("fast", Modality.TABLE, {})
    with pytest.raises(SettingsError, match=r"There is no setting training.step"):
        training_settings("quick", Modality.TABLE, {"step": 7})
    with pytest.raises(SettingsError, match=r"There is no setting pretext.depth"):
        build_model("autoencoder", "own_score", TABLE.shape, {"depth": 7}, {})
    with pytest.raises(MethodError, match=r"'rotation' does not work on table data. What does: .*autoencoder"):
        build_model("rotation", "own_score", TABLE.shape, {}, {})
    with pytest.raises(MethodError, match="Did you mean 'autoencoder'"):
        build_model("auto_encoder", "own_score", TABLE.shape, {}, {})


def test_scores_and_embeddings_do_not_depend_on_the_batch_size():
    sections = {"training": {"max_steps": 20}}
    model, _ = fit_task_model("masked_cells", Fit(TABLE, SPLIT), scorer="gaussian", sections=sections, preset="quick")
    everything, report = np.arange(len(TABLE)), Following()

    scores = score_items(model, TABLE, everything, batch_size=7, report=report)

    assert scores.dtype == np.float64
    np.testing.assert_allclose(scores, score_items(model, TABLE, everything), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(
        embed_items(model, TABLE, everything, batch_size=7), embed_items(model, TABLE, everything), rtol=1e-4, atol=1e-5
    )
    assert report.steps[-1][0] == 1
    assert score_items(model, TABLE, everything[:0]).shape == (0,)


def test_scoring_halves_its_batches_too():
    class HungryScore:
        differentiable = False

        def score(self, x):
            if len(x) > 10:
                raise torch.OutOfMemoryError
            return x.sum(1)

        def over_time(self, x):
            return None

    report = Following()

    scores = score_items(HungryScore(), TABLE, np.arange(len(TABLE)), batch_size=64, report=report)

    np.testing.assert_allclose(scores, TABLE.x.sum(1), rtol=1e-5, atol=1e-5)
    assert len(report.said) == 3


def test_scorers_and_a_chosen_pretext_setting_reach_the_model():
    model, _ = fit_task_model(
        "autoencoder",
        Fit(TABLE, SPLIT),
        scorer="nearest_normals",
        sections={"training": {"max_steps": 2}, "pretext": {"bottleneck": 3}, "scorer": {"bank": 10}},
        preset="quick",
    )

    assert model.scorer.normal.bank.shape == (10, 3)
    assert not model.training


def test_an_encoder_can_be_chosen_and_set():
    widths = {}
    for chosen in ({}, {"width": 40}, {"name": "mlp", "width": 40}, {"name": "flat"}):
        encoder = EncoderChoice.of_section(chosen)
        model = build_model("masked_cells", "own_score", TABLE.shape, {}, {}, encoder)
        widths[json.dumps(chosen)] = (model.task.encoder.name, model.task.encoder.d)

    entries = model.task.encoder.shape.entries
    assert list(widths.values()) == [("mlp", 96), ("mlp", 40), ("mlp", 40), ("flat", entries)]


def test_what_a_task_sets_of_its_encoder_stays_unless_another_is_chosen():
    shape = items.shape(Modality.SENSOR)
    task = PRETEXTS.get("masked_window")
    own = task.encoder_settings(task.Settings(), shape)

    def settings(**chosen):
        encoder = EncoderChoice.of_section(chosen)
        built = build_model("masked_window", "own_score", shape, {}, {}, encoder).task.encoder
        return built.settings.model_dump(exclude_unset=True)

    assert own
    assert settings() == settings(name="dilated_conv") == own
    assert settings(width=8) == own | {"width": 8}
    assert settings(name="lstm") == {}


def test_an_encoder_that_does_not_exist_or_fit_is_a_sentence():
    def built(method="autoencoder", modality=Modality.IMAGE, **chosen):
        return build_model(method, "own_score", items.shape(modality), {}, {}, EncoderChoice.of_section(chosen))

    with pytest.raises(MethodError, match=r"There is no encoder 'resnet'. There is: .*efficientnet_lite0"):
        built(name="resnet")
    with pytest.raises(MethodError, match=r"'mlp' does not work on image data. What does: efficientnet_lite0, "):
        built(name="mlp")
    with pytest.raises(MethodError, match=r"works with the encoder 'dilated_conv' only, not with 'lstm'"):
        built("forecast", Modality.SENSOR, name="lstm")
    with pytest.raises(MethodError, match=r"uses no encoder for table data"):
        built("random_projections", Modality.TABLE, width=3)
    with pytest.raises(SettingsError, match=r"There is no setting encoder\.width"):
        built(name="efficientnet_lite0", width=3)
    with pytest.raises(SettingsError, match=r"encoder\.name = 3"):
        built(name=3)


def test_weights_from_elsewhere_are_said_and_only_the_head_learns():
    frame, report = items.item_set(Modality.IMAGE), Following()
    fit = Fit(frame, SPLIT, report=report, training_rows="mixed")
    sections = {"training": {"max_steps": 6}, "encoder": {"name": "efficientnet_lite0"}}

    model, summary = fit_task_model("rotation", fit, sections=sections, preset="quick")

    published = build_model(
        "rotation", "own_score", frame.shape, {}, {}, EncoderChoice(name="efficientnet_lite0")
    ).task.encoder
    assert [said for said in summary.notices if "ImageNet, not from these data" in said] == [model.task.encoder.origin]
    assert model.task.encoder.origin in report.said
    assert all(torch.equal(v, published.state_dict()[n]) for n, v in model.task.encoder.state_dict().items())


def test_the_best_head_is_restored_upon_a_frozen_encoder():
    item_set = items.item_set(Modality.IMAGE)
    task = build_model("rotation", "own_score", item_set.shape, {}, {}, EncoderChoice(name="efficientnet_lite0")).task
    best = _Best()
    best.offer(1.0, task)
    kept = task.head.weight.detach().clone()
    torch.nn.init.zeros_(task.head.weight)

    best.restore(task)

    assert torch.equal(task.head.weight, kept)
    assert not any(name.startswith("encoder.") for name in best.weights)


def test_a_reference_is_fitted_on_a_bounded_number_of_rows_and_says_so():
    everything, report = np.arange(MAX_FIT_ROWS + 1), Following()
    start = pd.DataFrame({"start": everything % len(TABLE)})
    long = replace(TABLE, items=start)

    model = fit_reference(
        "nearest_neighbours", Fit(long, Split(everything, everything[:0], everything[:0]), report=report)
    )

    assert model.rows.shape == (MAX_FIT_ROWS, 7)
    assert report.said == ["Nearest neighbours: fitted on 20,000 of 20,001 items, drawn at random."]


TWO_PROCESSES = """
import sys, numpy as np, torch
from ad_core.training.distributed import ProcessGroup
from ad_core.training.fit import Fit, fit_task_model, score_items
from ad_core.types import Modality
from tests.contracts import items

frame = items.item_set(Modality.TABLE)
sections = {"training": {"max_steps": 60, "batch_size": 32}}
fit = Fit(frame, items.split())
model, summary = fit_task_model("masked_cells", fit, scorer="gaussian", sections=sections, preset="quick")
weights = np.concatenate([v.double().numpy().ravel() for v in model.state_dict().values()])
with torch.no_grad():
    far = model.score(items.far_off(Modality.TABLE)).item()
rank, scores = ProcessGroup.joined(fit.device).rank, score_items(model, frame, np.arange(80, 96))
np.savez(f"{sys.argv[1]}/{rank}.npz", weights=weights, scores=scores, far=far, size=summary.processes)
"""


@pytest.mark.slow
def test_two_processes_end_with_the_same_network(tmp_path):
    """Each computes half of every batch; gradients are averaged over gloo."""
    script = tmp_path / "train.py"
    script.write_text(TWO_PROCESSES, encoding="utf-8")
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "--rdzv-backend",
        "c10d",
        "--rdzv-endpoint",
        "127.0.0.1:0",
    ]

    done = subprocess.run(
        [*command, script, tmp_path], env=environment, capture_output=True, text=True, timeout=300, check=False
    )

    assert done.returncode == 0, done.stderr[-3000:]
    first, second = (np.load(tmp_path / f"{rank}.npz") for rank in (0, 1))
    assert first["size"] == second["size"] == 2
    np.testing.assert_array_equal(first["weights"], second["weights"])
    np.testing.assert_array_equal(first["scores"], second["scores"])
    assert first["far"] > np.median(first["scores"])


def test_two_halves_of_a_batch_give_the_gradient_of_the_whole():
    """What the average over processes relies on: shares are disjoint and cover the batch."""
    from ad_core.training.distributed import ProcessGroup

    batch = np.arange(10)

    shares = [ProcessGroup(rank, 3).share(batch) for rank in range(3)]

    assert sorted(np.concatenate(shares)) == batch.tolist()
    assert ProcessGroup(1, 3).share(batch[:2]).tolist() == [0, 1]


def test_batches_can_be_iterated_again():
    batches = Batches(TABLE, SPLIT.fit, 10, CPU)

    assert [len(b.x) for b in batches] == [len(b.x) for b in batches] == [10] * 6 + [4]
