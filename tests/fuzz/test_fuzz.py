"""The first 1,000 inputs of seed 0, and that the judgement is able to find fault."""

import hashlib
import warnings
from pathlib import Path

import numpy as np
import pytest

from ad_core.errors import DataError
from ad_core.types import Modality
from tests.fuzz import judgement
from tests.fuzz.damage import damaged
from tests.fuzz.inputs import Input, make_input
from tests.fuzz.judgement import Verdict, guarded, judge, judged, told

INPUTS, PARTS = 1000, 4


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_no_odd_input_goes_wrong_silently(part):
    numbers = range(part * INPUTS // PARTS, (part + 1) * INPUTS // PARTS)

    verdicts = list(judged(0, numbers))

    failures = [told(one, failure) for one, verdict in verdicts for failure in verdict.failures]
    assert not failures, "\n".join(failures)
    assert len(verdicts) == INPUTS // PARTS
    for kind in Modality:  # or nothing was tried
        of_kind = [verdict.what for one, verdict in verdicts if one.kind is kind]
        assert sum(what["scored"] for what in of_kind) > 0.5 * len(of_kind)


@pytest.mark.parametrize("number", range(40))
def test_the_same_seed_and_number_give_the_same_bytes(tmp_path, number):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        make_input(7, number, folder)

    assert _digest(first) == _digest(second)


def _digest(folder: Path) -> str:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return hashlib.sha256(b"".join(str(p.relative_to(folder)).encode() + p.read_bytes() for p in files)).hexdigest()


@pytest.mark.parametrize("problem", [KeyError("x"), DataError("No."), DataError("")])
def test_tracebacks_and_errors_without_a_sentence_are_failures(problem):
    verdict = Verdict()

    with guarded(verdict, "open_dataset"):
        raise problem

    assert len(verdict.failures) == 1


def test_an_error_of_one_sentence_is_a_right_answer():
    verdict = Verdict()

    with guarded(verdict, "open_dataset"):
        raise DataError("a.csv is empty. Choose a file with rows.")

    assert verdict.failures == []
    assert verdict.what["refused by open_dataset"] == 1


def test_warnings_are_failures():
    verdict = Verdict()

    with guarded(verdict, "open_dataset"):
        warnings.warn("overflow", RuntimeWarning, stacklevel=1)

    assert "RuntimeWarning" in verdict.failures[0]


def test_what_does_not_end_is_a_failure(monkeypatch):
    verdict = Verdict()
    monkeypatch.setattr(judgement, "SLOWEST", 0.05)

    with guarded(verdict, "open_dataset"):
        while True:
            pass

    assert "processor time" in verdict.failures[0]


def test_rows_that_vanish_are_a_failure(tmp_path):
    """The file has one row less than was said to be written."""
    file = tmp_path / "a.csv"
    file.write_text("a,b\n" + "".join(f"{i},{i * i % 7}\n" for i in range(30)))

    verdict = judge(Input(0, 0, Modality.TABLE, tmp_path, file, "", rows=31))

    assert "31 rows were written, 30 were read" in verdict.failures[0]


def test_every_accident_changes_the_bytes():
    rng, content = np.random.default_rng(0), bytes(range(256)) * 4

    accidents = [damaged(rng, content) for _ in range(200)]

    assert len({what.partition(" after")[0] for _, what in accidents}) == 7
    assert sum(changed == content for changed, _ in accidents) < 20
