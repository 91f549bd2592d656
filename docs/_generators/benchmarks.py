"""The last measured results, as the benchmark wrote them into tests/benchmarks/results/."""

from pathlib import Path

from _generators import markdown

RESULTS = Path(__file__).resolve().parents[2] / "tests" / "benchmarks" / "results"

INTRO = """\
The files below are kept in `tests/benchmarks/results/` and shown as they were written. They hold every method. How to
read them, and what they do not prove, is on the pages about [tables](../benchmarks/tables.md),
[recordings](../benchmarks/recordings.md) and [images](../benchmarks/images.md). `cells_quick.tsv` beside them has one
line per method, data set and seed."""


def page() -> str:
    """Every text file with results."""
    files = sorted(RESULTS.glob("*.txt"))
    blocks = [f"## {file.stem}\n\n```text\n{file.read_text(encoding='utf-8').strip()}\n```" for file in files]
    return markdown.page("Results as measured", INTRO, *blocks)
