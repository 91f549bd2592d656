"""Bundles that were edited with right checksums are refused in one sentence, whatever was edited."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file

from ad_core import pipeline
from ad_core.errors import AdError, BundleError

BUNDLES = Path(__file__).parents[1] / "data" / "bundles"
KINDS = {"table_balanced": "payments.csv", "sensor_masked_window": "walk.csv", "image_autoencoder": "plates"}


@pytest.fixture(params=sorted(KINDS))
def copied(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copytree(BUNDLES / request.param, tmp_path / request.param))


def sealed(folder: Path) -> None:
    """Give every file the checksum of its present content."""
    manifest = json.loads((folder / "bundle.json").read_text())
    there = [name for name in manifest["files"] if (folder / name).exists()]
    manifest["files"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in there}
    (folder / "bundle.json").write_text(json.dumps(manifest))


def test_every_missing_part_is_refused_or_not_needed(copied):
    needed = {
        "calibration",
        "calibration_facts",
        "model",
        "normal_rows",
        "normals",
        "reader",
        "reader_arrays",
        "weights",
    }
    for file in sorted(copied.iterdir()):
        if file.name == "bundle.json":
            continue
        content = file.read_bytes()
        file.unlink()
        sealed(copied)
        if file.stem.partition("@")[0] in needed:
            with pytest.raises(BundleError, match="was edited after it was written: its parts do not fit together"):
                pipeline.load_detector(copied)
        else:
            pipeline.load_detector(copied)
        file.write_bytes(content)
        manifest = json.loads((copied / "bundle.json").read_text())
        (copied / "bundle.json").write_text(json.dumps({**manifest, "files": {**manifest["files"], file.name: ""}}))
        sealed(copied)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"{", b"[1]", b"null", b"\x00" * 60])
def test_parts_of_another_form_are_refused(copied, content):
    for file in sorted(copied.iterdir()):
        if file.name == "bundle.json" or (file.name.startswith("threshold") and content == b"null"):
            continue
        before = file.read_bytes()
        file.write_bytes(content)
        sealed(copied)
        with pytest.raises(BundleError):
            pipeline.load_detector(copied)
        file.write_bytes(before)


@pytest.mark.parametrize("name", ["model.json", "reader.json", "calibration_facts.json", "normal_rows.json"])
def test_any_other_value_in_the_facts_is_refused_or_scored(copied, name):
    """All values of the facts, one after the other; what can't matter to the scores may load."""
    dataset = pipeline.open_dataset(BUNDLES / KINDS[copied.name])
    facts, refused = json.loads((copied / name).read_text()), 0
    for value in (None, -7, [[]]):
        for change in changes(facts, value, deep=1):
            (copied / name).write_text(json.dumps(change))
            sealed(copied)
            try:
                pipeline.load_detector(copied).score(dataset)
            except AdError:
                refused += 1
    assert refused


def changes(facts: Any, value: object, deep: int) -> list[Any]:
    """Copies of nested facts, each with another value in one place."""
    if not isinstance(facts, dict) or deep < 0:
        return []
    found: list[Any] = []
    for key, inside in facts.items():
        if key == "files":
            continue
        found += [{**facts, key: value}, *({**facts, key: part} for part in changes(inside, value, deep - 1))]
    return found


def of_another_length(array: np.ndarray) -> np.ndarray:
    return array.ravel()[:-1].copy()


@pytest.mark.parametrize("change", [of_another_length, lambda array: np.full_like(array, np.nan)])
def test_other_normals_are_refused(copied, change: Callable[[np.ndarray], np.ndarray]):
    arrays = load_file(copied / "normals.safetensors")
    for name in arrays:
        save_file({**arrays, name: change(arrays[name])}, copied / "normals.safetensors")
        sealed(copied)
        if name != "embeddings" or change is of_another_length:
            with pytest.raises(BundleError):
                pipeline.load_detector(copied)


@pytest.mark.parametrize("part", ["calibration", "calibration_rows", "out_of_bag"])
def test_tables_of_rows_need_their_columns(copied, part):
    if not (file := copied / f"{part}.parquet").exists():
        pytest.skip(f"{copied.name} has no {part}")
    table = pd.read_parquet(file)
    for wrong in (table.assign(score="zz"), table.drop(columns="score"), table.rename(columns=str.upper)):
        wrong.to_parquet(file)
        sealed(copied)
        with pytest.raises(BundleError):
            pipeline.load_detector(copied)
