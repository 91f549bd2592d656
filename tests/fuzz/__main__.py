"""`make fuzz`: make, open and score odd inputs, and print what goes wrong with the way to repeat it."""

import argparse
import faulthandler
import shutil
from collections import Counter
from pathlib import Path

from tests.fuzz.inputs import Input
from tests.fuzz.judgement import Verdict, judged, told

HUNG = 300
"""After this time without a verdict [s] the run ends, with the place where it hangs."""
TOLD = 500
"""After this many inputs the number of inputs so far is printed."""


def main() -> int:
    """Run it from the command line."""
    options = _options()
    numbers = range(options.start, options.start + options.count) if options.only is None else [options.only]
    what, failures = Counter[str](), 0
    faulthandler.dump_traceback_later(HUNG, exit=True)
    for one, verdict in judged(options.seed, numbers):
        faulthandler.dump_traceback_later(HUNG, exit=True)
        what += verdict.what
        what["inputs"] += 1
        failures += len(verdict.failures)
        for failure in verdict.failures:
            print(told(one, failure), flush=True)
        if verdict.failures:
            _keep(one, options.keep)
        if options.only is not None:
            _print(one, verdict)
        if what["inputs"] % TOLD == 0:
            print(f"{what['inputs']} inputs", flush=True)
    faulthandler.cancel_dump_traceback_later()
    print("; ".join(f"{name}: {count}" for name, count in sorted(what.items())))
    print(f"{failures} failures")
    return 1 if failures else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=10_000, help="number of inputs")
    parser.add_argument("--start", type=int, default=0, help="number of the first input")
    parser.add_argument("--only", type=int, help="this input alone, with its traceback")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"), help="folder for inputs with a failure")
    return parser.parse_args()


def _keep(one: Input, keep: Path) -> None:
    target = keep / f"{one.seed}-{one.number}"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(one.folder, target)
    print(f"  kept in {target}", flush=True)


def _print(one: Input, verdict: Verdict) -> None:
    print(f"{one.kind}: {one.said}; rows: {one.rows}; options: {dict(one.options)}; trains: {one.trains}")
    print("\n".join([*verdict.traces, *verdict.refusals, str(dict(verdict.what))]))


if __name__ == "__main__":
    raise SystemExit(main())
