"""Folders of images on the Data page: what was recognised is shown, and can be changed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from ad_core.data.images.layout import FolderUse
from ad_core.storage.store import DatasetRecord, Store
from pages._ui.data.folder_uses import USES, after_edit, in_words
from tests.pages.test_pages import texts

Open = Callable[..., AppTest]


@pytest.fixture
def plates(store: Store, tmp_path: Path) -> DatasetRecord:
    """Four good images, two with a scratch, and their masks."""
    generator = np.random.default_rng(0)
    for folder, count in (("good", 4), ("scratch", 2), ("masks/scratch", 2)):
        for i in range(count):
            file = tmp_path / "plates" / folder / f"{i}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            values = generator.integers(0, 256, (12, 12), dtype=np.uint8)
            Image.fromarray(values if folder != "masks/scratch" else np.uint8(values > 250) * 255).save(file)
    return store.add_dataset("plates", "image", [str(tmp_path / "plates")], {}, 6, "print", {})


def test_what_was_recognised_is_shown(plates: DatasetRecord, open_page: Open) -> None:
    page = open_page("prepare/data.py", data=plates.id)

    assert not page.exception
    shown = {metric.label: metric.value for metric in page.metric}
    assert (shown["Images"], shown["Training images"], shown["Labelled anomalies"]) == ("6", "4", "2")
    table = page.dataframe[0].value
    assert table["folder"].tolist() == ["good", "masks/scratch", "scratch"]
    assert table["use"].tolist() == ["training (normal)", "left out, masks", "only scored, anomaly"]
    assert "2 images are masks of defects, neither trained on nor scored: masks/scratch" in texts(page).replace(
        "\\", ""
    )


def test_what_was_said_of_a_folder_counts_until_it_is_taken_back(
    store: Store, plates: DatasetRecord, open_page: Open
) -> None:
    said = store.add_dataset("said", "image", plates.sources, {"folders": {"/scratch": "train"}}, 6, "print", {})

    page = open_page("prepare/data.py", data=said.id)
    before = {metric.label: metric.value for metric in page.metric}
    page.button(key="folders-as-recognised").click().run()

    assert before["Training images"] == "6"
    assert {metric.label: metric.value for metric in page.metric}["Training images"] == "4"


def test_an_edited_line_names_that_very_folder() -> None:
    names = ["", "good", "x/good"]

    changed = after_edit({"/x": "mask"}, names, {"1": {"use": "only scored, anomaly"}, "0": {"use": USES["train"]}})

    assert changed == {"/x": "mask", "/good": "anomaly", "/": "train"}
    assert after_edit({}, names, {"1": {"use": "left out, masks / training (normal)"}}) == {}


def test_every_use_has_words() -> None:
    assert set(USES) == set(FolderUse)
    assert in_words("anomaly/mask") == "only scored, anomaly / left out, masks"
