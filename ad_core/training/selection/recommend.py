"""Recommend a pretext task for a data set: read it, hold rows out, train every fitting method briefly, and compare."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ad_core.data.dataset import Dataset
from ad_core.data.label_questions import refuse_undecided
from ad_core.data.profiling import profile
from ad_core.data.reader import READER_OF, READERS
from ad_core.data.splitting import split_items, split_rows
from ad_core.errors import DataError, MethodError
from ad_core.progress import Report, Silent
from ad_core.training.catalogue import DEFAULT_METHOD, methods, recipe_name
from ad_core.training.fit import Fit, choose_device
from ad_core.training.references import references_for
from ad_core.training.selection.ranking import ranked
from ad_core.training.selection.recommendation import Recommendation
from ad_core.training.selection.trials import Candidate, Trials, run_trials, usual_plan
from ad_core.types import Modality, TrainingRows


def recommend(
    dataset: Dataset,
    *,
    training_rows: TrainingRows = "unsure",
    seed: int = 0,
    device: str = "auto",
    only: tuple[str, ...] = (),
    plan: Mapping[str, Any] | None = None,
    reader: Mapping[str, Any] | None = None,
    report: Report | None = None,
) -> Recommendation:
    """Find the pretext task that suits the training rows; no label is used.

    Args:
        training_rows: what you know of them: "clean", "mixed" (may hold anomalies) or "unsure".
        only: names of the methods to try; () = all that fit the kind of data.
        plan: settings of `trials.Plan`; missing ones have their default for the kind of data.
        reader: settings of the reader.

    Raises:
        DataError, MethodError, SettingsError, ResourceError: with a sentence that says what to do.
        Cancelled: the report says so.
    """
    wanted = Wanted(training_rows, seed, device, tuple(only), dict(plan or {}), dict(reader or {}))
    return ranked(tried(dataset, wanted, report or Silent()), dataset.modality, training_rows, seed)


@dataclass(frozen=True)
class Wanted:
    """The options of `recommend`; see there."""

    training_rows: TrainingRows = "unsure"
    seed: int = 0
    device: str = "auto"
    only: tuple[str, ...] = ()
    plan: Mapping[str, Any] = field(default_factory=dict)
    reader: Mapping[str, Any] = field(default_factory=dict)


def tried(dataset: Dataset, wanted: Wanted, report: Report) -> Trials:
    """The trials that `recommend` ranks.

    Raises:
        DataError, MethodError, SettingsError, ResourceError, Cancelled: as `recommend`.
    """
    modality, seed = dataset.modality, wanted.seed
    plan, candidates = usual_plan(modality, **wanted.plan), candidates_for(modality, wanted.only)
    report.stage("profile")
    refuse_undecided(dataset, "python")
    if blockers := profile(dataset).blockers:
        raise DataError(" ".join(blockers))
    report.stage("split")
    reader_class = READERS.get(READER_OF[modality])
    learnt = reader_class(reader_class.Settings.parse(wanted.reader, "reader"))
    parts = split_rows(dataset, seed=seed)
    learnt.fit(dataset, parts == 0)
    item_set = learnt.item_set(dataset)
    split, notices = split_items(item_set, parts)
    for notice in (*item_set.notices, *notices):
        report.say(notice)
    report.stage("train")
    fit = Fit(item_set.learnt(), split, seed, choose_device(wanted.device), report, wanted.training_rows)
    return run_trials(candidates, fit, plan)


def candidates_for(modality: Modality, only: tuple[str, ...] = ()) -> list[Candidate]:
    """Balanced, every pretext task and the classical detectors for this kind of data.

    Raises:
        MethodError: one of `only` does not exist here.
    """
    references = references_for(modality)
    found = []
    for card in methods(modality):
        if card.kind == "recipe" and card.name == DEFAULT_METHOD:
            found.append(Candidate(card.name, "recipe", recipe_name(card.name, modality)))
        elif card.kind == "pretext" or (card.kind == "reference" and card.name in references):
            found.append(Candidate(card.name, card.kind, card.name))
    names = [candidate.name for candidate in found]
    if missing := [name for name in only if name not in names]:
        raise MethodError(f"{missing[0]!r} can't be tried on {modality} data. What can: {', '.join(names)}.")
    return [candidate for candidate in found if not only or candidate.name in only]
