"""What the product does with an input, and whether that is right."""

import re
import signal
import traceback
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ad_core import pipeline
from ad_core.data.dataset import Dataset
from ad_core.data.profiling import profile
from ad_core.detector.detector import Detector
from ad_core.errors import AdError
from ad_core.types import Modality
from tests.fuzz.detectors import METHODS, SETTINGS, trained
from tests.fuzz.inputs import Input, make_input

SLOWEST = 10
"""Maximum processor time for one input [s]; processor time, as a busy machine is no failure."""
LONGEST_SENTENCE = 4000
"""Maximum length of an error; a name of 3,000 letters may be in it."""
QUICK = {Modality.TABLE: "nearest_neighbours", Modality.SENSOR: "nearest_neighbours", Modality.IMAGE: "histogram"}
_ROWS = re.compile(
    r"(?i)\b(lines?|rows?|images?|files?|masks?)\b.*\b(left out|no rows?|not a row|neither trained)|left out of|"
    r"has no header"
)
"""Notices by which rows may be fewer, or one more."""


@dataclass
class Verdict:
    """What happened to one input."""

    what: Counter[str] = field(default_factory=Counter)
    """Opened, scored, refused, ...: how often."""
    failures: list[str] = field(default_factory=list)
    traces: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    """The sentences of the errors."""


class TooSlowError(Exception):
    """An input took more than its processor time."""


def judged(seed: int, numbers: Iterable[int]) -> Iterator[tuple[Input, Verdict]]:
    """Each input of a seed, in a folder that is removed afterwards, and its verdict."""
    for number in numbers:
        with TemporaryDirectory(prefix="fuzz-") as folder:
            one = make_input(seed, number, Path(folder))
            yield one, judge(one)


def told(one: Input, failure: str) -> str:
    """A failure with what the input was and how to repeat it."""
    options = f", opened with {dict(one.options)}" if one.options else ""
    return (
        f"FAILURE {failure}\n  {one.kind}: {one.said[:300]}{options}\n"
        f"  repeat: python -m tests.fuzz --seed {one.seed} --only {one.number}"
    )


def judge(one: Input) -> Verdict:
    """Open, report, profile, score, and now and then train; nothing is raised."""
    verdict = Verdict()
    methods = METHODS[one.kind]
    detector = trained(one.kind, methods[one.number % len(methods)])
    with guarded(verdict, "open_dataset"):
        dataset = pipeline.open_dataset(one.path, **dict(one.options))
        verdict.what["opened"] += 1
        _check_rows(verdict, one, dataset)
        str(dataset.report())
        profile(dataset)
        with guarded(verdict, "score of open_dataset"):
            _score(verdict, detector, dataset)
        if one.trains:
            with guarded(verdict, "train"):
                own = pipeline.train(dataset, QUICK[dataset.modality], settings=SETTINGS.get(dataset.modality))
                verdict.what["trained"] += 1
                _score(verdict, own, dataset)
    with guarded(verdict, "Detector.open"):
        like = detector.open(one.path, allow_missing=bool(one.draw.random() < 0.3))
        _check_rows(verdict, one, like)
        _score(verdict, detector, like)
    return verdict


@contextmanager
def guarded(verdict: Verdict, step: str) -> Iterator[None]:
    """Refusals are counted; everything else that is raised, and every warning, is a failure."""
    try:
        with warnings.catch_warnings(), _timed():
            warnings.simplefilter("error")
            yield
    except AdError as error:
        verdict.what[f"refused by {step}"] += 1
        sentence = str(error)
        verdict.refusals.append(f"{type(error).__name__}: {sentence}")
        if not re.search(r"\w{2,}.* \w", sentence) or len(sentence) > LONGEST_SENTENCE or "Traceback" in sentence:
            verdict.failures.append(f"{step}: no readable sentence: {sentence[:300]!r} ({len(sentence)} characters)")
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = next((frame for frame in reversed(frames) if "ad_core" in frame.filename), frames[-1])
        where = f"{own.filename.rpartition('/ad_core/')[2]}:{own.lineno}"
        verdict.failures.append(f"{step}: {type(error).__name__} in {where}: {str(error)[:200]}")
        verdict.traces.append(traceback.format_exc())


@contextmanager
def _timed() -> Iterator[None]:
    """Raises in what runs longer than an input may; an inner block leaves the clock of the outer one alone."""
    if signal.getitimer(signal.ITIMER_PROF)[0]:
        yield
        return

    def too_slow(*_: object) -> None:
        raise TooSlowError(f"more than {SLOWEST} s of processor time")

    before = signal.signal(signal.SIGPROF, too_slow)
    signal.setitimer(signal.ITIMER_PROF, SLOWEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _check_rows(verdict: Verdict, one: Input, dataset: Dataset) -> None:
    """Other rows than were written need a notice."""
    if one.rows < 0 or len(dataset) == one.rows or one.options.get("header") is not None:
        return
    if not any(_ROWS.search(notice) for notice in dataset.notices):
        verdict.failures.append(
            f"{one.rows} rows were written, {len(dataset)} were read, and no notice says so: {dataset.notices}"
        )


def _score(verdict: Verdict, detector: Detector, dataset: Dataset) -> None:
    scores = detector.score(dataset)
    alerts = detector.alerts(scores, dataset)
    verdict.what["scored"] += 1
    odd = ~np.isfinite(scores["score"].to_numpy(float)) & (scores["note"] == "").to_numpy()
    if odd.any():
        values = scores["score"][odd].unique().tolist()[:3]
        verdict.failures.append(f"{odd.sum()} of {len(scores)} scores are {values} without a note")
    if len(scores) != len(dataset) or len(alerts.of_rows) != len(dataset):
        verdict.failures.append(f"{len(dataset)} rows, {len(scores)} scores, {len(alerts.of_rows)} alerts")
