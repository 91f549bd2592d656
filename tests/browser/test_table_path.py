"""From an uploaded table to an explained alert, to what would make it normal, and to next month's file."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, follow, press, settled, visit
from tests.browser.steps import TRAINED_MS, choose_first_row, lasso, score_another, train_quickly

pytestmark = [pytest.mark.browser, pytest.mark.slow]
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
    press(page, "Search")
    expect(page.get_by_role("button", name="Search again")).to_be_visible(timeout=TRAINED_MS)
    expect(page.get_by_text("no alert by the rule in force", exact=False).first).to_be_visible()  # what normal means
    settled(page)
    page.get_by_test_id("stMain").get_by_role("spinbutton").first.fill("12")
    page.keyboard.press("Tab")
    press(page, "Score it")
    expect(page.get_by_text("1 change, the newest first", exact=False)).to_be_visible(timeout=TRAINED_MS)
    settled(page)
