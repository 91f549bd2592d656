"""Bundles notice when they were cut off, edited, or come from a newer version."""

import json

import numpy as np
import pandas as pd
import pytest

from ad_core import bundle
from ad_core.errors import BundleError


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
