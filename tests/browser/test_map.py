"""50,000 points on a canvas: some are drawn around, one is clicked, and its case opens; printed: how long it took."""

import math
import re
import time

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from ad_core.storage import results
from ad_core.storage.store import Store
from tests.browser.conftest import Server, press, settled, visit
from tests.browser.steps import choose_first_row
from tests.pages.conftest import write_table_run

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=60_000)

ROWS, APART, FRAME, AWAY = 50_000, 200, 24.0, 5.0
"""The crowd lies in 0..10 both ways, some rows around (20, 20), and three in corners of the frame; all of it AWAY to
the right in the data's own coordinates."""


@pytest.fixture(scope="module")
def run_id(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    store = Store.open(server.home)
    run = write_table_run(store, tmp_path_factory.mktemp("map"), rows=ROWS)
    folder = store.folder(run.id)
    table, generator = results.table(folder, "map"), np.random.default_rng(0)
    place = generator.uniform(0, 10, (ROWS, 2))
    place[100 : 100 + APART] = 20 + generator.uniform(-0.5, 0.5, (APART, 2))
    place[0] = FRAME, 0
    place[1], place[2] = (0, 0), (0, FRAME)
    table[["x", "y"]] = table[["pca_x", "pca_y"]] = place + np.array([AWAY, 0])
    for plane in ("", "pca_"):
        table[f"{plane}kept"], table[f"{plane}far_inside"] = generator.random(ROWS), np.arange(ROWS) == 5000
    results.publish(folder, "map", table)
    return run.id


def drawn(page: Page) -> None:
    page.wait_for_selector(".map[data-ready]")
    settled(page)


def on_screen(page: Page, x: float, y: float) -> tuple[float, float, float]:
    """Where a place of the map is, while the whole map is shown, and pixels per unit: 24 px of rim all around."""
    box = page.locator(".map canvas.over").bounding_box()
    assert box is not None
    scale = (min(box["width"], box["height"]) - 48) / FRAME
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    return middle[0] + (x - FRAME / 2) * scale, middle[1] - (y - FRAME / 2) * scale, scale


def circle(page: Page, x: float, y: float, radius: float) -> None:
    """Draw around a place with the mouse."""
    px, py, scale = on_screen(page, x, y)
    page.mouse.move(px + radius * scale, py)
    page.mouse.down()
    for turn in np.linspace(0, 2 * math.pi, 40):
        page.mouse.move(px + radius * scale * math.cos(turn), py + radius * scale * math.sin(turn))
    page.mouse.up()


def test_points_are_drawn_around_listed_and_one_is_opened(page: Page, server: Server, run_id: str) -> None:
    sent_up: list[int] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent_up.append(len(frame))))
    visit(page, f"{server.url}/map?run={run_id}")
    drawn(page)
    canvas = page.get_by_role("img", name=re.compile(f"A map of {ROWS:,} of {ROWS:,} rows"))
    expect(canvas).to_be_visible()
    sent_up.clear()

    begun = time.perf_counter()
    circle(page, 20, 20, 1.2)
    expect(page.get_by_text(f"{APART} rows selected", exact=False)).to_be_visible()
    took = time.perf_counter() - begun
    in_ms = page.locator(".map").get_attribute("data-drawn-ms")
    print(
        f"{ROWS:,} points drawn in {in_ms} ms; from the line to the list {took:.2f} s; {max(sent_up):,} bytes sent up"
    )
    settled(page)

    assert max(sent_up) < 10_000  # a line, not its points
    expect(page.get_by_text("Selection compared with the rest", exact=False)).to_be_visible()
    choose_first_row(page)
    expect(page).to_have_url(re.compile("row=r[12]?[0-9]{2}$"))
    row = page.url.split("row=")[1]
    press(page, "Explain this case", exact=False)
    expect(page).to_have_url(re.compile(f"/explain.*row={row}$"))
    expect(page.get_by_role("heading", name=row, exact=True)).to_be_visible()


def test_the_map_is_hovered_clicked_zoomed_and_cleared(page: Page, server: Server, run_id: str) -> None:
    visit(page, f"{server.url}/map?run={run_id}")
    drawn(page)
    px, py, _ = on_screen(page, FRAME, FRAME)
    page.mouse.move(px, py)
    expect(page.locator(".map .tip")).to_be_hidden()  # nothing is there
    px, py, scale = on_screen(page, FRAME, 0)
    page.mouse.move(px, py)
    expect(page.locator(".map .tip")).to_contain_text("r0")
    page.mouse.click(px, py)
    expect(page).to_have_url(re.compile("row=r0$"))
    expect(page.get_by_test_id("stMain").get_by_text("r0", exact=True)).to_be_visible()

    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Whole map").click()
    page.get_by_role("button", name="Box").click()
    px, py, scale = on_screen(page, 20, 20)
    page.mouse.move(px - scale, py - scale)
    page.mouse.down()
    page.mouse.move(px, py, steps=4)
    page.mouse.move(px + scale, py + scale, steps=4)
    page.mouse.up()
    expect(page.get_by_text(f"{APART} rows selected", exact=False)).to_be_visible()
    settled(page)
    page.locator(".map canvas.over").press("Escape")

    expect(page.get_by_text("Draw around points to list them here", exact=False)).to_be_visible()
    expect(page.get_by_role("button", name="Clear selection")).to_be_hidden()
