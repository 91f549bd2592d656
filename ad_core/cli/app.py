"""The command line: the same verbs as the app, each in a file of its own.

Heavy libraries are imported inside the verbs, so that help appears at once. Exit codes: 0 done, 2 the user can correct
it (one line on stderr), 1 a bug (with its trace).
"""

import sys

import typer

from ad_core.cli.evaluate import evaluate
from ad_core.cli.explain import explain
from ad_core.cli.methods import methods
from ad_core.cli.recommend import recommend
from ad_core.cli.report import report
from ad_core.cli.samples import samples
from ad_core.cli.score import score
from ad_core.cli.start_app import start_app
from ad_core.cli.threshold import threshold
from ad_core.cli.train import train
from ad_core.cli.verdicts import verdicts_app
from ad_core.cli.what_if import counterfactual, whatif
from ad_core.errors import AdError

app = typer.Typer(
    help="Self-supervised anomaly detection for tables, images and sensor recordings.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for verb in (train, score, explain, threshold, evaluate, recommend, methods, report, samples, whatif, counterfactual):
    app.command()(verb)
app.command("app")(start_app)
app.add_typer(verdicts_app, name="verdicts")


def main() -> None:
    """Entry point: errors that the user can correct become one line and exit code 2."""
    try:
        app()
    except AdError as error:
        print(f"Error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
