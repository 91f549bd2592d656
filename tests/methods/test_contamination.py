"""Rows that should not teach: found without labels, and left out of training."""

import numpy as np
import pytest

from ad_core.methods import contamination
from ad_core.methods.contamination import subset_distances, suspicion, trusted
from ad_core.pipeline import open_dataset, train_all
from ad_core.progress import Silent
from ad_core.training.choice import Choice
from ad_core.types import Modality
from tests.conftest import payments
from tests.contracts import items


def mixed(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """200 normal rows and a tight group of 6 that break the pattern; which are which."""
    random = np.random.default_rng(seed)
    usual = random.normal(size=(200, 1)) @ np.ones((1, 5)) + 0.3 * random.normal(size=(200, 5))
    odd = np.array([4.0, -4.0, 4.0, -4.0, 4.0]) + 0.1 * random.normal(size=(6, 5))
    return np.concatenate([usual, odd]).astype(np.float32), np.arange(206) >= 200


def test_a_group_of_equal_anomalies_is_among_the_most_suspicious_rows():
    x, is_odd = mixed()

    assert suspicion(x, 0)[is_odd].min() > np.quantile(suspicion(x, 0), 0.9)


def test_subsets_never_hold_the_row_itself():
    """Two rows: each subset without the row is the other one, so both are as far as they are apart."""
    np.testing.assert_allclose(subset_distances(np.array([[0.0], [3.0]]), np.random.default_rng(0)), [3.0, 3.0])


@pytest.mark.parametrize(("leave_out", "kept"), [(0.0, 64), (0.1, 58), (0.5, 32)])
def test_the_share_that_is_left_out_is_the_one_that_was_asked_for(leave_out, kept):
    fit = items.split().fit

    found = trusted(items.item_set(Modality.TABLE), fit, leave_out, 0)

    assert abs(len(found) - kept) <= 1
    assert np.isin(found, fit).all()


def test_of_very_few_rows_none_is_left_out():
    fit = items.split().fit[:20]

    assert trusted(items.item_set(Modality.TABLE), fit, 0.5, 0) is fit


@pytest.mark.parametrize(("rows", "said"), [("clean", False), ("unsure", True), ("mixed", True)])
def test_what_is_declared_of_the_rows_decides_whether_some_are_left_out_and_the_run_says_so(rows, said):
    dataset = open_dataset(payments(), label="is_fraud", id="payment")
    choice = Choice(pretext="autoencoder", training_rows=rows, settings={"training": {"max_steps": 5}})

    trained = train_all(dataset, choice, Silent())

    assert any("left out" in notice for notice in trained.detector.info.notices) is said


def test_a_refit_leaves_out_what_the_last_network_found_oddest():
    dataset = open_dataset(payments(), label="is_fraud", id="payment")

    def scores(refits: int) -> np.ndarray:
        settings = {"training": {"max_steps": 30, "refits": refits, "leave_out": 0.1}}
        return train_all(dataset, Choice(pretext="autoencoder", settings=settings), Silent()).item_scores

    assert not np.allclose(scores(1), scores(0))


def test_of_very_many_rows_a_sample_is_judged(monkeypatch):
    monkeypatch.setattr(contamination, "MOST_JUDGED", 40)
    fit = items.split().fit

    judged = contamination.ranked_items(fit, 0)
    found = trusted(items.item_set(Modality.TABLE), judged, 0.25, 0)

    assert len(judged) == 40
    assert len(found) == 30
    assert np.isin(found, fit).all()


@pytest.mark.parametrize("refits", [0, 2])
def test_the_run_says_how_many_of_a_sample_were_left_out(monkeypatch, refits):
    monkeypatch.setattr(contamination, "MOST_JUDGED", 100)
    dataset = open_dataset(payments(), label="is_fraud", id="payment")
    settings = {"training": {"max_steps": 3, "leave_out": 0.2, "refits": refits}}

    trained = train_all(dataset, Choice(pretext="autoencoder", settings=settings), Silent(), references=False)

    assert any(
        notice.startswith("20 of 100 training items, drawn at random from 180,")
        for notice in trained.detector.info.notices
    )
