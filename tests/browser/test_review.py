"""Verdicts in a real browser: by keyboard alone, by drawing on the map, and none lost when the server is killed."""

import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ad_core.storage import verdicts
from ad_core.storage.store import Store
from tests.browser.conftest import Server, press, settled, visit
from tests.browser.steps import lasso
from tests.pages.conftest import write_table_run

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=60_000)

ROWS = 600
KEYS = {"a": "anomaly", "n": "normal", "u": "unsure", "d": "data_error", "s": "seen_before"}
ALERTS = 30
"""So many rows of 600 have p ≤ 0.05."""


def heading(page: Page) -> str:
    """The row that is shown."""
    return page.get_by_test_id("stMain").get_by_role("heading", level=3).first.inner_text()


def judge(page: Page, key: str) -> str:
    """Press one key and wait for the next row."""
    row = heading(page)
    page.keyboard.press(key)
    page.wait_for_function(
        "row => document.querySelector('[data-testid=stMain] h3')?.innerText !== row", arg=row, timeout=60_000
    )
    settled(page)
    return row


def focus_by_tab(page: Page, label: str) -> None:
    """Walk to a field as somebody without a mouse does."""
    for _ in range(60):
        if page.evaluate("document.activeElement?.getAttribute('aria-label')") == label:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"No field {label!r} within 60 steps of the Tab key.")


def test_thirty_alerts_are_judged_by_keyboard_and_none_is_lost(browser: Browser, page: Page, tmp_path: Path) -> None:
    first = Server(tmp_path / "home")
    store = Store.open(first.home)
    run = write_table_run(store, tmp_path, rows=ROWS)
    given: dict[str, str] = {}
    try:
        visit(page, f"{first.url}/review?run={run.id}")
        expect(page.get_by_text(f"0 of {ALERTS} reviewed")).to_be_visible()
        focus_by_tab(page, "Note")
        page.keyboard.type("a sudden sum")  # letters in a field are letters
        page.keyboard.press("Tab")
        page.keyboard.press("Escape")
        settled(page)
        for step in range(ALERTS // 2):
            key = "andus"[step % 5]
            given[judge(page, key)] = KEYS[key]
        wrong = judge(page, "a")
        page.keyboard.press("z")
        expect(page.get_by_role("heading", name=wrong, exact=True)).to_be_visible()
        settled(page)

        page.reload()
        settled(page)
        expect(page.get_by_text(f"{ALERTS // 2} of {ALERTS} reviewed")).to_be_visible()
        assert heading(page) == wrong
    finally:
        first.stop(signal.SIGKILL)

    second = Server(tmp_path / "home")
    try:
        visit(page, f"{second.url}/review?run={run.id}")
        expect(page.get_by_text(f"{ALERTS // 2} of {ALERTS} reviewed")).to_be_visible()
        for step in range(ALERTS // 2 - 1):
            key = "andus"[step % 5]
            given[judge(page, key)] = KEYS[key]
        given[heading(page)] = "normal"
        page.keyboard.press("n")
        expect(page.get_by_text("Every row of this queue has a verdict", exact=False)).to_be_visible()
    finally:
        second.stop()

    lines = verdicts.current(store, run.dataset_id)
    assert dict(zip(lines["row_id"], lines["verdict"], strict=True)) == given
    assert len(given) == ALERTS
    assert lines["note"].tolist() == ["a sudden sum"] + [""] * (ALERTS - 1)
    assert re.fullmatch(r"r\d+", wrong)


def test_points_drawn_around_on_the_map_get_one_verdict_after_a_preview(
    page: Page, server: Server, tmp_path: Path
) -> None:
    store = Store.open(server.home)
    run = write_table_run(store, tmp_path)
    verdicts.give(store, run.id, ["r3"], "anomaly", author="Ada")
    visit(page, f"{server.url}/map?run={run.id}")
    lasso(page)

    press(page, "Verdict on these 120 rows")
    page.get_by_role("dialog").get_by_role("radio", name="Normal", exact=False).click()
    expect(page.get_by_text("to 120 rows, 1 of which has another verdict now", exact=False)).to_be_visible()
    assert len(verdicts.current(store, run.dataset_id)) == 1
    page.get_by_role("dialog").get_by_role("button", name="Give verdict").click()
    expect(page.get_by_role("dialog")).to_have_count(0)

    assert set(verdicts.current(store, run.dataset_id)["verdict"]) == {"normal"}
    assert len(verdicts.current(store, run.dataset_id)) == 120
