"""The command `threshold`: show or change where a saved detector's alerts begin, without training again."""

import getpass
from pathlib import Path
from typing import Annotated

import typer

from ad_core.errors import SettingsError


def threshold(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder that `train --out` wrote.")],
    p: Annotated[float | None, typer.Option("--p", help="Largest p-value: share of false alarms.")] = None,
    fdr: Annotated[float | None, typer.Option(help="False share of alerts (Benjamini-Hochberg).")] = None,
    fdr_dependent: Annotated[
        float | None, typer.Option(help="The same however rows depend on each other (Benjamini-Yekutieli).")
    ] = None,
    budget: Annotated[float | None, typer.Option(help="Most alerts a batch, or a day where rows have times.")] = None,
    percentile: Annotated[float | None, typer.Option(help="Lowest percentile of the calibration rows.")] = None,
    score: Annotated[float | None, typer.Option(help="Lowest score.")] = None,
    tail: Annotated[float | None, typer.Option(help="Rate of false alerts per row, by the fitted tail.")] = None,
    segment: Annotated[
        str | None, typer.Option(help="Column, such as entity, whose values get thresholds of their own.")
    ] = None,
    name: Annotated[str, typer.Option(help="What to call the threshold.")] = "",
    reason: Annotated[str, typer.Option(help="Why it was chosen.")] = "",
    author: Annotated[str | None, typer.Option(help="Who chose it; default is the user of this machine.")] = None,
) -> None:
    """Show the threshold of a detector and its history, or change it."""
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
