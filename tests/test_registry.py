"""Plug-ins are found by being there, and missed with a helpful sentence; what is broken breaks nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ad_core.errors import MethodError
from ad_core.methods.pretext import PRETEXTS
from ad_core.registry import Registry
from ad_core.training.catalogue import kind_of, methods
from ad_core.types import Modality

REFERENCE = """
import numpy as np
from ad_core.plugins import REFERENCES, Modality, Reference, Settings

class SumSettings(Settings):
    pass

@REFERENCES.register
class Sum(Reference):
    title, about, source = "Sum of values", "Adds up.", "own"
    modalities = frozenset({Modality.TABLE})
    Settings = SumSettings

    def fit(self, x: np.ndarray) -> None: ...

    def score(self, x: np.ndarray) -> np.ndarray:
        return x.sum(axis=1)
"""


def distribution(folder: Path, package: str, points: str, **files: str) -> None:
    """A package that is installed in a folder, as pip leaves it: its modules, and entry points beside them."""
    (folder / package).mkdir()
    for name, text in {"__init__": "", **files}.items():
        (folder / package / f"{name}.py").write_text(text)
    info = folder / f"{package}-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text(points)


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python of its own that finds what is installed in the folder."""
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH", "")])])
    command, environment = [sys.executable, *arguments], {**os.environ, "PYTHONPATH": path}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_file_stem_is_the_name():
    assert PRETEXTS.get("rotation").__module__ == "ad_core.methods.pretexts.rotation"


def test_names_can_be_asked_for_by_modality():
    assert "rotation" in PRETEXTS.names(Modality.IMAGE)
    assert "rotation" not in PRETEXTS.names(Modality.TABLE)


def test_a_misspelt_name_is_answered_with_the_closest():
    with pytest.raises(MethodError, match="Did you mean 'rotation'"):
        PRETEXTS.get("rotatoin")


def test_two_classes_of_one_name_are_refused():
    registry: Registry[object] = Registry("thing", "ad_core.methods.pretexts", "anomaly_lens.none")

    class Thing:
        modalities = frozenset(Modality)

    registry.register(Thing)
    with pytest.raises(ValueError, match="registered twice"):
        registry.register(Thing)


def test_a_plug_in_of_another_package_has_the_name_of_its_entry_point(tmp_path):
    """Its file is called as a built-in classical detector, which must not matter; nor how the class is reached."""
    points = "[anomaly_lens.references]\nsum_of_values = sums.isolation_forest:Sum\n"
    distribution(tmp_path, "sums", points, isolation_forest=REFERENCE)
    distribution(tmp_path, "whole", "[anomaly_lens.references]\nby_module = whole.module\n", module=REFERENCE)
    points = "[anomaly_lens.references]\nby_package = again:Sum\n"
    distribution(tmp_path, "again", points, inside=REFERENCE, __init__="from again.inside import Sum")
    script = """
import sums.isolation_forest
from ad_core.methods.reference import REFERENCES
for name in ("sum_of_values", "by_module", "by_package", "isolation_forest"):
    print(name, REFERENCES.get(name).name, REFERENCES.get(name).__module__)
print(REFERENCES.not_loaded(), "sum_of_values" in REFERENCES.names(), "Sum" in REFERENCES)
"""

    done = python(tmp_path, "-c", script)

    assert done.stdout.splitlines() == [
        "sum_of_values sum_of_values sums.isolation_forest",
        "by_module by_module whole.module",
        "by_package by_package again.inside",
        "isolation_forest isolation_forest ad_core.methods.references.isolation_forest",
        "{} True False",
    ], done.stderr


def test_a_package_that_can_not_be_imported_is_listed_with_the_reason_and_breaks_nothing(tmp_path, payments_file):
    points = """
[anomaly_lens.references]
needs_more = broken.needs_more:Sum
not_there = broken.needs_more:NotThere
unnamed = broken.unnamed:Unnamed
[anomaly_lens.recipes]
boosted_tabular = broken.boosted:Boosted
"""
    files = {
        "needs_more": "import no_such_library",
        "unnamed": "class Unnamed:\n    modalities = frozenset()",
        "boosted": "raise OSError('no disk')",
    }
    distribution(tmp_path, "broken", points, **files)

    table = python(tmp_path, "-m", "ad_core", "methods")
    cards = json.loads(python(tmp_path, "-m", "ad_core", "methods", "--json").stdout)
    train = ("-m", "ad_core", "train", str(payments_file), "--out", str(tmp_path / "out"), "--pretext")
    asked = {name: python(tmp_path, *train, name) for name in ("needs_more", "boosted")}

    problems = {card["name"]: (card["kind"], card["problem"]) for card in cards if card["problem"]}
    reason = "broken.needs_more:Sum of broken 1.5 raised ModuleNotFoundError: No module named 'no_such_library'"
    assert set(problems) == {"needs_more", "not_there", "unnamed", "boosted_tabular"}
    assert problems["needs_more"] == ("reference", reason)
    assert problems["boosted_tabular"] == ("recipe", "broken.boosted:Boosted of broken 1.5 raised OSError: no disk")
    assert "Unnamed has no title and no Settings" in problems["unnamed"][1]
    assert f"classical detector 'needs_more' could not be loaded: {reason}" in table.stdout
    assert "isolation_forest" in {card["name"] for card in cards if not card["problem"]}
    assert {name: done.returncode for name, done in asked.items()} == {"needs_more": 2, "boosted": 2}
    assert f"The classical detector 'needs_more' could not be loaded: {reason}" in asked["needs_more"].stderr
    assert "The recipe 'boosted_tabular' could not be loaded: broken.boosted" in asked["boosted"].stderr


def test_two_plug_ins_of_one_name_are_an_error_that_names_both(tmp_path):
    """Neither is taken, since a saved detector could then mean something else from one day to the next."""
    for package, more in (("left", "histogram = left.sums:Sum\n"), ("right", "")):
        points = f"[anomaly_lens.references]\nsums = {package}.sums:Sum\n{more}"
        distribution(tmp_path, package, points, sums=REFERENCE)
    script = """
from ad_core.errors import MethodError
from ad_core.methods.reference import REFERENCES
for name in ("sums", "histogram"):
    try:
        REFERENCES.get(name)
    except MethodError as error:
        print(error)
print("sums" in REFERENCES.names(), "histogram" in REFERENCES.names(), len(REFERENCES.names()) > 5)
"""

    done = python(tmp_path, "-c", script)

    both, own, names = done.stdout.splitlines()
    assert "2 plug-ins have this name: " in both
    assert "left.sums:Sum of left 1.5" in both
    assert "right.sums:Sum of right 1.5" in both
    assert "ad_core.methods.references.histogram:Histogram, left.sums:Sum of left 1.5" in own
    assert names == "False False True"


def test_a_method_of_another_modality_is_refused_with_what_fits():
    with pytest.raises(MethodError, match=r"'rotation' does not work on table data.*masked_cells"):
        kind_of("rotation", Modality.TABLE)


def test_every_method_has_a_card_with_a_source_and_described_settings():
    for card in methods():
        assert card.title
        assert card.source
        for section in card.settings.values():
            for name, field in section.get("properties", {}).items():
                assert field.get("description"), f"{card.name}.{name} has no description"
