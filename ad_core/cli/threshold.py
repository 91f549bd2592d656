"""The verb `threshold`: show or change the alert threshold of a saved detector, without training again."""

import getpass
from typing import Annotated

import typer

from ad_core.cli.options import BundleFolder
from ad_core.errors import SettingsError


def threshold(
    bundle: BundleFolder,
    p: Annotated[float | None, typer.Option("--p", help="Largest p-value: the false positive rate.")] = None,
    fdr: Annotated[float | None, typer.Option(help="False discovery rate (Benjamini-Hochberg).")] = None,
    fdr_dependent: Annotated[
        float | None,
        typer.Option(help="False discovery rate, however rows depend on each other (Benjamini-Yekutieli)."),
    ] = None,
    budget: Annotated[
        float | None, typer.Option(help="Maximum number of alerts per batch, or per day where rows have times.")
    ] = None,
    percentile: Annotated[
        float | None, typer.Option(help="Percentile of the calibration scores from which a row is an alert.")
    ] = None,
    score: Annotated[float | None, typer.Option(help="Score from which a row is an alert.")] = None,
    tail: Annotated[
        float | None,
        typer.Option(help="False positive rate per row, by a tail fitted to the calibration scores (extreme values)."),
    ] = None,
    segment: Annotated[
        str | None, typer.Option(help="Column, such as entity; each of its values gets a threshold of its own.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the threshold.")] = "",
    reason: Annotated[str, typer.Option(help="Why it was chosen.")] = "",
    author: Annotated[str | None, typer.Option(help="Who chose it; default is the user of this machine.")] = None,
) -> None:
    """Show the alert threshold of a detector and its history, or change it."""
    from ad_core.alerts.threshold import Rule
    from ad_core.storage.saved_thresholds import in_bundle, save_in_bundle

    values = {
        "p": p,
        "fdr": fdr,
        "fdr_dependent": fdr_dependent,
        "budget": budget,
        "percentile": percentile,
        "score": score,
        "tail": tail,
    }
    given = {kind: value for kind, value in values.items() if value is not None}
    if len(given) > 1:
        raise SettingsError(f"A detector has one threshold; {' and '.join(given)} were given. Choose one of them.")
    if given:
        (kind, value), *_ = given.items()
        rule = Rule.parse({"kind": kind, "value": value, "segment": segment}, "threshold")
        who = getpass.getuser() if author is None else author
        save_in_bundle(bundle, rule, name=name or rule.in_words(), reason=reason, author=who)
    elif segment or name or reason:
        raise SettingsError("Say which threshold is meant, such as --fdr 0.1 or --budget 20.")
    entries = in_bundle(bundle)
    if not entries:
        typer.echo("No threshold was saved. Choose one with --fdr 0.1, --budget 20, --p 0.01, ...")
    for number, entry in enumerate(reversed(entries)):
        created = f"{entry.created:%Y-%m-%dT%H:%M}"
        about = " · ".join(text for text in (entry.name, entry.reason, entry.author, created) if text)
        typer.echo(f"{'now:   ' if not number else 'before:'} {entry.rule.in_words()} ({about})")
