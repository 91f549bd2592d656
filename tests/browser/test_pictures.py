"""Pictures of the main pages for the README, of the samples, when AD_SCREENSHOTS=1 asks for them."""

import os
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ad_core import pipeline
from ad_core.data.dataset import Declared
from ad_core.data.sample_datasets import Sample, samples
from ad_core.jobs import queue as jobs
from ad_core.storage.store import RunRecord, Store
from tests.browser.conftest import HEAVY, Server, picture, settled, visit
from tests.browser.steps import lasso, rest_on_the_highest

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(os.environ.get("AD_SCREENSHOTS") != "1", reason="pictures are taken when AD_SCREENSHOTS=1"),
]
expect.set_options(timeout=60_000)
TRAINED_S = 900


def train(store: Store, sample: Sample) -> RunRecord:
    """A quick detector on a sample."""
    declared = Declared.model_validate({"modality": sample.modality, **sample.declared})
    dataset = pipeline.open_declared(list(sample.train), declared)
    plain = declared.model_dump(mode="json", exclude_defaults=True)
    facts = {"score_later": [str(path) for path in sample.new]}
    modality, rows = str(sample.modality), len(dataset)
    record = store.add_dataset(sample.title, modality, list(sample.train), plain, rows, dataset.fingerprint, facts)
    run = jobs.submit(store, record.id, "train", {"preset": "quick"}, sample.title)
    return wait_for(store, run)


def wait_for(store: Store, run: RunRecord) -> RunRecord:
    """Until the job has ended well."""
    for _ in range(TRAINED_S):
        run = store.run(run.id)
        if not run.alive:
            break
        jobs.find_lost(store)
        time.sleep(1)
    assert run.status == "done", run.error
    return run


def top_row(store: Store, run: RunRecord) -> str:
    """The row with the highest score."""
    from ad_core.storage.results import ranked, table

    events = table(store.folder(run.id), "events")
    return str(events["row_id_peak"].iloc[0] if events is not None else ranked(store, run.id)["row_id"].iloc[0])


def test_the_main_pages_are_pictured(page: Page, server: Server, tmp_path: Path) -> None:
    store = Store.open(server.home)
    table, images, sensor = samples()[:3]
    runs = {sample.modality: train(store, sample) for sample in (table, images, sensor)}
    cards, plates, walk = (runs[sample.modality] for sample in (table, images, sensor))
    folder = [str(path) for path in images.new]
    batch = store.add_dataset("Next batch", "image", folder, {}, images.rows, "", {"scored_by": plates.id})
    scored = wait_for(store, jobs.submit(store, batch.id, "score", {}, "Plates, next batch", plates.id))

    def take(name: str, address: str, most: int = 1500) -> None:
        visit(page, f"{server.url}/{address}")
        picture(page, name, most)

    take("home", "")
    take("data", f"data?data={cards.dataset_id}")
    take("train", f"train?data={cards.dataset_id}")
    take("progress", f"train?run={cards.id}")
    take("runs", f"runs?run={cards.id}")
    take("alerts", f"alerts?run={cards.id}&row={top_row(store, cards)}")
    take("alerts_images", f"alerts?run={scored.id}&row={top_row(store, scored)}", most=1000)
    take("alerts_sensor", f"alerts?run={walk.id}&row={top_row(store, walk)}")
    take("reasons", f"reasons?run={cards.id}")
    take("explain", f"explain?run={cards.id}&row={top_row(store, cards)}")
    take("explain_image", f"explain?run={scored.id}&row={top_row(store, scored)}", most=780)
    take("explain_sensor", f"explain?run={walk.id}&row={top_row(store, walk)}")
    take("review", f"review?run={scored.id}", most=900)
    take("score_file", f"score_file?run={scored.id}")
    visit(page, f"{server.url}/map?run={cards.id}&row={top_row(store, cards)}")
    lasso(page)
    settled(page)
    picture(page, "map")
    visit(page, f"{server.url}/map?run={scored.id}&row={top_row(store, scored)}")
    rest_on_the_highest(page)
    expect(page.locator(".map .tip canvas.thumb")).to_be_visible()
    picture(page, "map_images", most=900)
    heavy = [shot.name for shot in sorted(SHOTS.glob("*.png")) if shot.stat().st_size > HEAVY]
    assert not heavy


SHOTS = Path(__file__).parents[2] / "docs" / "screenshots"
