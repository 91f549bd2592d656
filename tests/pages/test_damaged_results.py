"""A damaged result is shown as damage; the pages, and the other results, stay."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ad_core.storage import results
from ad_core.storage.run_files import CURVE, PROGRESS
from ad_core.storage.store import RunRecord, Store
from tests.pages.conftest import ROWS, write_image_run, write_sensor_run
from tests.pages.test_pages import PAGES, texts

Open = Callable[..., AppTest]

OPTIONAL = ("references", "map", "explanations", "neighbours", "checks", "events", "sensitivity", "masks")
READ_BY = {
    "investigate/alerts.py": "explanations.parquet",
    "investigate/map.py": "map.parquet",
    "investigate/explain.py": "checks.parquet",
}
"""Page -> a result that it shows."""


def damage(file: Path) -> None:
    """Cut a file in half; one that is not there becomes a file without sense."""
    content = file.read_bytes() if file.exists() else b"PAR1 nothing"
    file.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize("page", PAGES)
def test_every_page_survives_that_all_but_the_scores_is_damaged(
    table_run: RunRecord, store: Store, open_page: Open, page: str
) -> None:
    folder = store.folder(table_run.id)
    for name in OPTIONAL:
        damage(folder / f"{name}.parquet")
    damage(folder / "summary.json")
    damage(results.counterfactual_file(folder, f"r{ROWS - 1}").parent.with_suffix(".json"))

    test = open_page(page, run=table_run.id, data=table_run.dataset_id, row=f"r{ROWS - 1}")

    assert not test.exception
    if page in READ_BY:
        said = [str(w.value) for w in test.warning]
        assert sum(READ_BY[page] in sentence for sentence in said) == 1
        assert all("Repeat the run" in s or "Explain the row again" in s for s in said if "of run" in s)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_survives_that_the_scores_are_damaged(
    table_run: RunRecord, store: Store, open_page: Open, page: str
) -> None:
    damage(store.folder(table_run.id) / "scores.parquet")

    test = open_page(page, run=table_run.id, data=table_run.dataset_id, row=f"r{ROWS - 1}")

    assert not test.exception
    if page in READ_BY:
        assert "scores.parquet" in "\n".join(str(e.value) for e in test.error)
        assert "Repeat the run on the Runs page" in "\n".join(str(e.value) for e in test.error)


def test_a_damaged_curve_leaves_the_result_of_a_run(table_run: RunRecord, store: Store, open_page: Open) -> None:
    folder = store.folder(table_run.id)
    (folder / PROGRESS).write_text("{")
    (folder / CURVE).write_text("{\n")

    test = open_page("model/train.py", run=table_run.id, data=table_run.dataset_id)

    assert not test.exception
    assert {"progress.json", "curve.jsonl"} <= {name for name in (PROGRESS, CURVE) if name in texts(test)}


@pytest.mark.parametrize("page", ["investigate/alerts.py", "investigate/explain.py"])
def test_damaged_maps_of_images_leave_the_images(store: Store, tmp_path: Path, open_page: Open, page: str) -> None:
    run = write_image_run(store, tmp_path)
    for file in (store.folder(run.id) / "maps").glob("*.npy"):
        damage(file)

    test = open_page(page, run=run.id, row="p11.png", mapped="true")

    assert not test.exception
    assert page == "investigate/alerts.py" or "maps/" in texts(test)


@pytest.mark.parametrize("page", ["investigate/alerts.py", "investigate/explain.py", "operate/evaluate.py"])
def test_damaged_results_of_recordings_are_said(store: Store, recording_file: Path, open_page: Open, page: str) -> None:
    run = write_sensor_run(store, recording_file)
    for name in ("events", "explanations", "map"):
        damage(store.folder(run.id) / f"{name}.parquet")

    test = open_page(page, run=run.id, row="2026-01-01T00:17:10")

    assert not test.exception
    if page != "operate/evaluate.py":  # which shows no event without labelled events
        assert ("explanations.parquet" if page == "investigate/explain.py" else "events.parquet") in texts(test)
