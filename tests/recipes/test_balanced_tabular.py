"""Balanced for tables: how members are blended, what each declaration does, and that the file gives the same scores."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from ad_core.data.item_set import ItemSet, Split
from ad_core.detector.detector import Detector
from ad_core.errors import DataError
from ad_core.explain.attribution import explain
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.recipe import Fitted
from ad_core.methods.score_normalisation import TailNormalisation
from ad_core.methods.scorer import ScoreModel
from ad_core.pipeline import Trained, open_dataset, train_all
from ad_core.progress import Silent
from ad_core.recipes.balanced_tabular import POOLS, BalancedTabular, BalancedTabularSettings, Blend
from ad_core.training.choice import Choice
from ad_core.training.fit import score_items
from ad_core.types import ItemShape, Modality, PartKind, Parts
from tests.conftest import payments
from tests.contracts import items

DECLARED = tuple(POOLS)
NONE = np.arange(0)


def table(x: np.ndarray) -> ItemSet:
    """Rows whose entries are number columns of their own."""
    n, d = x.shape
    parts = Parts(
        names=tuple(f"c{i}" for i in range(d)),
        of_entry=tuple(range(d)),
        kinds=(PartKind.NUMBER,) * d,
        units=(None,) * d,
    )
    rows = pd.DataFrame({"row_id": [f"r{i}" for i in range(n)], "sample": np.arange(n), "note": ""})
    shape = ItemShape(modality=Modality.TABLE, size=(d,), parts=parts)
    return ItemSet(shape, x.astype(np.float32), pd.DataFrame({"start": np.arange(n)}), rows)


def fitted(x: np.ndarray, declared: str, report=None, **settings: int) -> Fitted:
    recipe = BalancedTabular(BalancedTabularSettings(**settings), 0)
    return recipe.fit(table(x), Split(np.arange(len(x)), NONE, NONE), declared, report or Silent())


def in_step(n: int = 180, d: int = 4, seed: int = 0) -> np.ndarray:
    """Columns that go together."""
    random = np.random.default_rng(seed)
    return random.normal(size=(n, 1)) @ np.ones((1, d)) + 0.3 * random.normal(size=(n, d))


class JumpsAtTheEnd(ScoreModel):
    """A model that is not told what copies were made of."""

    differentiable = True

    def __init__(self, model: Blend) -> None:
        self.score = model.score


@cache
def on_rows_in_step(declared: str) -> Fitted:
    """One fit for all tests that only look at it."""
    return fitted(in_step(), declared)


def with_a_group(odd: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """180 normal rows and equal ones that break their rule; which are which."""
    wrong = np.tile([2.0, -2.0, 2.0, -2.0], (odd, 1))
    return np.concatenate([in_step(), wrong]), np.arange(180 + odd) >= 180


class First(nn.Module):
    """Toy member: an entry is the score."""

    def __init__(self, entry: int) -> None:
        super().__init__()
        self.entry = entry

    def forward(self, x):
        return x[:, self.entry]


def test_the_blend_is_the_weighted_mean_of_what_each_score_is_worth_on_its_own_tail():
    """Normal scores 0..10: 9 begins the tail and is worth -log 0.1, 12 lies 3 mean excesses further. Of 0..100 the tail
    begins at 90 and its mean excess is 5.5.
    """
    blend = Blend(items.shape(Modality.TABLE))
    blend.add("a", First(0), TailNormalisation.of(np.arange(11.0)))
    blend.add("b", First(1), TailNormalisation.of(np.arange(101.0)))
    x, start = torch.tensor([[12.0, 90.0], [9.0, 101.0]]), np.log(10)

    np.testing.assert_allclose(blend.score(x), [start + 1.5, start + 1.0], rtol=1e-5)

    blend.weigh(np.array([0.25, 0.75]))
    np.testing.assert_allclose(blend.score(x), [start + 0.75, start + 1.5], rtol=1e-5)
    np.testing.assert_allclose(blend.blended([x[:, 0].numpy(), x[:, 1].numpy()]), blend.score(x), rtol=1e-6)


@pytest.mark.parametrize("declared", DECLARED)
def test_what_is_declared_of_the_rows_chooses_the_members_and_only_clean_rows_weigh_them(declared):
    model = on_rows_in_step(declared).model

    assert tuple(model.members) == POOLS[declared]
    assert model.weights.sum().item() == pytest.approx(1)
    assert (len(set(model.weights.tolist())) > 1) is (declared == "clean")


def test_clean_rows_are_weighed_by_how_members_tell_synthetic_rows():
    """Columns in step: retrieval and local clouds see that boxes break the step, ranks of single columns less so."""
    weights = dict(zip(POOLS["clean"], on_rows_in_step("clean").model.weights.tolist(), strict=True))

    assert weights["clouds"] > weights["ranked_neighbours"]
    assert min(weights.values()) >= 0.2 / 5


def test_a_tenth_of_equal_anomalies_is_found_where_rows_are_declared_mixed_and_not_where_they_are_declared_clean():
    x, odd = with_a_group()

    auroc = {d: roc_auc_score(odd, fitted(x, d).held_out.scores) for d in DECLARED}

    assert auroc["mixed"] > 0.98
    assert auroc["clean"] < 0.5  # they are each other's neighbours: the reason to declare
    assert auroc["clean"] < auroc["unsure"] <= auroc["mixed"]


@pytest.mark.parametrize("declared", DECLARED)
def test_new_rows_that_break_the_rule_rank_above_usual_ones_and_far_ones_higher_still(declared):
    model, x = on_rows_in_step(declared).model, in_step(seed=1)[:80]
    broken = x.copy()
    broken[:, 0] *= -1
    broken = broken[np.abs(broken[:, 0]) > 0.6]

    with torch.no_grad():
        usual, odd = (model.score(torch.from_numpy(rows).float()) for rows in (x, broken))
        far = model.score(torch.tensor([[3.0], [10.0], [30.0]]) * torch.tensor([1.0, -1.0, 1.0, 1.0]))

    truth = np.repeat([0, 1], [len(usual), len(odd)])
    assert roc_auc_score(truth, torch.cat([usual, odd])) > 0.9
    assert (far.diff() > 1).all()
    assert far[0] > usual.max()


@pytest.mark.parametrize("declared", DECLARED)
def test_integrated_gradients_add_up_to_the_score_almost(declared):
    """Where other rows become the nearest ones, what retrieval fills in jumps, and no gradient sees jumps. A finer path
    does not help: the tolerance is for them.
    """
    x, usual = torch.tensor([[1.0, 1.0, 1.0, -3.0]]), torch.zeros(1, 4)
    model = on_rows_in_step(declared).model

    found = explain(model, model.shape, x, usual, "integrated_gradients", steps=256)

    assert found.delta[0] < 0.15 * (found.score - found.baseline_score)[0]
    assert np.isfinite(found.values).all()
    assert found.values[0].argmax() == 3


@pytest.mark.parametrize("declared", DECLARED)
def test_a_copy_of_a_row_that_taught_scores_as_if_the_row_had_not(declared):
    model = on_rows_in_step(declared).model
    row = torch.from_numpy(in_step()[:1]).float()
    nearly = row + 1e-4

    apart = model.score_copies(nearly, SourceItems.of_one(row, 1))

    torch.testing.assert_close(apart, model.score(row), rtol=0.02, atol=0.02)  # it moves on without a jump
    assert model.score(nearly) < apart - 0.02  # taken for a new row, it has its original for a neighbour
    torch.testing.assert_close(model.score_copies(row, SourceItems.of_one(row, 1)), model.score(row))
    new = row + 5
    torch.testing.assert_close(model.score_copies(new + 1, SourceItems.of_one(new, 1)), model.score(new + 1))


@pytest.mark.parametrize("declared", DECLARED)
def test_shares_of_a_row_that_taught_add_up_to_its_score_almost(declared):
    x = torch.from_numpy(in_step()).float()
    model, usual = on_rows_in_step(declared).model, torch.zeros(20, 4)

    found = explain(model, model.shape, x[:20], usual, "integrated_gradients")
    beside_itself = explain(model, model.shape, x[:20], usual, "integrated_gradients", originals=usual)

    np.testing.assert_allclose(found.score, model.score(x[:20]).numpy(), rtol=1e-4)
    assert (beside_itself.score <= found.score + 1e-6).all()  # equal where the row is none that may be retrieved
    assert (beside_itself.score < found.score - 0.01).mean() > 0.5
    # where the row itself is a neighbour all along the path, only not at its end, the score leaps there
    leaps = explain(JumpsAtTheEnd(model), model.shape, x[:20], usual, "integrated_gradients")
    assert np.median(found.delta) < 0.5 * np.median(leaps.delta)


@pytest.mark.parametrize("declared", DECLARED)
def test_state_restores_the_scores_the_weights_and_what_is_said_of_cells(declared):
    far = torch.tensor([[1.0, 1.0, 1.0, -3.0], [9.0, 9.0, -9.0, 9.0]])
    recipe, model = BalancedTabular(BalancedTabularSettings(), 0), on_rows_in_step(declared).model
    facts, arrays = recipe.state(model)

    other = recipe.restore(facts, {name: np.asarray(a) for name, a in arrays.items()})

    with torch.no_grad():
        assert torch.equal(other.weights, model.weights)
        torch.testing.assert_close(other.score(far), model.score(far), rtol=1e-5, atol=0)
        for ask in ("part_scores", "expected", "embed"):
            torch.testing.assert_close(getattr(other, ask)(far), getattr(model, ask)(far))
        torch.testing.assert_close(other.expected_range(far), model.expected_range(far))


@pytest.fixture(scope="module", params=DECLARED)
def trained(request) -> Trained:
    dataset = open_dataset(payments(), label="is_fraud", id="payment")
    choice = Choice(pretext="balanced", training_rows=request.param)
    return train_all(dataset, choice, Silent(), references=False)


def test_the_bundle_gives_the_same_scores_to_rows_that_taught_and_to_new_ones(trained, tmp_path):
    loaded = Detector.load(trained.detector.save(tmp_path / "bundle"))
    known, new = payments(), payments(seed=1).assign(payment=lambda rows: "N" + rows["payment"])

    for rows in (known, new):
        dataset = open_dataset(rows, label="is_fraud", id="payment")
        scores, again = trained.detector.score(dataset), loaded.score(dataset)
        np.testing.assert_allclose(again["score"], scores["score"], rtol=1e-5)
        np.testing.assert_allclose(again["p_value"], scores["p_value"])


def test_a_row_that_taught_keeps_its_out_of_bag_score_when_it_is_scored_again(trained):
    detector, few = trained.detector, payments().iloc[[3, 150, 299]]

    again = detector.score(open_dataset(few, label="is_fraud", id="payment"))

    kept = trained.scores.set_index("row_id")["score"]
    np.testing.assert_array_equal(again["score"], kept[again["row_id"]])
    assert len(detector.out_of_bag) == len(kept) == 300
    if "clouds" in detector.model.model.members:  # whose mean over all folds includes mixtures that saw the row
        by_model = score_items(detector.model, trained.item_set, np.arange(300))
        assert not np.allclose(by_model, kept, rtol=1e-3)


def test_broken_payments_are_found(trained):
    assert roc_auc_score(trained.scores["label"], trained.scores["score"]) > 0.95


class Heard(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []
        self.done: list[float] = []

    def say(self, message: str) -> None:
        self.said.append(message)

    def step(self, done: float, **facts: float) -> None:
        self.done.append(done)


@pytest.mark.parametrize("declared", DECLARED)
def test_of_more_rows_than_asked_for_a_sample_teaches_and_as_many_others_calibrate(declared):
    report, x = Heard(), in_step(350)

    result = fitted(x, declared, report, rows=100)

    assert report.said == ["Balanced is trained on 100 of 350 rows, drawn at random."]
    assert len(result.held_out.items) == 200
    assert len(set(result.held_out.items)) == 200
    assert max(len(v) for v in result.model.state_dict().values() if v.ndim) <= 100
    taught, rest = result.held_out.scores[:100], result.held_out.scores[100:]
    assert abs(np.median(taught) - np.median(rest)) < 0.35  # judged alike, though 100 of them taught
    with torch.no_grad():
        scores = result.model.score(table(x).take(result.held_out.items[100:]))
    np.testing.assert_allclose(rest, scores, rtol=1e-4)


def test_the_setting_reaches_the_recipe_and_other_settings_are_errors():
    dataset = open_dataset(payments(), label="is_fraud", id="payment")
    choice = Choice(pretext="balanced", training_rows="clean", settings={"pretext": {"rows": 100}})

    found = train_all(dataset, choice, Silent(), references=False)

    assert len(found.detector.out_of_bag) == 200
    assert found.scores["score"].notna().all()


def test_progress_rises_to_the_end_member_by_member():
    report = Heard()

    fitted(in_step(40), "clean", report)

    np.testing.assert_allclose(report.done, [0.2, 0.4, 0.6, 0.8, 1.0])
    assert report.said == []


@pytest.mark.parametrize("declared", ["clean", "unsure"])
def test_of_very_wide_rows_no_clouds_are_fitted(declared):
    random = np.random.default_rng(0)

    result = fitted(random.normal(size=(40, 201)), declared)

    assert tuple(result.model.members) == tuple(n for n in POOLS[declared] if n != "clouds")
    assert np.isfinite(result.held_out.scores).all()


@pytest.mark.parametrize("declared", DECLARED)
@pytest.mark.parametrize(
    "x",
    [
        in_step(60, 1),
        in_step(2),
        in_step(1),
        in_step(5),
        np.ones((40, 3)),
        np.ones((2, 3)),
        np.repeat([[0], [1]], 9, 0),
    ],
    ids=["one column", "two rows", "one row", "five rows", "equal rows", "two equal rows", "one column of two values"],
)
def test_tables_that_hold_almost_nothing_give_finite_scores_that_rise_with_distance(x, declared):
    result = fitted(x, declared)

    with torch.no_grad():
        far = result.model.score(torch.tensor([[10.0], [30.0], [100.0]]).expand(3, x.shape[1]))
    assert np.isfinite(result.held_out.scores).all()
    assert far.isfinite().all()
    assert (far.diff() > 0).all()
    assert far[0] > result.held_out.scores.max()


def test_without_rows_to_learn_from_it_says_so():
    with pytest.raises(DataError, match="No rows are left to train on"):
        fitted(np.zeros((0, 3)), "clean")


@pytest.mark.parametrize("declared", DECLARED)
def test_the_seed_decides_everything_and_no_other_randomness_is_used(declared):
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()

    first, again = (fitted(in_step(60), declared).held_out.scores for _ in range(2))

    np.testing.assert_array_equal(first, again)
    assert torch.equal(torch_before, torch.get_rng_state())
    np.testing.assert_array_equal(numpy_before, np.random.get_state()[1])
