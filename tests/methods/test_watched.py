"""A model with limits: what it sees, what is added outside, and that the terms are exact attributions."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from ad_core.data.item_set import ItemSet
from ad_core.data.limits import FAR_WEIGHT, anything, far, limits_of, never_changed
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.recipe import Fitted, HeldOut
from ad_core.methods.scorer import ScoreModel
from ad_core.methods.watched import Watched, change_of, spread_of, watched
from ad_core.types import ItemShape, Modality, PartKind, Parts

SPREAD = 10.0
CLIP = 3.0


class Sum(ScoreModel):
    """The sum of what it sees; of windows the mean over time."""

    differentiable = False

    def score(self, x: Tensor) -> Tensor:
        return x.sum(1) if x.ndim == 2 else x.sum(1).mean(1)

    def embed(self, x: Tensor) -> Tensor | None:
        return x.flatten(1)

    def part_scores(self, x: Tensor) -> Tensor | None:
        return x

    def expected(self, x: Tensor) -> Tensor | None:
        return torch.zeros_like(x)


class Steps(Sum):
    def over_time(self, x: Tensor) -> Tensor | None:
        return x.sum(1)


def shape(*size: int, of_entry: tuple[int, ...]) -> ItemShape:
    count = max(of_entry) + 1
    parts = Parts(
        names=tuple("abcd"[:count]), of_entry=of_entry, kinds=(PartKind.NUMBER,) * count, units=(None,) * count
    )
    return ItemShape(modality=Modality.TABLE if len(size) == 1 else Modality.SENSOR, size=size, parts=parts)


ROW = limits_of(shape(3, of_entry=(0, 1, 2)), 2, [far(CLIP), far(CLIP, high=5.0), never_changed(CLIP)])
"""Two numbers, of which the second was up to 5 in training, and a column that never changed."""


def row(*values: float) -> Tensor:
    return torch.tensor([values], dtype=torch.float32)


def scored(*values: float, model: Watched | None = None) -> float:
    return (model or Watched(Sum(), ROW, SPREAD, SPREAD)).score(row(*values)).item()


def test_within_the_limits_an_item_has_the_models_score_to_the_last_digit():
    x = torch.rand(50, 2)

    found = Watched(Sum(), ROW, SPREAD, SPREAD).score(torch.cat([x, torch.zeros(50, 1)], 1))

    assert torch.equal(found, Sum().score(x))


def test_a_model_sees_values_clipped_and_no_entry_that_never_changed():
    seen = Watched(Sum(), ROW, SPREAD, SPREAD).learnt(row(-7.0, 1.0, 4.0))

    assert seen.tolist() == [[-3.0, 1.0]]


def test_any_change_of_what_never_changed_adds_the_whole_spread_and_more_the_larger_it_is():
    scores = [scored(0, 0, d) for d in (0, 1e-6, -1, 5, 5000, 1e20)]

    assert scores[0] == 0
    assert scores[1] == pytest.approx(SPREAD, rel=1e-5)
    assert scores[2] == pytest.approx(SPREAD * (1 + np.log(2)))
    assert scores == sorted(set(scores))


def test_far_values_score_by_how_far_they_are_and_begin_without_a_jump():
    inner, near = scored(CLIP, 0, 0), scored(CLIP + 1e-3, 0, 0)
    far_away = [scored(sign * z, 0, 0) for sign in (1, -1) for z in (10, 100, 1e6, 1e20)]

    assert near == pytest.approx(inner, abs=1e-5)
    assert far_away[:4] == sorted(set(far_away[:4]))
    assert far_away[4:] == sorted(set(far_away[4:]))
    assert scored(2 * CLIP, 0, 0) - inner == pytest.approx(FAR_WEIGHT * SPREAD * np.log(2), rel=1e-4)  # 2 w s log 2^.5


def test_nothing_that_the_training_rows_held_is_far():
    assert scored(0, 5, 0) == scored(0, CLIP, 0) == CLIP
    assert scored(0, 5.1, 0) > CLIP


def test_copies_of_a_row_are_scored_as_the_row_is():
    model, x = Watched(Sum(), ROW, SPREAD, SPREAD), row(9.0, 1.0, 2.0)

    assert torch.equal(model.score_copies(x, SourceItems.of_one(x, 1)), model.score(x))


def test_the_terms_are_the_exact_attribution_of_what_is_added():
    model, x, base = Watched(Sum(), ROW, SPREAD, SPREAD), row(9.0, 1.0, 2.0), row(0.5, 4.0, 0.0)

    shares = model.shares(x, base)

    apart = model.score(x) - Sum().score(model.learnt(x))
    assert shares.sum().item() == pytest.approx(apart.item())
    assert shares[0, 1] == 0
    assert (shares[0, [0, 2]] > 0).all()


def test_what_never_changed_is_expected_not_to_change():
    assert Watched(Sum(), ROW, SPREAD, SPREAD).expected(row(1.0, 1.0, 7.0)).tolist() == [[0.0, 0.0, 0.0]]


# --- windows

WINDOW = limits_of(
    shape(3, 4, of_entry=(0, 1, 0)),
    2,
    [far(CLIP), never_changed(CLIP), never_changed(CLIP)],
)
"""Two channels, of which the second never changed, and an entry that tells of new states of the first."""


def window(channel: int, step: int, value: float) -> Tensor:
    x = torch.zeros(1, 3, 4)
    x[0, channel, step] = value
    return x


def test_a_change_in_one_step_raises_that_step_alone_where_steps_have_scores():
    model = Watched(Steps(), WINDOW, SPREAD, SPREAD)

    found = model.over_time(window(2, 1, 1.0))[0]

    assert found.tolist() == pytest.approx([0, SPREAD * (1 + np.log(2)), 0, 0])
    assert model.score(window(2, 1, 1.0)).item() == pytest.approx(SPREAD * (1 + np.log(2)))  # its largest term


def test_a_window_counts_its_largest_step_and_attributes_it_to_the_channel():
    model, x = Watched(Sum(), WINDOW, SPREAD, SPREAD), window(1, 2, 1.0) + window(2, 0, 0.1)

    shares = model.shares(x, torch.zeros_like(x))

    assert model.over_time(x) is None
    assert shares[0, 1].tolist() == pytest.approx([0, 0, SPREAD * (1 + np.log(2)), 0])
    assert shares[0, 2].sum() == 0
    assert model.score(x).item() == pytest.approx(0.25 + shares.sum().item())


def test_the_part_of_a_new_state_is_its_channel():
    found = Watched(Sum(), WINDOW, SPREAD, SPREAD).part_scores(window(2, 3, 1.0))

    assert found.shape == (1, 2, 4)
    assert found[0, 0].tolist() == pytest.approx([0, 0, 0, SPREAD * (1 + np.log(2))])


# --- fitted models


def items(x: np.ndarray) -> ItemSet:
    n = np.arange(len(x))
    rows = pd.DataFrame({"row_id": n.astype(str), "sample": n, "note": ""})
    full = shape(3, of_entry=(0, 1, 2))
    return ItemSet(full, x.astype(np.float32), pd.DataFrame({"start": n}), rows, limits=ROW)


def test_a_changed_item_scores_above_all_that_calibrate():
    x = np.column_stack([np.linspace(-1, 1, 40), np.zeros(40), np.zeros(40)])
    x[39, 2] = 1e-3
    scores = x[:, 0] + 100.0  # distances of which all are large
    scores[39] = 90.0  # lower than any

    fitted, raised = watched(Fitted(Sum()), items(x), np.arange(39), scores)

    assert isinstance(fitted.model, Watched)
    assert raised[39] > raised[:39].max()
    assert np.array_equal(raised[:39], scores[:39])


def test_out_of_bag_scores_have_the_terms_of_their_items():
    x = np.zeros((10, 3))
    x[3, 0] = 50.0

    fitted, raised = watched(Fitted(Sum(), HeldOut(np.arange(10), np.arange(10.0))), items(x), np.arange(0), x.sum(1))

    assert fitted.held_out.scores[3] > 3.0
    assert np.array_equal(np.delete(fitted.held_out.scores, 3), np.delete(np.arange(10.0), 3))
    assert raised[3] > 50.0


def test_a_model_of_items_without_limits_stays_as_it_is():
    free, scores, fitted = items(np.zeros((4, 3))), np.zeros(4), Fitted(Sum())
    object.__setattr__(free, "limits", None)

    assert watched(fitted, free, np.arange(2), scores) == (fitted, scores)


def test_equal_scores_still_have_a_spread():
    assert spread_of(np.zeros(5), np.zeros(5)) == 1.0
    assert spread_of(np.full(5, 4.0), np.full(5, 4.0)) == 5.0
    assert spread_of(np.array([np.nan]), np.zeros(1)) == 1.0


def test_where_normal_rows_often_change_a_constant_a_change_leads_to_the_quantile_of_their_share():
    calibration = np.arange(101.0)

    assert change_of(calibration, 0.004, SPREAD) == SPREAD
    assert change_of(calibration, 0.1, SPREAD) == pytest.approx(40)  # from 50 to 90
    assert change_of(calibration, 0.9, SPREAD) > 0


def test_items_are_learnt_from_as_the_model_sees_them():
    found = items(np.array([[50.0, -50.0, 1.0]])).learnt()

    assert found.shape.size == (2,)
    assert found.shape.parts.names == ("a", "b")
    assert found.take(np.arange(1)).tolist() == [[3.0, -3.0]]


def test_an_entry_can_be_clipped_without_ever_raising_the_score():
    quiet = limits_of(shape(2, of_entry=(0, 1)), 2, [anything(CLIP), far(CLIP)])

    assert scored(1e9, 0, model=Watched(Sum(), quiet, SPREAD, SPREAD)) == CLIP
