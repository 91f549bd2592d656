"""`make fuzz`: make, open and score odd inputs, and print what goes wrong with the way to repeat it."""

import argparse
import faulthandler
import shutil
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.inputs import Input, make_input
from tests.fuzz.judgement import Verdict, judge

HUNG = 300
"""After this time without an answer [s] the run ends, with the place where it hangs."""


def run(seed: int, numbers: range | list[int], keep: Path | None = None, *, verbose: bool = False) -> list[str]:
    """Judge some inputs of a seed.

    Args:
        keep: folder that gets a copy of each input with a failure.

    Returns:
        One text per failure, with the way to repeat it.
    """
    failures, what = [], Counter[str]()
    for number in numbers:
        with TemporaryDirectory(prefix="fuzz-") as folder:
            faulthandler.dump_traceback_later(HUNG, exit=True)
            one = make_input(seed, number, Path(folder))
            verdict = judge(one)
            faulthandler.cancel_dump_traceback_later()
            what += verdict.what
            what["inputs"] += 1
            for failure in verdict.failures:
                failures.append(told(one, failure))
                print(failures[-1], flush=True)
            if verdict.failures and keep is not None:
                _keep(one, Path(folder), keep)
            if verbose:
                _print(one, verdict)
    print("; ".join(f"{name}: {count}" for name, count in sorted(what.items())))
    return failures


def told(one: Input, failure: str) -> str:
    """A failure with what the input was and how to repeat it."""
    options = f", opened with {dict(one.options)}" if one.options else ""
    return (
        f"FAILURE {failure}\n  {one.kind}: {one.said[:300]}{options}\n"
        f"  repeat: python -m tests.fuzz --seed {one.seed} --only {one.number}"
    )


def _keep(one: Input, folder: Path, keep: Path) -> None:
    target = keep / f"{one.seed}-{one.number}"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder, target)
    print(f"  kept in {target}")


def _print(one: Input, verdict: Verdict) -> None:
    print(f"{one.kind}: {one.said}; rows: {one.rows}; options: {dict(one.options)}; trains: {one.trains}")
    print("\n".join([*verdict.traces, *verdict.refusals, str(dict(verdict.what))]))


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=10_000, help="number of inputs")
    parser.add_argument("--start", type=int, default=0, help="number of the first input")
    parser.add_argument("--only", type=int, help="this input alone, with its traceback")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"), help="folder for inputs with a failure")
    options = parser.parse_args()
    numbers = range(options.start, options.start + options.count) if options.only is None else [options.only]
    failures = run(options.seed, numbers, options.keep, verbose=options.only is not None)
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
