"""From scores to intervals and a sentence, on scores written down by hand."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ad_core.training.selection.ranking import above, better, ranked
from ad_core.training.selection.recommendation import CLEAR
from ad_core.training.selection.trials import Candidate, Trial, Trials
from ad_core.training.synthetic.inject import SYNTHETIC_ANOMALIES
from ad_core.types import Modality

KINDS = SYNTHETIC_ANOMALIES[Modality.TABLE][:2]
TASKS = {name: Candidate(name, "pretext", name) for name in ("autoencoder", "deep_svdd", "masked_cells")}
BALANCED = Candidate("balanced", "recipe", "balanced_tabular")
USUAL = np.random.default_rng(0).normal(size=200)


def trials(gaps: dict[str, float], seconds: dict[str, float] | None = None, seeds: int = 2, noise: float = 0.2):
    """Synthetic anomalies lie so much higher than normal ones."""
    random = np.random.default_rng(1)
    own = {flaw.name: random.normal(size=100) for flaw in KINDS}
    done = []
    for seed in range(seeds):
        for name, gap in gaps.items():
            shaken = USUAL + noise * random.normal(size=200)
            done.append(Trial(name, seed, shaken, {k: v + gap for k, v in own.items()}, (seconds or {}).get(name, 1.0)))
    candidates = [TASKS.get(name, BALANCED) for name in gaps]
    return Trials(candidates, list(KINDS), done)


def found(*args, rows="clean", modality=Modality.TABLE, **more):
    return ranked(trials(*args, **more), modality, rows, 0)


def test_an_auroc_is_that_of_scikit_learn_ties_and_all() -> None:
    random = np.random.default_rng(0)
    synthetic, usual = random.integers(0, 5, 40).astype(float), random.integers(0, 4, 60).astype(float)
    truth = np.r_[np.ones(40), np.zeros(60)]

    assert above(synthetic, usual).mean() == pytest.approx(roc_auc_score(truth, np.r_[synthetic, usual]))


def test_every_kind_has_an_auroc_within_its_interval() -> None:
    line = found({"autoencoder": 1.0, "balanced": 1.0}).standings[0]

    assert set(line.by_kind) == {flaw.name for flaw in KINDS}
    for figure in (*line.by_kind.values(), line.mean):
        assert figure.low < figure.auroc < figure.high
        assert figure.auroc == pytest.approx(0.76, abs=0.06)  # Φ(1 / √2) of two normals one apart
        assert 0.03 < figure.high - figure.low < 0.25


def test_more_items_make_the_interval_narrower() -> None:
    few, many = trials({"autoencoder": 1.0}), trials({"autoencoder": 1.0})
    cut = [Trial(t.method, t.seed, t.usual[:30], {k: v[:20] for k, v in t.synthetic.items()}, 1.0) for t in few.done]
    few.done = cut

    def width(t: Trials) -> float:
        line = ranked(t, Modality.TABLE, "clean", 0).standings[0].mean
        return line.high - line.low

    assert width(few) > 1.5 * width(many)


def test_a_clear_winner_is_named_with_its_share_of_resamples() -> None:
    outcome = found({"autoencoder": 2.5, "deep_svdd": 0.5, "balanced": 1.0})

    assert (outcome.task, outcome.clear) == ("autoencoder", True)
    assert outcome.standings[0].method == "autoencoder"
    assert "Autoencoder suits best: better than" in outcome.sentences[0]
    assert "100% of resamples" in outcome.sentences[0]


def test_among_equals_the_fastest_is_named_as_such() -> None:
    gaps = {"autoencoder": 1.0, "deep_svdd": 1.05, "masked_cells": -2.0, "balanced": 1.0}
    outcome = found(gaps, {"autoencoder": 2.0, "deep_svdd": 9.0, "masked_cells": 0.1})

    assert outcome.standings[0].method == "deep_svdd", "a little better, and slower"
    assert (outcome.task, outcome.clear) == ("autoencoder", False)
    assert "No clear winner" in outcome.sentences[0]
    assert "because it is the fastest" in outcome.sentences[0]
    assert "Masked cells" not in outcome.sentences[0], "what is clearly worse is no equal, however fast"


def test_auto_is_advised_only_where_clean_rows_speak_clearly_against_balanced() -> None:
    better_task = {"autoencoder": 2.5, "deep_svdd": 0.0, "balanced": 1.0}
    equal_task = {"autoencoder": 1.0, "deep_svdd": 0.0, "balanced": 1.0}

    assert found(better_task).choice == "auto"
    assert found(better_task).beats_balanced >= CLEAR
    assert found(equal_task).choice == "balanced"
    assert found(better_task, modality=Modality.SENSOR).choice == "balanced"


@pytest.mark.parametrize("rows", ["mixed", "unsure"])
def test_with_rows_that_may_hold_anomalies_balanced_is_advised_and_why(rows: str) -> None:
    outcome = found({"autoencoder": 2.5, "deep_svdd": 0.0, "balanced": 1.0}, rows=rows)

    assert outcome.choice == "balanced"
    assert any("mislead" in sentence and rows in sentence for sentence in outcome.sentences)


def test_agreement_is_the_rank_correlation_of_two_seeds() -> None:
    steady = found({"autoencoder": 1.0}, noise=0.01).standings[0]
    shaky = found({"autoencoder": 1.0}, noise=5.0).standings[0]
    alone = found({"autoencoder": 1.0}, seeds=1).standings[0]

    assert steady.agreement > 0.98
    assert shaky.agreement < 0.5
    assert alone.agreement is None


def test_comparisons_are_paired() -> None:
    """A method that is a hair better on every item is better in every resample, though intervals overlap widely."""
    outcome = found({"autoencoder": 1.1, "deep_svdd": 1.0}, noise=0.0)
    first, second = outcome.standings

    assert first.mean.low < second.mean.high
    assert second.best_is_better > CLEAR


def test_ties_count_half() -> None:
    assert better(np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 4.0])) == pytest.approx(0.5)


def test_it_is_the_same_for_the_same_seed() -> None:
    assert found({"autoencoder": 1.0, "balanced": 0.9}) == found({"autoencoder": 1.0, "balanced": 0.9})


def test_without_any_task_it_says_so() -> None:
    outcome = found({"balanced": 1.0})

    assert (outcome.task, outcome.choice) == (None, "balanced")
    assert "No pretext task could be tried" in outcome.sentences[0]
