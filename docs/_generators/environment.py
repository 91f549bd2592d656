"""Environment variables: the code is searched for them, so that none is left out."""

import re
from pathlib import Path

from _generators import markdown
from _generators.markdown import code, table

ROOT = Path(__file__).resolve().parents[2]

MEANINGS = {
    "AD_HOME": "Folder of runs, uploads and detectors. Default `~/.anomaly-lens`.",
    "AD_DATABASE_URL": "Database of data sets, runs, thresholds and verdicts, such as "
    "`postgresql://user:password@host/database`. Default: a SQLite file in `AD_HOME`.",
    "AD_BENCH_DATA": "Folder with labelled data for `make bench`; nothing is measured without it.",
    "AD_CHROMIUM": "Path of the Chromium that the browser tests drive; default: the one on the PATH.",
    "AD_TEST_POSTGRESQL": "Address of an empty PostgreSQL database for the tests; they are skipped without it.",
    "AD_REQUIRE_BROWSER": "`1`: the browser tests fail instead of being skipped where there is no Chromium.",
    "AD_SCREENSHOTS": "`1`: the browser tests take the pictures of the documentation again.",
    "CUDA_VISIBLE_DEVICES": "Which GPUs a job may use, as in CUDA; empty or `-1` for none.",
    "OMP_NUM_THREADS": "Threads of the numerical libraries; the map keeps to it as well.",
    "NUMBA_NUM_THREADS": "Threads of the map (UMAP); follows `OMP_NUM_THREADS` unless it is set.",
    "RANK": "Set by `torchrun`: number of this process among all. Process 0 writes the detector.",
    "LOCAL_RANK": "Set by `torchrun`: number of this process on its machine; it chooses the GPU.",
    "WORLD_SIZE": "Set by `torchrun`: number of processes that train together.",
}

READ = re.compile(r"environ(?:\.get|\.setdefault|\.pop)?[\[(]\s*\"([A-Z_]+)\"|\"([A-Z_]+)\" (?:not )?in os\.environ")


def found_in_code() -> set[str]:
    """Names of the variables that the library and the app read, and of ours (AD_...) that only the tests read."""
    return _read_in("ad_core") | _read_in("pages") | {name for name in _read_in("tests") if name.startswith("AD_")}


def _read_in(folder: str) -> set[str]:
    texts = (file.read_text(encoding="utf-8") for file in (ROOT / folder).rglob("*.py"))
    return {name for text in texts for pair in READ.findall(text) for name in pair if name}


def page() -> str:
    """All variables, those of this project first."""
    names = sorted(MEANINGS, key=lambda name: (not name.startswith("AD_"), name))
    return markdown.page(
        "Environment variables", table(["variable", "meaning"], [(code(n), MEANINGS[n]) for n in names])
    )
