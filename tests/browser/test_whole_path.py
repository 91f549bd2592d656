"""From file to explained alert and to next month's file, as an analyst would click, for each kind of data."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, follow, press, settled, visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TRAINED_MS = 240_000
expect.set_options(timeout=60_000)


def payments(folder: Path, name: str, rows: int, seed: int) -> Path:
    """Amount follows the shop; the last four rows break that."""
    rng = np.random.default_rng(seed)
    shop = rng.choice(["food", "fuel", "travel"], rows)
    amount = np.select([shop == "food", shop == "fuel"], [30.0, 70.0], 900.0) * rng.lognormal(0, 0.2, rows)
    frame = pd.DataFrame(
        {
            "payment": [f"{name}-{i:04d}" for i in range(rows)],
            "amount": amount.round(2),
            "shop": shop,
            "hour": rng.integers(8, 19, rows),
        }
    )
    frame.loc[rows - 4 :, ["amount", "shop", "hour"]] = [4980.0, "food", 3]
    frame.to_csv(folder / f"{name}.csv", index=False)
    return folder / f"{name}.csv"


def pump(folder: Path, name: str, rows: int, seed: int, broken: int) -> Path:
    """Two channels in step; from row `broken` on one of them is noise for 60 rows."""
    rng = np.random.default_rng(seed)
    t = np.arange(rows)
    frame = pd.DataFrame(
        {
            "time": pd.date_range("2026-01-01", periods=rows, freq="s"),
            "pressure [bar]": np.sin(t / 9) + rng.normal(0, 0.05, rows),
            "flow [l/s]": np.cos(t / 9) + rng.normal(0, 0.05, rows),
        }
    )
    frame.loc[broken : broken + 59, "flow [l/s]"] = rng.normal(0, 1.5, 60)
    frame.to_csv(folder / f"{name}.csv", index=False)
    return folder / f"{name}.csv"


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


def open_path(page: Page, server: Server, path: Path) -> None:
    visit(page, f"{server.url}/data")
    page.get_by_role("tab", name="Path on this machine").click()
    field = page.get_by_role("textbox", name="One path a line")
    field.fill(str(path))
    field.press("Control+Enter")
    settled(page)
    press(page, "Open")
    expect(page.get_by_text("Ready to train.")).to_be_visible()


def train_quickly(page: Page, **settings: int) -> None:
    """From the Data page to a finished run of the suggested method, with what is set in the form."""
    press(page, "Use these settings", exact=False)
    expect(page.get_by_text("Suggested")).to_be_visible()
    if settings:
        page.get_by_text("More settings").click()
    for name, value in settings.items():
        field = page.get_by_label(name.replace("_", " ").capitalize(), exact=True)
        field.fill(str(value))
        field.press("Enter")
        settled(page)
    press(page, "Train")
    expect(page.get_by_text("Closing this page is safe", exact=False)).to_be_visible()
    finished(page)
    press(page, "See alerts", exact=False)
    expect(page.get_by_role("heading", name="Alerts")).to_be_visible()


def finished(page: Page) -> None:
    """Wait until the page says by itself that the job is done."""
    over = page.get_by_text("Done", exact=True).or_(page.get_by_text("It ended with an error"))
    expect(over).to_be_visible(timeout=TRAINED_MS)
    settled(page)
    assert not page.get_by_text("It ended with an error").count(), page.get_by_test_id("stMain").inner_text()


def lasso(page: Page) -> None:
    """Draw around the whole map."""
    box = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    assert box is not None
    left, top, right, bottom = box["x"] + 3, box["y"] + 3, box["x"] + box["width"] - 3, box["y"] + box["height"] - 3
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top + 2)):
        page.mouse.move(x, y, steps=6)
    page.mouse.up()
    settled(page)


def score_another(page: Page, path: Path) -> None:
    follow(page, "Score file")
    page.get_by_role("radio", name="Path on this machine").click()
    settled(page)
    field = page.get_by_role("textbox", name="One path a line")
    field.fill(str(path))
    field.press("Control+Enter")
    settled(page)
    expect(page.get_by_text("Every column that the detector needs is there.", exact=False)).to_be_visible()
    press(page, "Score")
    expect(page.get_by_role("button", name="Open in Alerts")).to_be_visible(timeout=TRAINED_MS)
    settled(page)


def test_a_table_goes_from_upload_to_explained_alert_to_next_months_file(
    page: Page, server: Server, tmp_path: Path
) -> None:
    visit(page, f"{server.url}/data")
    page.locator('input[type="file"]').first.set_input_files(payments(tmp_path, "march", 300, 0))
    settled(page)
    press(page, "Open")
    expect(page.get_by_text("Ready to train.")).to_be_visible()
    train_quickly(page)

    page.get_by_label("Search by row id").fill("march-0299")
    page.get_by_label("Search by row id").press("Enter")
    settled(page)
    expect(page.get_by_text("1 row of 300 shown", exact=False)).to_be_visible()
    choose_first_row(page)
    expect(page).to_have_url(re.compile("row=march-0299"))
    press(page, "Explain this case", exact=False)

    expect(page.get_by_text("completeness gap", exact=False).first).to_be_visible()
    expect(page.get_by_role("heading", name="march-0299")).to_be_visible()
    change_it(page)
    follow(page, "Map")
    lasso(page)
    expect(page.get_by_text("300 rows selected", exact=False)).to_be_visible()
    score_another(page, payments(tmp_path, "april", 80, 1))
    expect(page.get_by_text("80 of", exact=False).first).to_be_visible()


def change_it(page: Page) -> None:
    """Ask what would make the case normal, and what it would score with another number in its first field."""
    press(page, "Find out")
    expect(page.get_by_role("button", name="Search again")).to_be_visible(timeout=TRAINED_MS)
    expect(page.get_by_text("no alert by the rule in force", exact=False).first).to_be_visible()  # what normal means
    settled(page)
    page.get_by_test_id("stMain").get_by_role("spinbutton").first.fill("12")
    page.keyboard.press("Tab")
    press(page, "Score it")
    expect(page.get_by_text("1 change, the newest first", exact=False)).to_be_visible(timeout=TRAINED_MS)
    settled(page)


def choose_first_row(page: Page) -> None:
    """Click the marker cell of the first line of the first table: it is drawn on a canvas."""
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 16, box["y"] + 50)
    settled(page)


def test_a_recording_goes_from_path_to_explained_event(page: Page, server: Server, tmp_path: Path) -> None:
    open_path(page, server, pump(tmp_path, "pump", 1500, 0, 1300))
    train_quickly(page)

    expect(page.get_by_text("merged where at most", exact=False)).to_be_visible()
    choose_first_row(page)
    press(page, "Explain this case", exact=False)
    expect(page.get_by_text("Where and when")).to_be_visible()
    follow(page, "Map")
    lasso(page)
    expect(page.get_by_text("rows selected", exact=False)).to_be_visible()
    score_another(page, pump(tmp_path, "pump_later", 700, 1, 500))


def test_images_go_from_folder_to_anomaly_map(page: Page, server: Server, tmp_path: Path) -> None:
    open_path(page, server, plates(tmp_path, "plate", 40, 0))
    train_quickly(page, steps=20, copies=32, size=64)

    press(page, "plate39.png")
    press(page, "Explain this case", exact=False)
    expect(page.get_by_text("Where the score comes from")).to_be_visible()
    follow(page, "Map")
    lasso(page)
    expect(page.get_by_text("40 rows selected", exact=False)).to_be_visible()
    score_another(page, plates(tmp_path, "later", 12, 1))
