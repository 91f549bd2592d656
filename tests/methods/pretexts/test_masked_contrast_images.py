"""Masked contrast on images: who is judged by which copies, by hand; another thing is found; textures do not turn."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from ad_core.data.item_set import ItemSet, Split
from ad_core.methods.encoder import build_encoder
from ad_core.methods.pretext import PRETEXTS
from ad_core.training.fit import Fit, TrainingSettings, train_task
from ad_core.types import Batch, Draw, ItemShape
from tests.methods.pretexts.image_frames import frame_of

CLS = PRETEXTS.get("masked_contrast")

SIDE = 16

FIGURES = [
    ["#...", "#...", "#...", "####"],
    ["####", ".#..", ".#..", ".#.."],
    ["#..#", "#..#", "#..#", "####"],
    [".##.", "#..#", "#..#", ".##."],
]
"""An angle, a hammer, a cup; the ring is no class."""

RING = 3


def drawn_figures(kinds: np.ndarray, seed: int) -> np.ndarray:
    """(n, 1, 16, 16): one figure of 8 x 8 pixels each, somewhere near the middle, on a noisy ground."""
    random = np.random.default_rng(seed)
    x = random.normal(0.3, 0.03, (len(kinds), 1, SIDE, SIDE))
    for image, kind, (top, left) in zip(x, kinds, random.integers(2, 7, (len(kinds), 2)), strict=True):
        figure = np.array([[c == "#" for c in line] for line in FIGURES[kind]])
        image[:, top : top + 8, left : left + 8] += 0.5 * np.kron(figure, np.ones((2, 2)))
    return x.clip(0, 1)


def built(shape: ItemShape, **values):
    settings = CLS.Settings(**values)
    encoder_shape = CLS.encoder_shape(settings, shape)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder = build_encoder("residual_image", encoder_shape, CLS.encoder_settings(settings, shape))
        return CLS(settings, shape, encoder).eval()


def taught(item_set: ItemSet, steps: int, **values):
    """Trained on all items but the last 40, examined on these."""
    task, last = built(item_set.shape, embedding=16, **values), len(item_set) - 40
    split = Split(np.arange(last), np.arange(last, last + 40), np.arange(0))
    training = TrainingSettings(max_steps=steps, batch_size=16, learning_rate=3e-3)
    summary = train_task(task, Fit(item_set, split), training)
    return task.eval(), summary


def scores(task, x: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return task.score(torch.from_numpy(x.astype(np.float32)), Draw.shared(0)).numpy()


@pytest.fixture(scope="module")
def three_classes():
    kinds = np.arange(240) % RING
    return taught(frame_of(drawn_figures(kinds, 0), kinds), steps=60)


def by_hand(copies: str):
    """Two ways to turn, one class at 0: bright at the left 1 and 3 away, mirrored 2 and 6."""
    task = built(frame_of(np.zeros((1, 1, SIDE, SIDE))).shape, transformations=2, embedding=2, copies=copies)
    at_left, at_right = torch.tensor([[1.0, 0], [0, 3]]), torch.tensor([[2.0, 0], [0, 6]])
    task._embedded = lambda x: torch.stack([at_left if i[..., 0].sum() else at_right for i in x])
    task.normal.put("mean", torch.zeros(1, 2, 2))
    task.normal.put("whiten", torch.eye(2).expand(1, 2, 2, 2))
    x = torch.zeros(1, 1, SIDE, SIDE)
    x[..., 0] = 1.0
    return task, x


@pytest.mark.parametrize(
    ("copies", "score", "spread"),
    [
        ("one", 1.0, 0.0),
        ("turned", 2 / (1 + 1 / 3), 1.0),
        ("turned and flipped", 4 / (1 + 1 / 3 + 1 / 2 + 1 / 6), 3.5**0.5),  # deviations -2, 0, -1, 3: 14 / 4
    ],
)
def test_score_is_the_harmonic_mean_over_the_copies_asked_for(copies, score, spread):
    task, x = by_hand(copies)

    assert task.score(x, Draw.shared(0)).item() == pytest.approx(score)
    assert task.extras(x, Draw.shared(0))["spread"].item() == pytest.approx(spread, abs=1e-6)


def test_a_way_that_is_left_out_is_left_out_with_its_mirror_images():
    """1 and, mirrored, 2 away: 2 / (1 + 1/2)."""
    task, x = by_hand("turned and flipped")
    task.kept = torch.tensor([1.0, 0.0])

    assert task.score(x, Draw.shared(0)).item() == pytest.approx(4 / 3)


@pytest.mark.parametrize(("copies", "with_mirrored"), [("turned", False), ("turned and flipped", True)])
def test_mirror_images_that_are_judged_belong_to_the_statistics(copies, with_mirrored):
    x = torch.from_numpy(drawn_figures(np.arange(12) % RING, 0)).float()
    task = built(frame_of(x.numpy()).shape, embedding=2, copies=copies)
    with torch.no_grad():
        task.finish([Batch(x[:5]), Batch(x[5:])])
        expected = task._embedded((torch.cat([x, x.flip(3)]) if with_mirrored else x)[:, None]).mean(0)

    torch.testing.assert_close(task.normal.mean[0], expected)


def test_a_figure_of_no_class_scores_higher(three_classes):
    task, _ = three_classes
    kinds = np.concatenate([np.arange(60) % RING, np.full(40, RING)])

    assert roc_auc_score(kinds == RING, scores(task, drawn_figures(kinds, 1))) > 0.95


def test_each_class_has_its_gaussian_in_each_turn(three_classes):
    task, _ = three_classes
    kinds = np.arange(60) % RING
    with torch.no_grad():
        distances = task._distances(torch.from_numpy(drawn_figures(kinds, 2).astype(np.float32)))

    assert distances.shape == (60, RING, 8)  # four turns, and of the mirror image
    assert (distances.mean(2).argmin(1).numpy() == kinds).mean() > 0.95


def test_turns_of_figures_are_recognised_and_count(three_classes):
    task, summary = three_classes

    assert task.kept.tolist() == [1, 1, 1, 1]
    assert summary.notices == []


def test_turns_of_textures_are_left_out_and_named():
    """Noise looks the same in every turn."""
    texture = np.random.default_rng(0).random((160, 1, SIDE, SIDE))
    task, summary = taught(frame_of(texture), steps=20)

    assert task.kept[0] == 1
    assert 0 in task.kept
    (sentence,) = summary.notices
    assert sentence.startswith("Hardly recognised on 40 held-out images, and left out of the score: ")


def test_the_network_sees_large_images_made_small():
    task = built(frame_of(np.zeros((1, 1, 96, 96))).shape, pixels=32)

    assert task.encoder.shape.size == (1, 32, 32)
    with torch.no_grad():
        assert task.embed(torch.rand(2, 1, 96, 96)).shape == (2, 64)
