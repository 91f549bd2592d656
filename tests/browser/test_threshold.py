"""A threshold is moved over 100,000 rows, saved, and still there after the page is opened anew."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ad_core.alerts.threshold import Rule
from ad_core.storage import results, saved_thresholds
from ad_core.storage.store import Store
from tests.browser.conftest import Server, follow, picture, settled, visit
from tests.pages.conftest import write_table_run

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=60_000)


def metric(page: Page, label: str):
    """The number below a label."""
    return page.get_by_test_id("stMetric").filter(has_text=re.compile(f"^{label}")).get_by_test_id("stMetricValue")


def test_a_threshold_is_moved_saved_and_found_again(page: Page, server: Server, tmp_path: Path) -> None:
    store = Store.open(server.home)
    run_id = write_table_run(store, tmp_path, rows=100_000).id
    scores = results.table(store.folder(run_id), "scores")["score"]
    within = f"{(scores.rank(method='max', ascending=False) <= 250).sum()}"  # equal scores stay together
    visit(page, f"{server.url}/alerts?run={run_id}")
    by_chance = metric(page, "Alerts").inner_text()
    assert int(by_chance.replace(",", "")) > 1000

    page.get_by_role("radio", name="Alert budget", exact=True).click()
    settled(page)
    expect(metric(page, "Alerts")).to_have_text("20")
    budget = page.get_by_role("spinbutton", name="Maximum number of alerts")
    budget.fill("250")
    budget.press("Enter")
    settled(page)

    expect(metric(page, "Alerts")).to_have_text(within)
    expect(page.get_by_text(f"Moving from {by_chance} to {within} alerts drops", exact=False)).to_be_visible()
    expect(page).to_have_url(re.compile("budget=250"))
    picture(page, "threshold")
    page.get_by_role("button", name="Save as the run's threshold").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("one shift")
    page.get_by_role("textbox", name="Reason").fill("what two people can look at")
    page.get_by_role("button", name="Save", exact=True).click()
    settled(page)
    expect(page.get_by_text("Saved as “one shift”.")).to_be_visible()
    assert saved_thresholds.current(store, run_id) == Rule(kind="budget", value=250)

    page.reload()
    settled(page)
    expect(metric(page, "Alerts")).to_have_text(within)
    visit(page, f"{server.url}/alerts?run={run_id}")
    expect(metric(page, "Alerts")).to_have_text(within)
    follow(page, "Map")
    expect(page.get_by_text("Diamonds are alerts: at most 250 alerts.", exact=False)).to_be_visible()
