"""`python -m tests.benchmarks.start_up [--before FOLDER]`: how long the command line takes to start.

Printed, never asserted. `python -m ad_core methods` and `--help` are compared with importing every plug-in, which the
table of methods took before it was read from the source text; with `--before` also with another tree of this project.
All take turns, so a busy machine is fair to each. The aim: half the time of importing, or less.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

HERE = Path(__file__).parents[2]
CALLS = {
    "methods": ("-m", "ad_core", "methods"),
    "--help": ("-m", "ad_core", "--help"),
    "import every plug-in": ("-c", "from ad_core.training.catalogue import methods; methods()"),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="folder of another tree, whose `methods` is timed too")
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    runs = {name: (HERE, call) for name, call in CALLS.items()}
    if options.before:
        runs["methods before"] = (options.before.resolve(), CALLS["methods"])
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(options.turns + 1):
        for name, (tree, call) in runs.items():
            took = timed(tree, call)
            if turn:  # the first turn compiles
                seconds[name].append(took)
    slow = median(seconds["methods before" if options.before else "import every plug-in"])
    print(f"median of {options.turns} turns; ratio to {'methods before' if options.before else 'importing'}")
    for name, values in seconds.items():
        print(
            f"{name:22}{median(values):7.2f} s   {median(values) / slow:.2f}   ({min(values):.2f} to {max(values):.2f})"
        )


def timed(tree: Path, call: tuple[str, ...]) -> float:
    """Seconds that Python takes for a call within a tree."""
    began = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    subprocess.run([sys.executable, *call], cwd=tree, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
