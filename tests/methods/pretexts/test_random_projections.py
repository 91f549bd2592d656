"""SLA²P: the score by hand, the stop, what is told apart, and what becomes of items far off."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from ad_core.data.item_set import ItemSet, Split
from ad_core.errors import MethodError
from ad_core.methods.encoder import DEFAULT_ENCODER, build_encoder
from ad_core.methods.pretext import PRETEXTS, TrainingProgress
from ad_core.methods.pretexts.random_projections import PAIRS_AT_A_TIME, _statistics
from ad_core.training.fit import Fit, TrainingSettings, train_task
from ad_core.types import Batch, Draw, ItemShape, Modality, PartKind, Parts
from tests.contracts import items
from tests.contracts.checks import trained

CLS = PRETEXTS.get("random_projections")


def rows_of(x) -> ItemSet:
    n, columns = x.shape
    parts = Parts(
        names=tuple(f"c{j}" for j in range(columns)),
        of_entry=tuple(range(columns)),
        kinds=(PartKind.NUMBER,) * columns,
        units=(None,) * columns,
    )
    rows = pd.DataFrame({"row_id": [f"r{i}" for i in range(n)], "sample": np.arange(n), "note": ""})
    shape = ItemShape(modality=Modality.TABLE, size=(columns,), parts=parts)
    return ItemSet(shape, x.astype(np.float32), pd.DataFrame({"start": np.arange(n)}), rows)


def built(shape: ItemShape, **settings):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return CLS(CLS.Settings(**settings), shape, build_encoder(DEFAULT_ENCODER[shape.modality], shape)).eval()


def taught(item_set: ItemSet, steps=400, **settings):
    """Trained on all rows, and how it went."""
    task, nobody = built(item_set.shape, **settings), np.zeros(0, dtype=int)
    training = TrainingSettings(max_steps=steps, learning_rate=3e-3)
    summary = train_task(task, Fit(item_set, Split(np.arange(len(item_set)), nobody, nobody)), training)
    return task.eval(), summary


def scores(task, x) -> np.ndarray:
    with torch.no_grad():
        return task.score(torch.as_tensor(np.asarray(x, dtype=np.float32)), Draw.shared(0)).numpy()


def by_hand(**settings):
    """One column, projections +1 and +1/2 without offset, and a linear classifier with logits v and -v."""
    task = built(
        rows_of(np.zeros((1, 1))).shape, projections=2, size=1, offset=0, unit_length=False, pairs=2, **settings
    )
    task.projections = torch.tensor([[[1.0], [0.0]], [[0.5], [0.0]]])
    task.classifier = nn.Linear(1, 2, bias=False)
    task.classifier.weight.data = torch.tensor([[1.0], [-1.0]])
    return task


@pytest.fixture(scope="module")
def crowd():
    """300 normal rows of 10 columns, and 30 that lie together elsewhere: all of them teach."""
    random = np.random.default_rng(0)
    usual = random.normal(size=(300, 10))
    x = np.concatenate([usual, 0.3 * random.normal(size=(30, 10)) + 2 * np.sign(random.normal(size=10))])
    frame = rows_of(x)
    task, summary = taught(frame)
    return task, summary, x


def test_score_without_a_step_is_the_brier_score_by_hand():
    """v = .5 and .25: sigma(2v) = .731059 and .622459 for projection 0.

    (2 (1 - .731059)^2 + 2 * .622459^2) / 2 = .459785
    """
    assert scores(by_hand(epsilon=0), [[0.5]]) == pytest.approx([0.459785], abs=1e-5)


def test_score_steps_away_from_the_predicted_projection_by_the_raw_gradient():
    """Both are taken for projection 0, whose cross-entropy has the slope -2 (1 - sigma(2v)): -.537883 and -.755081.

    Half of it added: v = .231059 and -.127541, sigma(2v) = .613516 and .436573, so the answers miss by
    2 * (1 - .613516)^2 = .298739 and 2 * .436573^2 = .381192, in the mean .339966.
    """
    assert scores(by_hand(epsilon=0.5), [[0.5]]) == pytest.approx([0.339966], abs=1e-5)


def test_loss_is_the_mean_cross_entropy_of_an_items_pairs():
    """-log sigma(2 * .5) = .313262 for projection 0, -log(1 - sigma(2 * .25)) = .974077 for projection 1."""
    task, batch = by_hand(), Batch(torch.full((3, 1), 0.5))
    task.settings = task.settings.model_copy(update={"pairs": 12})
    which = Draw.per_item(7).integers(2, 3, 4).numpy()

    loss = task.loss(batch, Draw.per_item(7))

    assert loss.detach().numpy() == pytest.approx(np.where(which == 0, 0.313262, 0.974077).mean(1), abs=1e-5)


def test_features_are_standardised_and_as_long_as_the_usual_item():
    """Standardised, columns 0 and 1 are alike and column 2 is 0: lengths are proportional to |x|, the median is 5's.
    So 5 has length 1, shared by two columns: .707107 each. The constant is 3.
    """
    steps = np.arange(-10.0, 11.0)
    x = np.column_stack([steps, 5 + 2 * steps, np.full(21, 5.0)])
    task = built(rows_of(x).shape, unit_length=False, offset=3)

    task.prepare([Batch(torch.from_numpy(x).float())])
    features = task.features(torch.tensor([[5.0, 15, 5], [-10, -15, 5]]))

    np.testing.assert_allclose(features, [[0.707107, 0.707107, 0, 3], [-1.414214, -1.414214, 0, 3]], atol=1e-5)


def test_features_of_unit_length_keep_their_direction_and_the_offset_in_it():
    x = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    task = built(rows_of(x).shape, offset=1)
    task.prepare([Batch(torch.from_numpy(x))])

    features = task.features(torch.from_numpy(x)).numpy()

    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)
    long = np.linalg.norm(task.embed(torch.from_numpy(x)), axis=1)
    inside = long <= float(task.features.radius)
    np.testing.assert_allclose((1 / features[:, 3])[inside], np.sqrt(1 + long**2)[inside], rtol=1e-4)


def test_it_stops_when_enough_of_all_answers_were_right(crowd):
    task, summary, _ = crowd

    assert 10 <= summary.steps < 200
    assert 0.6 < task.right / task.asked < 0.7  # the first step above .6, not far above
    assert task.asked == 128 * summary.steps


def test_it_does_not_stop_before_the_least_number_of_steps():
    task = built(items.shape(Modality.TABLE))
    task.right, task.asked = 90, 100

    assert [task.enough(TrainingProgress(step, 0, 1.0, None)) for step in (9, 10)] == [False, True]
    task.right = 60
    assert not task.enough(TrainingProgress(50, 0, 1.0, None))


def test_answers_of_held_out_items_do_not_count():
    task, batch = built(items.shape(Modality.TABLE)), Batch(torch.zeros(4, 7))

    task.loss(batch, Draw.per_item(0))
    assert task.asked == 0
    task.train().loss(batch, Draw.per_item(0))
    assert task.asked == 128


def test_a_group_of_odd_rows_that_taught_as_well_is_found(crowd):
    task, _, x = crowd

    assert roc_auc_score(np.arange(330) >= 300, scores(task, x)) > 0.95


def test_without_the_constant_the_longest_rows_look_most_normal(crowd):
    """Why there is an offset: centred rows share nothing by which projections could be told apart."""
    _, _, x = crowd
    task, _ = taught(rows_of(x), offset=0)

    assert roc_auc_score(np.arange(330) >= 300, scores(task, x)) < 0.5


def test_the_further_off_the_higher_without_end(crowd):
    task, _, x = crowd
    usual = x[:300]
    long = usual[np.linalg.norm(usual, axis=1) > np.median(np.linalg.norm(usual, axis=1))]

    ladder = np.stack([scores(task, far * long) for far in (10, 30, 100)])

    assert (ladder[0] > scores(task, usual).max()).all()
    assert (np.diff(ladder, axis=0) > 0.5).all()


def test_a_long_step_does_not_make_scores_depend_on_the_batch(crowd):
    task, _, x = crowd
    shaken = built(rows_of(x).shape, epsilon=30)
    shaken.load_state_dict(task.state_dict())

    alone = np.concatenate([scores(shaken, x[i : i + 1]) for i in range(20)])

    np.testing.assert_allclose(alone, scores(shaken, x)[:20], rtol=1e-4, atol=1e-5)
    assert np.abs(alone - scores(task, x)[:20]).max() > 0.01


def test_the_gradient_of_the_score_leads_through_the_step(crowd):
    """Against differences of the score in float64; a step taken for a constant would give another slope."""
    task, _, x = crowd
    long = built(rows_of(x).shape, epsilon=5)
    long.load_state_dict(task.state_dict())
    long, row = long.double(), torch.tensor(x[:1])
    nudge = 1e-6 * torch.eye(10, dtype=torch.float64)

    (slope,) = torch.autograd.grad(long.score(row.requires_grad_(), Draw.shared(0)).sum(), row)
    with torch.no_grad():
        up, down = long.score(row + nudge, Draw.shared(0)), long.score(row - nudge, Draw.shared(0))

    torch.testing.assert_close(slope[0], (up - down) / 2e-6, rtol=1e-3, atol=1e-6)


def test_projections_are_scored_in_pieces(crowd):
    task, _, x = crowd
    sizes = []
    handle = task.classifier.register_forward_hook(lambda _, given, __: sizes.append(len(given[0])))

    scores(task, x)
    handle.remove()

    assert sum(sizes) == 2 * 330 * 64  # once for the gradient, once for the answer
    assert max(sizes) <= PAIRS_AT_A_TIME


@pytest.mark.parametrize("modality", [Modality.IMAGE, Modality.SENSOR])
def test_broken_images_and_windows_score_above_usual_ones(modality):
    task, x = trained(CLS, modality).task, items.item_set(modality).take(np.arange(64, 96)).numpy()
    broken = np.random.default_rng(0).permuted(x.reshape(32, -1), axis=1).reshape(x.shape)  # same values, no order

    found = roc_auc_score([0] * 32 + [1] * 32, scores(task, np.concatenate([x, broken])))

    assert found > 0.95


def test_images_are_seen_through_first_weights_that_are_not_trained():
    task = built(items.shape(Modality.IMAGE))

    assert not any(p.requires_grad for p in task.encoder.parameters())
    assert task.embed(torch.zeros(2, 3, 16, 16)).shape == (2, task.encoder.d + 3 * 16 * 2)  # 3 colours, 16 parts


def test_through_a_pretrained_encoder_images_are_seen_as_its_features_alone():
    shape = items.shape(Modality.IMAGE)
    encoder, x = build_encoder("efficientnet_lite0", shape), items.item_set(Modality.IMAGE).take(np.arange(64))
    task = CLS(CLS.Settings(), shape, encoder).eval()

    with torch.no_grad():
        task.prepare([Batch(x)])
        seen, features = task.embed(x), encoder(x)

    centred = features - features.mean(0)
    spread = features.std(0, correction=0)
    assert seen.shape == (64, 120)
    torch.testing.assert_close(seen / seen.norm(dim=1).median(), _by_median(centred / spread), rtol=1e-3, atol=1e-3)


def _by_median(z):
    return z / z.norm(dim=1).median()


def test_images_without_order_stand_out_by_pretrained_features():
    """Usual ones against the same pixels shuffled."""
    frame, split = items.item_set(Modality.IMAGE), items.split()
    encoder = build_encoder("efficientnet_lite0", frame.shape)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        task = CLS(CLS.Settings(), frame.shape, encoder)
    train_task(task, Fit(frame, split), TrainingSettings(max_steps=200, batch_size=32))
    x = frame.take(np.arange(80, 96)).numpy()
    broken = np.random.default_rng(0).permuted(x.reshape(16, -1), axis=1).reshape(x.shape)

    found = roc_auc_score([0] * 16 + [1] * 16, scores(task.eval(), np.concatenate([x, broken])))

    assert found > 0.95


def test_windows_are_seen_as_level_spread_and_roughness_of_their_quarters():
    """Quarters 0 0, 2 4, 1 1 and 5 5 of one channel; steps from sample to sample 0 0 | 2 2 | -3 0 | 4 0."""
    x = torch.tensor([[[0.0, 0, 2, 4, 1, 1, 5, 5]]])

    found = _statistics(x)

    expected = [0, 3, 1, 5, 0, 1, 0, 0, 0, 2, 4.5**0.5, 8**0.5]
    torch.testing.assert_close(found, torch.tensor([expected]), atol=1e-3, rtol=1e-3)


def test_more_projections_than_memory_should_hold_are_refused_in_words():
    with pytest.raises(MethodError, match=r"Lower pretext\.projections or pretext\.size"):
        built(rows_of(np.zeros((1, 100))).shape, projections=4096, size=4096)
