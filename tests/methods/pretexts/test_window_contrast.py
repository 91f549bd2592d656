"""Window contrast: the calibrated distance worked out by hand, what is put into windows, and what is found."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from ad_core.methods.encoder import build_encoder
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.pretexts.window_contrast import WindowContrast, WindowContrastSettings
from ad_core.types import Batch, Draw, Modality
from tests.contracts import items
from tests.contracts.checks import trained

CLS = PRETEXTS.get("window_contrast")


def untrained(channels: int = 2, time: int = 32, **settings: float) -> WindowContrast:
    shape = items.shape(Modality.SENSOR).model_copy(update={"size": (channels, time)})
    chosen = WindowContrastSettings(**settings)
    return CLS(chosen, shape, build_encoder("dilated_conv", shape, CLS.encoder_settings(chosen, shape))).eval()


@pytest.fixture(scope="module")
def task():
    return trained(CLS, Modality.SENSOR, steps=150).task


@pytest.fixture
def x():
    return items.item_set(Modality.SENSOR).take(np.arange(80, 92))


def test_loss_and_score_by_hand():
    """z = 0 everywhere, centre 1 in each of 2 coordinates, usual distances 1 and 4: d = 2, d' = 0.5, v = 2.25. The
    judge says 0 of all, so each verdict is off by 1.
    """
    task, x = untrained(size=2, injected_weight=0.3), torch.randn(10, 2, 32)
    for p in (*task.heads.parameters(), *task.judge.parameters()):
        torch.nn.init.zeros_(p)
    task.centre, task.usual = torch.ones(2), torch.tensor([1.0, 4.0])

    with torch.no_grad():
        loss, score = task.loss(Batch(x), Draw.per_item(0)), task.score(x, Draw.shared(0))

    assert score.tolist() == pytest.approx([2.5] * 10)
    assert loss.tolist() == pytest.approx([math.exp(-2.25) * 2.5 / 2 + 2.25 / 2 + 0.3] * 10, rel=1e-5)


def test_before_training_usual_windows_are_at_a_distance_of_1_by_either_head():
    task, x = untrained(), items.item_set(Modality.SENSOR).take(items.split().fit)

    with torch.no_grad():
        task.prepare([Batch(x[:10]), Batch(x[10:])])
        distances, z = task._distances(x)

    torch.testing.assert_close(distances.mean(0), torch.ones(2))
    assert task.centre.abs().min() >= 0.1
    far = z.mean(0).abs() > 0.1
    torch.testing.assert_close(task.centre[far], z.mean(0)[far])
    torch.testing.assert_close(task.high, x.amax((0, 2)))


class Fixed(Draw):
    """Chosen numbers instead of random ones."""

    def __init__(self, kind: int, up: bool) -> None:
        super().__init__(torch.Generator(), False, "cpu")
        self.kind, self.up = kind, up

    def integers(self, high: int, b: int, *shape: int) -> torch.Tensor:
        return torch.full((b, *shape), self.kind)

    def uniform(self, b: int, *shape: int) -> torch.Tensor:
        return torch.full((b, *shape), 0.25 if self.up else 0.75)


@pytest.mark.parametrize(
    ("kind", "up", "value", "samples"),
    [(0, True, 3.0, 7), (0, False, -1.0, 13), (1, True, 2.5, 1), (1, False, -1.5, 1), (2, True, 7.0, 1)],
)
def test_anomalies_by_hand(kind, up, value, samples):
    """A range from -1 to 3 and a window of 0.5: held at an end, half a range off, or two ranges above the lowest. A
    level is held for 32 (1/8 + 3/8 * 0.25) = 7 samples, or 32 (1/8 + 3/8 * 0.75) = 13.
    """
    task, x = untrained(), torch.full((1, 2, 32), 0.5)
    task.low, task.high = torch.tensor([-1.0, 0.5]), torch.tensor([3.0, 0.5])

    found = task._tampered(x, Fixed(kind, up))

    assert torch.equal(found[:, 1], x[:, 1])  # a channel that never varies
    changed = found[0, 0] != 0.5
    assert int(changed.sum()) == samples
    assert found[0, 0][changed].tolist() == pytest.approx([value] * samples)


def test_every_copy_is_changed_in_one_stretch():
    task, x = untrained(channels=3), torch.randn(200, 3, 32).clamp(-0.9, 0.9)

    changed = (task._tampered(x, Draw.per_item(0)) != x).any(1)

    assert changed.any(1).all()
    starts = F.pad(changed.int(), (1, 0)).diff(dim=1) == 1
    assert (starts.sum(1) == 1).all()
    assert changed.any(0).all()  # a sample at the very edge is in about 7 of the 200


def test_windows_of_any_length_can_be_tampered_with():
    for time in (1, 2, 5):
        task, x = untrained(time=time), torch.randn(4, 2, time)

        assert task.loss(Batch(x), Draw.per_item(0)).isfinite().all()


def test_faults_lead_away_from_the_centre(task, x):
    held, leaping = x.clone(), x.clone()
    held[:, 0, 10:22] = x.amax()
    leaping[:, 1, 16] = 5.0

    with torch.no_grad():
        usual, found, leapt = (task.score(w, Draw.shared(0)) for w in (x, held, leaping))

    assert found.median() > usual.max()
    assert leapt.median() > usual.max()
