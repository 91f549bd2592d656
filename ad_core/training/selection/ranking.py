"""Ranking of the methods by trials without labels, and its uncertainty.

Methods are trained briefly and scored on synthetic anomalies among held-out normal items; the result is an AUROC with a
bootstrap interval for each kind of anomaly. Intervals and comparisons resample items and seeds, the same ones for all
methods, so they are paired (Efron and Tibshirani 1993, ch. 8 and 15).

Limits: real anomalies may differ from synthetic ones. On labelled tables with clean training rows, the ranking of all
methods on synthetic anomalies agreed weakly with the true one, and that of the pretext tasks alone not at all. With
anomalies among the training rows the ranking can mislead, since flexible methods learn these and are rewarded for it.
So the choice is Balanced, or for clean rows with a clear result its weighted mean with a task.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from scipy.stats import spearmanr

from ad_core.training.catalogue import DEFAULT_METHOD
from ad_core.training.selection.recommendation import CLEAR, Figure, Recommendation, Standing, in_words
from ad_core.training.selection.trials import Candidate, Trial, Trials
from ad_core.types import Modality, TrainingRows

RESAMPLES = 400
INTERVAL = (0.025, 0.975)


def ranked(trials: Trials, modality: Modality, training_rows: TrainingRows, seed: int) -> Recommendation:
    """The recommendation that follows from trials; deterministic for a seed."""
    tried = [c for c in trials.candidates if any(t.method == c.name for t in trials.done)]
    kinds = [flaw.name for flaw in trials.flaws]
    resampled = _resampled(trials, kinds, seed)
    full = {c.name: {kind: _plain(trials, c.name, kind) for kind in kinds} for c in tried}
    means = {name: resampled[name].mean(0) for name in full}  # (resamples,)
    tasks = [c.name for c in tried if c.kind == "pretext"]
    best = max(tasks, key=lambda name: np.mean(list(full[name].values())), default=None)
    standings = [_standing(c, trials, kinds, full[c.name], resampled[c.name], means.get(best or "")) for c in tried]
    standings.sort(key=lambda line: (-line.mean.auroc, line.method))
    rivals = [s for s in standings if s.method in tasks and s.method != best and s.best_is_better < CLEAR]
    task = _fastest(standings, [best, *(r.method for r in rivals)]) if best else None
    versus = None
    if task is not None and DEFAULT_METHOD in means:
        versus = better(means[task], means[DEFAULT_METHOD])
    choice = DEFAULT_METHOD
    if training_rows == "clean" and modality is Modality.TABLE and versus is not None and versus >= CLEAR:
        choice = "auto"
    found = Recommendation(
        modality=modality,
        training_rows=training_rows,
        standings=standings,
        kinds={flaw.name: {"title": flaw.title, "says": flaw.says} for flaw in trials.flaws},
        failed=trials.failed,
        task=task,
        clear=bool(best) and not rivals,
        beats_balanced=versus,
        choice=choice,
        sentences=[],
        notices=trials.notices,
    )
    return found.model_copy(update={"sentences": in_words(found)})


def better(a: np.ndarray, b: np.ndarray) -> float:
    """Probability of superiority: share of the resamples in which `a` is larger; ties count half."""
    return float(np.mean(a > b) + np.mean(a == b) / 2)


def _fastest(standings: Sequence[Standing], names: Sequence[str]) -> str:
    """The fastest of these methods."""
    return min((s for s in standings if s.method in names), key=lambda line: (line.seconds, line.method)).method


def _standing(
    candidate: Candidate,
    trials: Trials,
    kinds: list[str],
    full: dict[str, float],
    resampled: np.ndarray,
    best: np.ndarray | None,
) -> Standing:
    own = [trial for trial in trials.done if trial.method == candidate.name]
    return Standing(
        method=candidate.name,
        title=candidate.title,
        kind=candidate.kind,
        by_kind={kind: _figure(full[kind], values) for kind, values in zip(kinds, resampled, strict=True)},
        mean=_figure(float(np.mean(list(full.values()))), resampled.mean(0)),
        agreement=_agreement(own),
        seeds=len(own),
        seconds=float(np.mean([trial.seconds for trial in own])),
        best_is_better=0.5 if best is None else better(best, resampled.mean(0)),
    )


def _figure(auroc: float, resampled: np.ndarray) -> Figure:
    low, high = np.quantile(resampled, INTERVAL)
    return Figure(auroc=auroc, low=float(low), high=float(high))


def _agreement(own: list[Trial]) -> float | None:
    found = [spearmanr(a.usual, b.usual).statistic for a, b in combinations(own, 2) if _varied(a) and _varied(b)]
    return float(np.mean(found)) if found else None


def _varied(trial: Trial) -> bool:
    return bool(np.ptp(trial.usual) > 0)


def _plain(trials: Trials, method: str, kind: str) -> float:
    """AUROC over all items, mean over the seeds."""
    return float(
        np.mean([above(t.synthetic[kind], t.usual).mean() for t in trials.done if t.method == method], dtype=np.float64)
    )


def above(synthetic: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """(k, n) float32: 1 where the synthetic item scores higher, 0.5 where both score alike; its mean is the AUROC."""
    equal = np.asarray(synthetic[:, None] == usual, dtype=np.float32)
    return np.asarray((synthetic[:, None] > usual) + np.float32(0.5) * equal, dtype=np.float32)


def _resampled(trials: Trials, kinds: list[str], seed: int) -> dict[str, np.ndarray]:
    """Method -> (kinds, resamples) AUROC, with items and seeds drawn with replacement, the same for all methods."""
    random = np.random.default_rng([seed, 77])
    usual = _weights(len(trials.done[0].usual), random) if trials.done else np.zeros((RESAMPLES, 0))
    drawn = {kind: _weights(len(trials.done[0].synthetic[kind]), random) for kind in kinds if trials.done}
    lots = random.random((RESAMPLES, 64))
    found = {}
    for method in dict.fromkeys(trial.method for trial in trials.done):
        own = [trial for trial in trials.done if trial.method == method]
        per_seed = np.stack([[_auroc(t, kind, usual, drawn[kind]) for kind in kinds] for t in own])
        chosen = (lots[:, : len(own)] * len(own)).astype(int)  # (resamples, seeds), seeds drawn with replacement
        share = np.stack([(chosen == s).mean(1) for s in range(len(own))])  # (seeds, resamples)
        found[method] = np.einsum("skr,sr->kr", per_seed, share)
    return found


def _weights(n: int, random: np.random.Generator) -> np.ndarray:
    """(resamples, n) float32: how often each item was drawn, divided by n."""
    return np.asarray(random.multinomial(n, np.full(n, 1 / n), RESAMPLES) / n, dtype=np.float32)


def _auroc(trial: Trial, kind: str, usual: np.ndarray, synthetic: np.ndarray) -> np.ndarray:
    """(resamples,): the AUROC of each resample, a weighted mean over the pairs."""
    return np.asarray(((synthetic @ above(trial.synthetic[kind], trial.usual)) * usual).sum(1), dtype=np.float64)
