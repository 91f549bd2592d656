"""Auto is Balanced to the digit unless clean rows speak clearly for a task; then Balanced keeps the larger share."""

import json

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from ad_core import pipeline
from ad_core.data.item_set import ItemSet, Split
from ad_core.errors import MethodError
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.recipe import RECIPES
from ad_core.progress import Silent
from ad_core.training.selection.blend import Joined
from ad_core.types import Modality
from tests.contracts import items

ALL = Split(np.arange(items.N), np.arange(0), np.arange(0))
FEW = {"steps": 60, "seeds": 1, "minutes": 5.0}


class Heard(Silent):
    """What was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)


def fitted(rows: str, item_set: ItemSet | None = None, report=None, **settings):
    cls = RECIPES.get("auto_tabular")
    recipe = cls(cls.Settings(**{**FEW, **settings}), 0)
    return recipe, recipe.fit(item_set or items.item_set(Modality.TABLE), ALL, rows, report or Silent())


def balanced(rows: str):
    cls = RECIPES.get("balanced_tabular")
    return cls(cls.Settings(), 0).fit(items.item_set(Modality.TABLE), ALL, rows, Silent())


@pytest.mark.parametrize("rows", ["mixed", "unsure"])
def test_it_is_balanced_where_rows_may_hold_anomalies_and_says_why(rows: str) -> None:
    report = Heard()
    _, auto = fitted(rows, report=report)

    assert np.array_equal(auto.held_out.scores, balanced(rows).held_out.scores)
    assert any(f"declared {rows!r}" in text and "mislead" in text for text in report.said)


def test_it_is_balanced_where_no_task_is_clearly_better_and_says_so() -> None:
    """After no more than a moment every task is left out of the trials: there is no evidence."""
    report = Heard()
    _, auto = fitted("clean", report=report, minutes=1e-9)

    assert np.array_equal(auto.held_out.scores, balanced("clean").held_out.scores)
    assert any("Auto is Balanced here" in text for text in report.said)


@pytest.fixture(scope="module")
def blended():
    report = Heard()
    return *fitted("clean", report=report, task="masked_cells"), report


def test_a_task_that_is_named_counts_for_its_share_and_that_is_said(blended) -> None:
    _, auto, report = blended

    assert isinstance(auto.model, Joined)
    assert any("Masked cells counts for 33% of the score" in text for text in report.said)
    x = items.item_set(Modality.TABLE).take(np.arange(20))
    with torch.no_grad():
        own = torch.stack([t(p.score(x)) for p, t in zip(auto.model.partners, auto.model.tails, strict=True)]).mean(0)
        base = auto.model.base_tail(auto.model.base.score(x))
        torch.testing.assert_close(auto.model.score(x), 0.67 * base + 0.33 * own)


def test_a_copy_is_scored_by_balanced_as_a_copy(blended) -> None:
    _, auto, _ = blended
    row = items.item_set(Modality.TABLE).take(np.arange(1))
    copy, made_of = row + 1e-4, SourceItems.of_one(row, 1)
    with torch.no_grad():
        of_base = auto.model.base.score_copies(copy, made_of) - auto.model.base.score(copy)
        of_blend = auto.model.score_copies(copy, made_of) - auto.model.score(copy)

    assert of_base > 0
    assert of_blend > 0


def test_a_row_that_taught_is_scored_by_the_training_that_did_not_see_it(blended) -> None:
    """Of the two trainings one fits: the blend of that one alone with Balanced gives the held-out score."""
    _, auto, _ = blended
    item_set = items.item_set(Modality.TABLE)
    of_base = balanced("clean").held_out
    base = auto.model.base_tail(torch.from_numpy(of_base.scores).float()).numpy()
    with torch.no_grad():
        x = item_set.take(of_base.items)
        each = [
            0.67 * base + 0.33 * t(p.score(x)).numpy()
            for p, t in zip(auto.model.partners, auto.model.tails, strict=True)
        ]
    fits = np.stack([np.isclose(one, auto.held_out.scores, atol=1e-4) for one in each])

    assert fits.any(0).all()
    halves = np.array_split(np.random.default_rng(0).permutation(items.N), 2)
    assert fits[0][halves[1]].all(), "the first training saw the first half"
    assert fits[1][halves[0]].all()


def test_it_restores_from_json_and_arrays(blended) -> None:
    recipe, auto, _ = blended
    facts, arrays = recipe.state(auto.model)
    cls = type(recipe)
    other = cls(cls.Settings(), 0).restore(
        json.loads(json.dumps(facts)), {name: np.asarray(value) for name, value in arrays.items()}
    )

    x = torch.cat([items.item_set(Modality.TABLE).take(np.arange(10)), items.far_off(Modality.TABLE)])
    with torch.no_grad():
        torch.testing.assert_close(other.score(x), auto.model.score(x), rtol=1e-5, atol=1e-6)


def test_it_trains_saves_and_loads_as_a_detector(payments_file, tmp_path) -> None:
    dataset = pipeline.open_dataset(payments_file, label="is_fraud", id="payment")
    choice = pipeline.Choice(
        pretext="auto", training_rows="clean", settings={"pretext": {"task": "masked_cells", "steps": 60}}
    )
    trained = pipeline.train_all(dataset, choice, Silent(), references=False)
    trained.detector.save(tmp_path / "bundle")
    again = pipeline.load_detector(tmp_path / "bundle").score(dataset)

    np.testing.assert_allclose(again["score"], trained.scores["score"], rtol=1e-5)
    assert spearmanr(again["score"], trained.scores["label"]).statistic > 0
    assert trained.detector.facts["method"] == "auto"


def test_an_unknown_task_is_named() -> None:
    with pytest.raises(MethodError, match="masked_cell"):
        fitted("clean", task="masked_cell")
