"""Bundles notice when they were cut off, edited, or come from a newer version."""

import json

import numpy as np
import pandas as pd
import pytest

from ad_core.errors import BundleError
from ad_core.storage import bundle


@pytest.fixture
def written(tmp_path):
    folder = tmp_path / "detector"
    parts = {"weights": {"w": np.arange(6.0)}, "facts": {"a": [1, "ü"]}, "scores": pd.DataFrame({"score": [1.0, 2.0]})}
    bundle.write(folder, {"method": "m"}, parts)
    return folder


def test_what_is_written_is_read_back(written):
    facts, parts = bundle.read(written)

    assert facts == {"method": "m"}
    assert parts["weights"]["w"].tolist() == [0, 1, 2, 3, 4, 5]
    assert parts["facts"] == {"a": [1, "ü"]}
    assert parts["scores"]["score"].tolist() == [1.0, 2.0]


def test_nothing_in_a_bundle_is_executable(written):
    assert {f.suffix for f in written.iterdir()} == {".json", ".safetensors", ".parquet"}


def test_an_edited_file_is_noticed(written):
    file = written / "weights.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)

    with pytest.raises(BundleError, match=r"weights\.safetensors .* cut off or edited"):
        bundle.read(written)


def test_a_cut_off_file_is_noticed(written):
    file = written / "scores.parquet"
    file.write_bytes(file.read_bytes()[:-20])

    with pytest.raises(BundleError, match="cut off or edited"):
        bundle.read(written)


def test_a_missing_file_is_named(written):
    (written / "facts.json").unlink()

    with pytest.raises(BundleError, match=r"facts\.json is missing"):
        bundle.read(written)


def test_a_bundle_of_a_newer_version_says_so(written):
    manifest = json.loads((written / "bundle.json").read_text())
    (written / "bundle.json").write_text(json.dumps(manifest | {"format": bundle.FORMAT + 1}))

    with pytest.raises(BundleError, match="Update Anomaly Lens"):
        bundle.read(written)


def test_a_manifest_can_not_name_files_outside_the_folder(written):
    manifest = json.loads((written / "bundle.json").read_text())
    manifest["files"]["../secret.json"] = "0"
    (written / "bundle.json").write_text(json.dumps(manifest))

    with pytest.raises(BundleError, match="missing"):
        bundle.read(written)


def test_a_folder_with_other_things_is_never_overwritten(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(BundleError, match="not a detector bundle"):
        bundle.write(tmp_path, {}, {"facts": {}})
    assert (tmp_path / "thesis.txt").exists()


def test_a_folder_that_is_no_bundle_says_what_to_give(tmp_path):
    with pytest.raises(BundleError, match="not a detector bundle"):
        bundle.read(tmp_path)


def test_a_changed_part_is_read_and_the_others_stay(written):
    before = bundle.identity(written)

    bundle.change(written, {"facts": {"a": 2}, "threshold": [{"name": "first"}]})
    bundle.change(written, {"threshold": [{"name": "first"}, {"name": "second"}]})

    _, parts = bundle.read(written)
    assert parts["facts"] == {"a": 2}
    assert parts["threshold"] == [{"name": "first"}, {"name": "second"}]
    assert parts["scores"]["score"].tolist() == [1.0, 2.0]
    assert bundle.part(written, "threshold") == parts["threshold"]
    assert bundle.part(written, "nothing") is None
    assert bundle.identity(written) != before


def test_who_has_just_read_the_old_manifest_still_finds_its_files(written):
    bundle.change(written, {"scores": pd.DataFrame({"score": [3.0]})})
    old = json.loads((written / "bundle.json").read_text())

    bundle.change(written, {"scores": pd.DataFrame({"score": [4.0]})})

    assert all((written / name).exists() for name in old["files"])
    assert bundle.part(written, "scores")["score"].tolist() == [4.0]


def test_files_of_older_changes_are_cleared_away(written):
    for number in range(5):
        bundle.change(written, {"facts": {"a": number}})

    assert len(list(written.glob("facts*"))) == 2


def test_a_change_that_fails_leaves_the_bundle_as_it_was(written):
    with pytest.raises(TypeError):
        bundle.change(written, {"facts": {"a": 2}, "threshold": object()})

    _, parts = bundle.read(written)
    assert parts["facts"] == {"a": [1, "ü"]}


def test_an_edited_part_is_noticed_when_it_is_read_alone(written):
    (written / "facts.json").write_text("{}")

    with pytest.raises(BundleError, match="cut off or edited"):
        bundle.part(written, "facts")
