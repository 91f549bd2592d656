"""Result files are replaced as a whole, and what was changed by anybody else is never read as a result."""

import json
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ad_core.errors import DamagedError
from ad_core.storage import result_files, results
from ad_core.storage.run_files import CURVE, PROGRESS, read_curve, read_progress

SCORES = pd.DataFrame({"row_id": ["a", "b"], "score": [1.0, 2.0]})


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A run with one of each kind of result."""
    folder = tmp_path / "r123"
    folder.mkdir()
    results.publish(folder, "scores", SCORES)
    results.summarise(folder, {"method": "balanced"})
    results.keep_map(folder, "a", np.eye(4))
    results.keep_window(folder, "a", SCORES)
    results.keep_counterfactual(folder, "a", {"rule": "p"}, np.ones((2, 2)), None)
    return folder


READ = {
    "scores.parquet": lambda folder: results.table(folder, "scores"),
    "summary.json": results.summary,
    "maps/*.npy": lambda folder: results.stored_map(folder, "a"),
    "maps/*.parquet": lambda folder: results.stored_window(folder, "a"),
    "counterfactuals/*.json": lambda folder: result_files.read_facts(results.counterfactual_file(folder, "a")),
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(name=st.sampled_from(sorted(READ)), data=st.data())
def test_a_single_changed_byte_is_damage(run_folder, name, data):
    file = next(run_folder.glob(name))
    content = file.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    file.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])

    with pytest.raises(DamagedError, match=r"of run r123 was cut off or edited: its checksum differs"):
        READ[name](run_folder)
    file.write_bytes(content)


@pytest.mark.parametrize("name", sorted(READ))
def test_a_deleted_result_is_damage(run_folder, name):
    next(run_folder.glob(name)).unlink()

    with pytest.raises(DamagedError, match="was deleted"):
        READ[name](run_folder)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"[1, 2", b"[1, 2]", b"\xff\xfe\x00", b"PK\x03\x04"])
@pytest.mark.parametrize("name", sorted(READ))
def test_results_of_older_versions_have_no_checksum_and_are_damaged_if_they_cannot_be_read(run_folder, name, content):
    file = next(run_folder.glob(name))
    file.with_name(f".{file.name}.sha256").unlink()
    assert READ[name](run_folder) is not None
    file.write_bytes(content)

    with pytest.raises(DamagedError, match=r"can't be read\. (Repeat the run on the Runs page|Explain the row again)"):
        READ[name](run_folder)


def test_a_reader_never_meets_a_half_replaced_file(run_folder):
    """A thread replaces the scores again and again; each reader finds one version as a whole."""
    stop = threading.Event()

    def writes() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            results.publish(run_folder, "scores", SCORES.assign(score=float(number)))

    writer = threading.Thread(target=writes)
    writer.start()
    try:
        for _ in range(200):
            assert results.table(run_folder, "scores")["score"].nunique() <= 2
    finally:
        stop.set()
        writer.join()


def test_a_draft_leaves_the_old_file_until_it_is_published(run_folder):
    draft = results.draft(run_folder, "scores", SCORES.assign(score=7.0))
    assert results.table(run_folder, "scores")["score"].max() == 2

    draft.publish()

    assert results.table(run_folder, "scores")["score"].max() == 7


def test_a_new_counterfactual_takes_the_place_of_the_old_one_with_its_image(run_folder):
    results.keep_counterfactual(run_folder, "a", {"rule": "q"}, None, SCORES)

    where = results.counterfactual_file(run_folder, "a")
    assert result_files.read_array(where.with_suffix(".npy")) is None
    assert result_files.read_table(where.with_suffix(".parquet")) is not None


@pytest.mark.parametrize("content", ["", "[]", '{"stage": 1, "other": 2}', "{"])
def test_progress_that_cannot_be_read_is_damage(tmp_path, content):
    (tmp_path / PROGRESS).write_text(content)

    with pytest.raises(DamagedError, match="Its results are not affected"):
        read_progress(tmp_path)


@pytest.mark.parametrize("line", ["{", "[1]", "5", json.dumps({"loss": 1})])
def test_a_loss_curve_that_cannot_be_read_is_damage(tmp_path, line):
    (tmp_path / CURVE).write_text(f'{{"step": 1, "loss": 2.0}}\n{line}\n')

    with pytest.raises(DamagedError, match="The loss curve of run"):
        read_curve(tmp_path)
