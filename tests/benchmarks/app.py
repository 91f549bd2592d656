"""`python -m tests.benchmarks.app [--large-file]`: how fast the app is, in a real browser, and what a large file costs.

Printed, never asserted. With `--large-file` the browser is left out.

The aims: first page of a cold start under 5 s; a rerun of Alerts with 100,000 rows under 1 s; 20,000 points on the Map
under 4 s; a 200 MB CSV opened by path and profiled within three times its size in memory.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from ad_core.storage import results
from ad_core.storage.store import Store
from tests.browser.conftest import QUIET, Server, chromium, settled
from tests.pages.conftest import write_table_run

LARGE_MB = 200
PROFILE = """
import resource, sys
from ad_core.pipeline import open_dataset
from ad_core.data.profiling import profile
profile(open_dataset(sys.argv[1], modality="table"))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large-file", action="store_true", help="only what a large file costs")
    large_only = parser.parse_args().large_file
    with tempfile.TemporaryDirectory() as folder:
        if not large_only:
            in_the_browser(Path(folder))
        large_file(Path(folder))


def in_the_browser(folder: Path) -> None:
    """Cold start, Alerts with 100,000 rows, Map with 20,000 points."""
    home = folder / "home"
    store = Store.open(home)
    run = write_table_run(store, folder, rows=100_000)
    points = results.table(store.folder(run.id), "map").head(20_000)
    results.publish(store.folder(run.id), "map", points)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(90_000)
        began = time.perf_counter()
        server = Server(home)
        try:
            page.goto(server.url)
            page.get_by_role("heading", level=1).wait_for()
            said("cold start to the first page", time.perf_counter() - began, 5)
            open_alerts(page, server, run.id)
            said("Map, 20,000 points, to drawn", timed(lambda: open_map(page, server, run.id)), 4)
        finally:
            server.stop()
            browser.close()


def open_alerts(page: Page, server: Server, run_id: str) -> None:
    """The first visit reads the file; what counts is every rerun after it."""
    page.goto(f"{server.url}/alerts?run={run_id}")
    page.get_by_text("100,000").first.wait_for()
    settled(page)
    toggle = page.get_by_text("Alerts only", exact=True)
    began = time.perf_counter()
    toggle.click()
    page.get_by_text("of 100,000 shown").wait_for()
    page.wait_for_function("() => !/100,000 rows of 100,000 shown/.test(document.body.innerText)")
    said("Alerts, 100,000 rows, to rerun after a filter", time.perf_counter() - began, 1)


def open_map(page: Page, server: Server, run_id: str) -> None:
    """Until the points are on the screen."""
    page.goto(f"{server.url}/map?run={run_id}")
    page.locator(".js-plotly-plot .gl-canvas, canvas").first.wait_for()
    settled(page)


def large_file(folder: Path) -> None:
    """Peak memory of a process that opens and profiles a large CSV."""
    file = folder / "large.csv"
    with file.open("w") as out:
        out.write("id,amount,hour,shop,fee,note\n")
        row = 0
        while out.tell() < LARGE_MB * 2**20:
            lines = (
                f"{i},{i % 9973 + i % 97 / 100:.2f},{i % 24},shop-{i % 50},{i % 1000 / 7:.4f},{'ab'[i % 2]}\n"
                for i in range(row, row + 100_000)
            )
            out.write("".join(lines))
            row += 100_000
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", PROFILE, str(file)], check=True, capture_output=True, text=True)
    peak = int(done.stdout) / 1024
    seconds = time.perf_counter() - began
    print(f"{LARGE_MB} MB CSV, {row:,} rows, opened and profiled: {seconds:.1f} s")
    print(f"peak memory {peak:.0f} MB, {peak / LARGE_MB:.1f} times the file (aim 3)")


def timed(work: Callable[[], None]) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def said(what: str, seconds: float, aim: float) -> None:
    """One line of the report."""
    print(f"{what}: {seconds:.2f} s (aim {aim:g} s)", flush=True)


if __name__ == "__main__":
    main()
