"""Every registered recipe keeps the contract, and a toy shows that it carries members with out-of-bag scores."""

import json

import numpy as np
import pytest
import torch

from ad_core.data.item_set import ItemSet, Split
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.recipe import RECIPES, Fitted, HeldOut, Recipe
from ad_core.methods.reference import REFERENCES, ReferenceModel, flat
from ad_core.progress import Silent
from ad_core.settings import Settings
from ad_core.training.fit import per_item
from ad_core.types import Modality, TrainingRows
from tests.contracts import items
from tests.contracts.checks import check_settings

MEMBERS = ("isolation_forest", "nearest_neighbours")


class Nothing(Settings):
    """There is nothing to set."""


class Mean:
    """Mean of all members' scores."""

    differentiable = False

    def __init__(self, members: list[ReferenceModel]) -> None:
        self.members = members

    def score(self, x):
        return torch.stack([member.score(x) for member in self.members]).mean(0)

    def embed(self, x):
        return self.members[0].embed(x)

    def part_scores(self, x):
        return None

    def expected(self, x):
        return None

    def expected_range(self, x):
        return None

    def over_time(self, x):
        return None

    def extras(self, x):
        return {}


class FourFolds(Recipe):
    """Two references on each three quarters of the fit rows; out of the bag, a row is scored by the pair without it."""

    title = about = source = "Toy"
    modalities = frozenset(Modality)
    Settings = Nothing

    def fit(self, item_set: ItemSet, split: Split, training_rows: TrainingRows, report) -> Fitted:
        self.modality = item_set.shape.modality
        folds = np.array_split(np.random.default_rng(self.seed).permutation(split.fit), 4)
        members, held_out = [], []
        for fold in folds:
            report.check()
            rows = flat(item_set.take(np.setdiff1d(split.fit, fold)), self.modality)
            pair = [self.member(name, rows) for name in MEMBERS]
            held_out.append(Mean(pair).score(item_set.take(fold)).numpy())
            members += pair
        return Fitted(Mean(members), HeldOut(np.concatenate(folds), np.concatenate(held_out)))

    def state(self, model):
        arrays = {f"{i}": member.rows for i, member in enumerate(model.members)}
        return {"names": [member.reference.name for member in model.members], "modality": str(self.modality)}, arrays

    def restore(self, facts, arrays):
        self.modality = Modality(facts["modality"])
        return Mean([self.member(name, arrays[f"{i}"]) for i, name in enumerate(facts["names"])])

    def member(self, name: str, rows: np.ndarray) -> ReferenceModel:
        cls = REFERENCES.get(name)
        return ReferenceModel(cls(cls.Settings(), self.seed), self.modality, rows)


ALL = [(RECIPES.get(name), modality) for modality in Modality for name in RECIPES.names(modality)]
ALL += [(FourFolds, modality) for modality in Modality]


@pytest.fixture(scope="module", params=ALL, ids=lambda pair: f"{pair[0].__name__}-{pair[1]}")
def fitted(request) -> tuple[Recipe, Modality, Fitted]:
    cls, modality = request.param
    recipe = cls(cls.Settings(), 0)
    return recipe, modality, recipe.fit(items.item_set(modality), items.split(), "unsure", Silent())


def test_card_and_settings_are_complete(fitted):
    recipe, modality, _ = fitted

    check_settings(type(recipe).Settings)
    assert all(text.strip() for text in (recipe.title, recipe.about, recipe.source))
    assert modality in recipe.modalities


def test_score_depends_on_the_item_alone(fitted):
    _, modality, result = fitted
    x = items.item_set(modality).take(np.arange(80, 92))

    with torch.no_grad():
        whole, pieces = result.model.score(x), torch.cat([result.model.score(part) for part in x.split([1, 4, 7])])

    assert whole.shape == (12,)
    # convolutions round otherwise in batches of another size, and the slope of a tail multiplies that
    near = 2e-4 if modality is Modality.IMAGE else 1e-5
    torch.testing.assert_close(pieces, whole, rtol=near, atol=near)


def held_out_of(modality: Modality, result: Fitted) -> HeldOut:
    """What calibrates: scores out of the bag, or those of the calibration items where these taught nothing."""
    if result.held_out is not None:
        return result.held_out
    index = items.split().calibration
    with torch.no_grad():
        return HeldOut(index, result.model.score(items.item_set(modality).take(index)).numpy())


def test_far_off_item_scores_above_the_median_of_held_out_ones(fitted):
    _, modality, result = fitted

    with torch.no_grad():
        assert result.model.score(items.far_off(modality)).item() > np.median(held_out_of(modality, result).scores)


def test_held_out_scores_belong_to_different_items(fitted):
    _, modality, result = fitted

    held_out = held_out_of(modality, result)
    assert len(held_out.items) == len(held_out.scores) == len(set(held_out.items))
    assert np.isin(held_out.items, np.arange(len(items.item_set(modality)))).all()
    assert np.isfinite(held_out.scores).all()


def test_items_with_out_of_bag_scores_are_scored_so_as_their_own_copies(fitted):
    """Otherwise an explanation would be about another score than the one in the table."""
    recipe, modality, result = fitted
    if result.held_out is None or isinstance(recipe, FourFolds):
        pytest.skip("there are no out-of-bag scores, or it is the toy, which does not know who has not seen a row")
    facts, arrays = recipe.state(result.model)
    restored = recipe.restore(json.loads(json.dumps(facts)), {name: np.asarray(a) for name, a in arrays.items()})
    x, scores = items.item_set(modality).take(result.held_out.items), per_item(result.held_out.scores)
    made_of = SourceItems.each(x, torch.arange(len(x)))

    for model in (result.model, restored):
        with torch.no_grad():
            found = model.score_copies(x, made_of).double().numpy()
            mixed = model.score_copies(x, SourceItems.each(x, torch.where(torch.arange(len(x)) < 9, made_of.of, -1)))
            plain = model.score_copies(x, SourceItems.each(x))
        np.testing.assert_allclose(found, scores, rtol=1e-3, atol=1e-4)  # other batches, and tails multiply rounding
        np.testing.assert_allclose(mixed[:9], scores[:9], rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(mixed[9:], plain[9:], rtol=1e-4, atol=1e-4)
        assert not np.allclose(plain, scores, rtol=1e-2)


def test_state_is_json_and_arrays_and_restores_the_model(fitted):
    recipe, modality, result = fitted
    facts, arrays = recipe.state(result.model)
    cls = type(recipe)
    other = cls(cls.Settings(), 0).restore(
        json.loads(json.dumps(facts)), {name: np.asarray(a) for name, a in arrays.items()}
    )

    x = items.far_off(modality)
    with torch.no_grad():
        torch.testing.assert_close(other.score(x), result.model.score(x), rtol=1e-5, atol=1e-6)


def test_out_of_bag_scores_come_from_members_that_did_not_see_the_row():
    """Each row is in the bag of three of the four pairs; its held-out score is the one that the fourth gives."""
    item_set = items.item_set(Modality.TABLE)
    result = FourFolds(Nothing(), 0).fit(item_set, items.split(), "unsure", Silent())
    members = result.model.members

    assert sorted(result.held_out.items) == items.split().fit.tolist()
    for item, score in zip(result.held_out.items, result.held_out.scores, strict=True):
        x = item_set.take(np.array([item]))
        row = flat(x, Modality.TABLE)
        strangers = [m for m in members if not (m.rows == row).all(axis=1).any()]
        assert len(strangers) == len(MEMBERS)
        assert score == pytest.approx(Mean(strangers).score(x).item())
