"""Which pretext task suits a data set: read it, hold rows out, try every fitting method briefly, and judge."""

from collections.abc import Mapping
from typing import Any

from ad_core.data.dataset import Dataset
from ad_core.data.profiling import profile
from ad_core.data.reader import READER_OF, READERS
from ad_core.data.splitting import split_items, split_rows
from ad_core.errors import DataError, MethodError
from ad_core.progress import Report, Silent
from ad_core.training.catalogue import DEFAULT_METHOD, methods, recipe_name
from ad_core.training.fit import choose_device
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
    """Find the pretext task that suits the rows that may train; no label is looked at.

    Args:
        training_rows: what you know of them: "clean", "mixed" (may hold anomalies) or "unsure".
        only: try these methods alone; () = every one that fits.
        plan: settings of `trials.Plan`; what is missing has its usual value for the kind of data.
        reader: settings of the reader.

    Raises:
        DataError, MethodError, SettingsError, ResourceError: with a sentence that says what to do.
        Cancelled: the report says so.
    """
    report = report or Silent()
    trials = tried(
        dataset,
        training_rows=training_rows,
        seed=seed,
        device=device,
        only=only,
        plan=plan,
        reader=reader,
        report=report,
    )
    return ranked(trials, dataset.modality, training_rows, seed)


def tried(
    dataset: Dataset,
    *,
    training_rows: TrainingRows,
    seed: int,
    device: str,
    only: tuple[str, ...],
    plan: Mapping[str, Any] | None,
    reader: Mapping[str, Any] | None,
    report: Report,
) -> Trials:
    """The trials that `recommend` judges; see there."""
    modality = dataset.modality
    chosen_plan, candidates = usual_plan(modality, **dict(plan or {})), candidates_for(modality, only)
    report.stage("profile")
    if blockers := profile(dataset).blockers:
        raise DataError(" ".join(blockers))
    report.stage("split")
    reader_class = READERS.get(READER_OF[modality])
    learnt = reader_class(reader_class.Settings.parse(reader or {}, "reader"))
    parts = split_rows(dataset, seed=seed)
    learnt.fit(dataset, parts == 0)
    item_set = learnt.item_set(dataset)
    split, notices = split_items(item_set, parts)
    for notice in (*item_set.notices, *notices):
        report.say(notice)
    report.stage("train")
    return run_trials(item_set, split, candidates, chosen_plan, training_rows, seed, choose_device(device), report)


def candidates_for(modality: Modality, only: tuple[str, ...] = ()) -> list[Candidate]:
    """Balanced, every pretext task and the classical detectors that a run of this kind of data is shown beside.

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
