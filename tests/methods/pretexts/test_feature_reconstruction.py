"""Feature reconstruction: errors by hand, what is hidden, features that are computed once, defects on the map."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from ad_core.data.item_set import Split
from ad_core.methods.encoder import build_encoder
from ad_core.methods.networks.imagenet_features import ImagenetFeatures, on_one_grid
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.pretexts import feature_reconstruction
from ad_core.methods.pretexts.feature_reconstruction import _blocks
from ad_core.training.fit import Fit, TrainingSettings, train_task
from ad_core.types import Batch, Draw, ItemShape
from tests.methods.pretexts.image_frames import frame_of

CLS = PRETEXTS.get("feature_reconstruction")


def cloth(n: int, seed: int) -> np.ndarray:
    """(n, 1, 64, 64) stripes at a random phase, with noise."""
    random = np.random.default_rng(seed)
    down, across = np.mgrid[:64, :64]
    phase = random.random((n, 1, 1, 1)) * 6
    return (0.5 + 0.2 * np.sin(across / 2 + down / 6 + phase) + random.normal(0, 0.03, (n, 1, 64, 64))).clip(0, 1)


def with_holes(x: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The same with an even square of 14 pixels each, and (n, 8, 8) where that is: at least a quarter of a position."""
    x, holes = x.copy(), np.zeros((len(x), 64, 64))
    for image, hole, (top, left) in zip(
        x, holes, np.random.default_rng(seed).integers(4, 46, (len(x), 2)), strict=True
    ):
        image[:, top : top + 14, left : left + 14] = 0.5
        hole[top : top + 14, left : left + 14] = 1
    return x, holes.reshape(-1, 8, 8, 8, 8).mean((2, 4)) > 0.25


def built(shape: ItemShape, **values):
    settings = CLS.Settings(**values)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return CLS(
            settings, shape, build_encoder("residual_image", shape, CLS.encoder_settings(settings, shape))
        ).eval()


def knowing_nothing(x: np.ndarray, **values):
    """A task that was prepared and predicts the mean everywhere."""
    task, item_set = built(frame_of(x).shape, **values), frame_of(x)
    torch.nn.init.zeros_(task.predictor.leave.weight)
    torch.nn.init.zeros_(task.predictor.leave.bias)
    with torch.no_grad():
        task.prepare([*item_set.batches(np.arange(len(x)), 4)])
    return task, next(item_set.batches(np.arange(len(x)), len(x)))


def standardised(x: np.ndarray) -> np.ndarray:
    """(n, 120, y, x)."""
    with torch.no_grad():
        features = on_one_grid(ImagenetFeatures([4, 7])(torch.from_numpy(x).float())).numpy().astype(float)
    return (features - features.mean((0, 2, 3), keepdims=True)) / features.std((0, 2, 3), keepdims=True)


def test_score_is_the_mean_of_the_worst_positions_errors():
    """Who predicts the mean errs by the squared features; 5 % of 64 positions are 3."""
    x = cloth(6, 0)
    task, batch = knowing_nothing(x, worst_share=0.05)
    errors = (standardised(x) ** 2).mean(1).reshape(6, -1)

    with torch.no_grad():
        score, parts = task.score(batch.x, Draw.shared(0)), task.part_scores(batch.x, Draw.shared(0))

    np.testing.assert_allclose(parts.flatten(1), errors, rtol=1e-2, atol=1e-3)  # features are kept in half precision
    np.testing.assert_allclose(score, np.sort(errors, axis=1)[:, -3:].mean(1), rtol=1e-2)


def test_the_best_predicted_half_counts_a_tenth():
    x = cloth(6, 0)
    task, batch = knowing_nothing(x, easy_share=0.5)
    errors = np.sort((standardised(x) ** 2).mean(1).reshape(6, -1), axis=1)

    with torch.no_grad():
        loss = task.loss(batch, Draw.per_item(0))

    np.testing.assert_allclose(loss, (0.1 * errors[:, :32].sum(1) + errors[:, 32:].sum(1)) / 64, rtol=1e-2)


def test_what_is_hidden_plays_no_part_but_for_being_hidden():
    task = built(frame_of(cloth(1, 0)).shape)
    shown, hidden = torch.randn(2, 120, 8, 8), torch.zeros(2, 8, 8, dtype=torch.bool)
    hidden[:, 2:4, 2:4] = True
    other = torch.where(hidden[:, None], 9.0, shown)

    with torch.no_grad():
        first, second, open_to_see = (
            task.predictor(shown, hidden),
            task.predictor(other, hidden),
            task.predictor(torch.where(hidden[:, None], 0.0, shown), ~hidden & hidden),
        )

    torch.testing.assert_close(first, second)
    assert (first - open_to_see).abs().max() > 1e-3


def test_blocks_are_squares_anywhere_that_hide_the_share_asked_for():
    hidden = _blocks(0.25, 3, torch.zeros(400, 1, 12, 10), Draw.per_item(0))

    assert hidden.shape == (400, 12, 10)
    assert hidden.float().mean() == pytest.approx(0.25, abs=0.02)
    edges = (hidden[:, 1:] != hidden[:, :-1]).any(2)  # (400, 11): where rows differ
    for image in edges:
        assert len({row % 3 for row in np.flatnonzero(image)}) <= 1  # all on one grid of threes
    assert edges.float().mean(0).min() > 0.2  # which may lie anywhere


def test_features_are_computed_once_in_a_training_and_forgotten_after_it(monkeypatch):
    x = cloth(8, 0)
    task, batch = knowing_nothing(x)
    without_memory = task.loss(Batch(batch.x), Draw.per_item(0))
    names = set(task.state_dict())

    with monkeypatch.context() as patch:
        patch.setattr(task, "_features", lambda _: pytest.fail("computed again"))
        remembered = task.loss(batch, Draw.per_item(0))

    torch.testing.assert_close(remembered, without_memory, rtol=1e-2, atol=1e-3)  # half precision
    task.finish([])
    assert task.memory is None
    assert names == set(task.state_dict())
    assert not any("memory" in name for name in names)


def test_images_beyond_the_memory_are_computed_every_time(monkeypatch):
    monkeypatch.setattr(feature_reconstruction, "MOST_BYTES", 3 * 120 * 64 * 2)  # three images
    x = cloth(8, 0)
    task, batch = knowing_nothing(x)

    torch.testing.assert_close(
        task.loss(batch, Draw.per_item(0)), task.loss(Batch(batch.x), Draw.per_item(0)), rtol=1e-2, atol=1e-3
    )
    assert sorted(task.memory.kept) == [0, 1, 2]


def test_sides_that_fill_no_whole_positions_keep_the_positions_of_the_encoder():
    """The frozen network drops the rim, the encoder does not."""
    task = built(frame_of(np.zeros((1, 1, 20, 33))).shape)

    with torch.no_grad():
        assert task.embed_parts(torch.rand(2, 1, 20, 33)).shape == (2, 3 * 5, 120)
        assert task.part_scores(torch.rand(2, 1, 20, 33), Draw.shared(0)).shape == (2, 3, 5)


def test_holes_in_cloth_score_higher_and_show_on_the_map():
    frame, nobody = frame_of(cloth(48, 1)), np.zeros(0, dtype=int)
    task = built(frame.shape, width=32)
    training = TrainingSettings(max_steps=60, batch_size=16, learning_rate=3e-3)
    train_task(task, Fit(frame, Split(np.arange(48), nobody, nobody)), training)
    sound = cloth(24, 2)
    holed, where = with_holes(sound, 3)
    x = torch.from_numpy(np.concatenate([sound, holed])).float()

    with torch.no_grad():
        score, parts = task.eval().score(x, Draw.shared(0)), task.part_scores(x, Draw.shared(0))

    assert roc_auc_score([0] * 24 + [1] * 24, score) > 0.95
    assert roc_auc_score(where.flatten(), parts[24:].flatten()) > 0.9
