"""What Streamlit gets wrong easily: deep links to a fresh server, and page changes after bound widgets were moved."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ad_core.storage.store import Store
from tests.browser.conftest import Server, follow, press, settled, visit
from tests.pages.conftest import ROWS, write_table_run

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=60_000)


@pytest.fixture
def run_id(server: Server, tmp_path: Path) -> str:
    """A finished run in the server's installation, written without training."""
    return write_table_run(Store.open(server.home), tmp_path).id


def test_a_deep_link_that_is_the_first_request_to_a_fresh_server_opens_its_page(
    browser: Browser, page: Page, tmp_path: Path
) -> None:
    fresh = Server(tmp_path / "home")
    try:
        run = write_table_run(Store.open(fresh.home), tmp_path)
        visit(page, f"{fresh.url}/explain?run={run.id}&row=r{ROWS - 1}")

        expect(page.get_by_role("heading", name=f"r{ROWS - 1}")).to_be_visible()
        assert page.locator("[role=dialog]").count() == 0
        press(page, "Lower", exact=False)
        expect(page.get_by_role("heading", name=f"r{ROWS - 2}")).to_be_visible()
        expect(page).to_have_url(re.compile(f"row=r{ROWS - 2}"))
    finally:
        fresh.stop()


def test_a_page_changes_after_a_bound_widget_was_moved_and_the_case_comes_along(
    page: Page, server: Server, run_id: str
) -> None:
    visit(page, f"{server.url}/alerts?run={run_id}&row=r{ROWS - 1}")
    slider = page.get_by_role("slider", name="False positive rate")
    slider.focus()
    slider.press("ArrowRight")
    settled(page)
    expect(page).to_have_url(re.compile("alpha="))

    press(page, "Explain this case", exact=False)

    expect(page.get_by_role("heading", name=f"r{ROWS - 1}")).to_be_visible()
    expect(page).to_have_url(re.compile(f"/explain.*run={run_id}"))
    follow(page, "Map")
    expect(page).to_have_url(re.compile(f"row=r{ROWS - 1}"))


def test_the_four_steps_from_a_sample_card_need_no_scrolling_for_a_keyboard(page: Page, server: Server) -> None:
    visit(page, server.url)
    page.get_by_role("button", name="Open Card payments").focus()
    page.keyboard.press("Enter")
    settled(page)

    expect(page.get_by_role("heading", name="Data", exact=True)).to_be_visible()
    button = page.get_by_role("button", name="Use these settings")
    expect(button).to_be_in_viewport()
    button.focus()
    page.keyboard.press("Enter")
    settled(page)
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_in_viewport()


def test_every_chart_has_words_for_those_who_do_not_see_it(page: Page, server: Server, run_id: str) -> None:
    for name in ("alerts", "map", "explain"):
        visit(page, f"{server.url}/{name}?run={run_id}&row=r{ROWS - 1}")
        charts = page.get_by_test_id("stPlotlyChart")
        page.wait_for_function("n => document.querySelectorAll('.js-plotly-plot').length >= n", arg=charts.count())

        assert charts.count() > 0
        each = [charts.nth(at) for at in range(charts.count())]
        silent = [c for c in each if not (c.get_attribute("aria-label") or c.locator("[aria-label]").count())]
        assert not silent


def test_a_wide_dark_screen_shows_the_same_page(browser: Browser, server: Server, run_id: str) -> None:
    context = browser.new_context(viewport={"width": 2560, "height": 1300}, color_scheme="dark")
    wide = context.new_page()
    wide.set_default_timeout(90_000)
    visit(wide, f"{server.url}/alerts?run={run_id}&row=r{ROWS - 1}")

    background = wide.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
    overflow = wide.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    context.close()

    assert background == "rgb(14, 25, 29)"
    assert not overflow
