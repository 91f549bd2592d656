"""From a folder of images to an anomaly map and to later images."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, follow, press
from tests.browser.steps import lasso, open_path, rest_on_the_highest, score_another, train_quickly

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=60_000)


def plates(folder: Path, name: str, images: int, seed: int) -> Path:
    """Grey plates with a dark hole; the last one has a bright scratch."""
    rng = np.random.default_rng(seed)
    where = folder / name
    where.mkdir()
    y, x = np.mgrid[:64, :64]
    for i in range(images):
        hole = (y - 32 - rng.integers(-2, 3)) ** 2 + (x - 32 - rng.integers(-2, 3)) ** 2 < 120
        pixels = np.where(hole, 40, 170) + rng.normal(0, 4, (64, 64))
        if i == images - 1:
            pixels[50:53, 8:56] = 250
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(where / f"{name}{i:02}.png")
    return where


def test_images_go_from_folder_to_anomaly_map(page: Page, server: Server, tmp_path: Path) -> None:
    open_path(page, server, plates(tmp_path, "plate", 24, 0))
    train_quickly(page, steps=20, copies=32, size=64)

    press(page, "plate23.png")
    press(page, "Explain this case", exact=False)
    expect(page.get_by_text("Anomaly map: where the score comes from")).to_be_visible()
    follow(page, "Map")
    rest_on_the_highest(page)
    thumb = page.locator(".map .tip canvas.thumb")
    expect(thumb).to_be_visible()
    assert thumb.evaluate(
        "c => c.getContext('2d').getImageData(0, 0, 96, 96).data.filter((v, i) => i % 4 == 3 && v).length"
    )
    lasso(page, ".map canvas.over")
    expect(page.get_by_text("24 rows selected", exact=False)).to_be_visible()
    score_another(page, plates(tmp_path, "later", 12, 1))
