"""What an analyst does on the way from a file to an explained alert."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, follow, press, settled, visit

TRAINED_MS = 480_000
"""A training, and a job that is worth waiting for, take at most so long."""


def open_path(page: Page, server: Server, path: Path) -> None:
    visit(page, f"{server.url}/data")
    page.get_by_role("tab", name="Path on this machine").click()
    field = page.get_by_role("textbox", name="One path per line")
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
    expect(page.get_by_text("You can close this page", exact=False)).to_be_visible()
    finished(page)
    press(page, "See alerts", exact=False)
    expect(page.get_by_role("heading", name="Alerts")).to_be_visible()


def finished(page: Page) -> None:
    """Wait until the page says by itself that the job is done."""
    over = page.get_by_text("Done", exact=True).or_(page.get_by_text("The job failed"))
    expect(over).to_be_visible(timeout=TRAINED_MS)
    settled(page)
    assert not page.get_by_text("The job failed").count(), page.get_by_test_id("stMain").inner_text()


def lasso(page: Page, field: str = ".js-plotly-plot .nsewdrag") -> None:
    """Draw around the whole map."""
    box = page.locator(field).first.bounding_box()
    assert box is not None
    left, top, right, bottom = box["x"] + 3, box["y"] + 3, box["x"] + box["width"] - 3, box["y"] + box["height"] - 3
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top + 2)):
        page.mouse.move(x, y, steps=6)
    page.mouse.up()
    settled(page)


def rest_on_the_highest(page: Page) -> None:
    """Rest the mouse on the point of the highest score, on a map that a canvas draws."""
    page.wait_for_selector(".map[data-ready]")
    settled(page)
    box = page.locator(".map canvas.over").bounding_box()
    assert box is not None
    x, y = page.locator(".map").evaluate(
        """({ parentNode: { view } }) => {
          const highest = view.score.reduce((best, score, i) => (score > view.score[best] ? i : best), 0);
          return view.screenOf(highest).map((v) => v / view.sharp);
        }"""
    )
    page.mouse.move(box["x"] + x + 1, box["y"] + y + 1)


def score_another(page: Page, path: Path) -> None:
    follow(page, "Score file")
    page.get_by_role("radio", name="Path on this machine").click()
    settled(page)
    field = page.get_by_role("textbox", name="One path per line")
    field.fill(str(path))
    field.press("Control+Enter")
    settled(page)
    expect(page.get_by_text("All columns that the detector needs are there.", exact=False)).to_be_visible()
    press(page, "Score")
    expect(page.get_by_role("button", name="Open in Alerts")).to_be_visible(timeout=TRAINED_MS)
    settled(page)


def choose_first_row(page: Page) -> None:
    """Click the marker cell of the first line of the first table: it is drawn on a canvas."""
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 16, box["y"] + 50)
    settled(page)
