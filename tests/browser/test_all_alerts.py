"""All alerts at once in a real browser: from what drives them to the alerts themselves, lanes that can be clicked, and
the report as a file.
"""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ad_core.storage import results
from ad_core.storage.store import Store
from tests.browser.conftest import Server, settled, visit
from tests.pages.conftest import write_sensor_run, write_table_run
from tests.pages.test_reasons import give_reasons
from tests.pages.test_swim_lanes import give_events

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=60_000)


def test_a_part_leads_to_its_alerts_by_an_address_that_can_be_sent(page: Page, server: Server, tmp_path: Path) -> None:
    store = Store.open(server.home)
    run = write_table_run(store, tmp_path)
    give_reasons(store, run)
    visit(page, f"{server.url}/reasons?run={run.id}")
    table = page.get_by_test_id("stDataFrame").first.bounding_box()
    page.mouse.click(table["x"] + table["width"] - 40, table["y"] + 36 + 36 + 18)  # the button of the second line
    page.wait_for_url(re.compile("mainly=hour"))
    settled(page)

    expect(page.get_by_text("5 rows of 120 shown")).to_be_visible()
    address = page.url
    visit(page, f"{server.url}/reasons?run={run.id}")
    visit(page, address)
    expect(page.get_by_text("5 rows of 120 shown")).to_be_visible()

    with page.expect_download() as waiting:
        page.get_by_test_id("stMain").get_by_role("button", name="Report", exact=True).click()
    content = Path(waiting.value.path()).read_text(encoding="utf-8")
    assert "<h2>Global feature importance</h2>" in content
    assert "Left out: 1 not supported." in content


def test_a_click_on_a_lane_chooses_the_event(page: Page, server: Server, recording_file: Path) -> None:
    store = Store.open(server.home)
    run = write_sensor_run(store, recording_file)
    give_events(store, run)
    events = results.table(store.folder(run.id), "events")
    visit(page, f"{server.url}/alerts?run={run.id}")

    page.locator(f".st-key-lanes-{run.id} .scatterlayer .point").nth(2).click(force=True)
    settled(page)

    expect(page.get_by_text("Explain this case")).to_be_visible()
    assert re.search(r"row=(?P<row>[^&]+)", page.url)["row"].replace("%3A", ":") in set(events["row_id_peak"])
