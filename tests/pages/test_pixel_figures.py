"""Maps against masks on the Evaluate page, as an analyst meets them."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ad_core.jobs import queue as jobs
from ad_core.storage.results import publish
from ad_core.storage.store import Store
from tests.pages.conftest import write_image_run
from tests.pages.test_pages import texts

Open = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs wait: what they do is tested elsewhere, and a worker would outlive the test."""
    monkeypatch.setattr(jobs, "start_next", lambda _store: [])


def test_a_folder_of_masks_is_compared_even_where_no_image_has_a_label(
    store: Store, tmp_path: Path, open_page: Open
) -> None:
    run = write_image_run(store, tmp_path)
    test = open_page("operate/evaluate.py", run=run.id)
    assert test.button(key="compare-masks").disabled

    test.text_input(key="masks").set_value(f' "{tmp_path}" ').run()
    test.button(key="compare-masks").click().run()

    assert not test.exception
    job = store.runs(kind="masks", parent=run.id)[0]
    assert job.config == {"masks": str(tmp_path)}
    assert [b.label for b in test.button if b.key == "cancel-masks"] == ["Cancel"]
    assert "compare-masks" not in [b.key for b in test.button], "one comparison at a time"


def test_the_finding_names_the_images_that_the_map_misses(store: Store, tmp_path: Path, open_page: Open) -> None:
    run = write_image_run(store, tmp_path)
    job = store.add_run(run.dataset_id, "masks", {"masks": "/masks"}, "masks", run.id)
    images = pd.DataFrame({"row_id": ["p03.png", "p11.png"], "marked": [0.1, 0.2], "auroc": [0.4, 0.99]})
    publish(store.folder(run.id), "masks", images)
    assert store.claim(job.id, 1, "never")
    store.finish(job.id, "done", summary={"masks": {"aupro": 0.7123, "pixel_auroc": 0.9555, "masks": 2}})

    test = open_page("operate/evaluate.py", run=run.id)

    assert not test.exception
    shown = {metric.label: metric.value for metric in test.metric}
    assert (shown["AUPRO"], shown["pixel AUROC"], shown["Images with a mask"]) == ("0.712", "0.956", "2")
    assert "in 1 of 2 images the map is higher outside the mask" in texts(test)
    assert test.text_input(key="masks").value == "/masks"


def test_a_folder_without_masks_is_said(store: Store, tmp_path: Path, open_page: Open) -> None:
    run = write_image_run(store, tmp_path)
    job = store.add_run(run.dataset_id, "masks", {"masks": "/masks"}, "masks", run.id)
    assert store.claim(job.id, 1, "never")
    store.finish(job.id, "failed", error="There is no folder /masks. Name the folder that holds the masks.")

    test = open_page("operate/evaluate.py", run=run.id)

    assert "There is no folder /masks" in texts(test)
    assert not test.button(key="compare-masks").disabled
