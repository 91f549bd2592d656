"""A real server on loopback with an installation of its own, and a real Chromium that looks at it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageOps
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HEAVY = 250_000
"""A picture in the README has fewer bytes than this."""

PATIENCE_MS = 90_000
"""A page with charts loads several MB of scripts, which takes long on a busy machine with two cores."""


def chromium() -> str | None:
    """Where a Chromium is, if there is one."""
    names = (os.environ.get("AD_CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        reason = "There is no chromium on this machine. Install it, or name it in AD_CHROMIUM."
        pytest.fail(reason) if os.environ.get("AD_REQUIRE_BROWSER") == "1" else pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


class Server:
    """The app in a process of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        home.mkdir(parents=True, exist_ok=True)
        env = {**os.environ, "AD_HOME": str(home), "OMP_NUM_THREADS": "1"}  # browser and server need a core too
        env.pop("AD_DATABASE_URL", None)
        command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), f"--server.port={self.port}"]
        self._log = (home / "server.log").open("w")
        self._process = subprocess.Popen(
            [*command, "--server.headless=true"],
            env=env,
            cwd=ROOT,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        self._wait()

    def _wait(self) -> None:
        for _ in range(240):
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2):
                    return
            except OSError:
                assert self._process.poll() is None, (self.home / "server.log").read_text()
                time.sleep(0.25)
        raise AssertionError((self.home / "server.log").read_text())

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the app and nothing else."""
        os.killpg(self._process.pid, how)
        self._process.wait(timeout=20)
        self._log.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that do not need a fresh one."""
    server = Server(tmp_path_factory.mktemp("browser") / "home")
    yield server
    server.stop()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh tab, 1280 px wide; a script error in it fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not errors, errors


def settled(page: Page) -> None:
    """Wait until the script has run and nothing is about to appear."""
    for pause in (150, 150):
        page.wait_for_timeout(pause)
        page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    page.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')")
    assert not page.get_by_text("This is a bug in Anomaly Lens").count(), page.inner_text("body")


def visit(page: Page, url: str) -> None:
    """Open an address and wait for it."""
    page.goto(url)
    settled(page)


def press(page: Page, name: str, *, exact: bool = True, nth: int = 0) -> None:
    """Click a button by its name."""
    page.get_by_test_id("stMain").get_by_role("button", name=name, exact=exact).nth(nth).click()
    settled(page)


def follow(page: Page, name: str) -> None:
    """Click a page in the navigation."""
    page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()
    settled(page)


def picture(page: Page, name: str, most: int = 1500) -> None:
    """A screenshot for the README, when asked for, at most so many px high."""
    if os.environ.get("AD_SCREENSHOTS") != "1":
        return
    height = page.evaluate("document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight")
    page.set_viewport_size({"width": 1280, "height": int(min(max(height, 700), most))})
    page.wait_for_timeout(1500)  # charts fit themselves to the new size
    folder = ROOT / "docs" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    shot, file = Image.open(BytesIO(page.screenshot())).convert("RGB"), folder / f"{name}.png"
    shot.save(file, optimize=True)
    if file.stat().st_size >= HEAVY:  # photographs: 6 bits of each colour are plenty
        ImageOps.posterize(shot, 6).save(file, optimize=True)
    page.set_viewport_size({"width": 1280, "height": 900})
