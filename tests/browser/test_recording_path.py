"""From a recording to an explained event and to a later recording."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, follow, press
from tests.browser.steps import choose_first_row, lasso, open_path, score_another, train_quickly

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=60_000)


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
