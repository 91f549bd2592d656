"""The command `threshold`: show or change the rule that decides the alerts of a saved detector, without training."""

import getpass
from pathlib import Path
from typing import Annotated

import typer

from ad_core.errors import SettingsError


def threshold(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder that `train --out` wrote.")],
    p: Annotated[float | None, typer.Option("--p", help="Largest p-value, which is the false positive rate.")] = None,
    fdr: Annotated[float | None, typer.Option(help="Largest false discovery rate (Benjamini-Hochberg).")] = None,
    fdr_dependent: Annotated[
        float | None,
        typer.Option(help="Largest false discovery rate, however rows depend on each other (Benjamini-Yekutieli)."),
    ] = None,
    budget: Annotated[
        float | None, typer.Option(help="Maximum number of alerts in a batch, or in a day where rows have dates.")
    ] = None,
    percentile: Annotated[float | None, typer.Option(help="Lowest percentile of the calibration rows.")] = None,
    score: Annotated[float | None, typer.Option(help="Lowest score.")] = None,
    tail: Annotated[
        float | None,
        typer.Option(help="Rate of normal rows that may become alerts, by a tail fitted to the calibration scores."),
    ] = None,
    segment: Annotated[
        str | None, typer.Option(help="Column, such as entity, whose values get thresholds of their own.")
    ] = None,
    name: Annotated[str, typer.Option(help="What to call the threshold.")] = "",
    reason: Annotated[str, typer.Option(help="Why it was chosen.")] = "",
    author: Annotated[str | None, typer.Option(help="Who chose it; default is the user of this machine.")] = None,
) -> None:
    """Show the rule in force of a detector and every threshold that was saved, or save another one."""
    from ad_core.alerts.rule import Rule, in_force_in_words, rule_in_force
    from ad_core.storage.bundle import part
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
    facts = part(bundle, "calibration_facts") or {}
    in_force = rule_in_force(entries[-1].rule if entries else None, facts.get("smallest_p"))
    typer.echo(in_force_in_words(in_force, is_saved=bool(entries)))
    if not entries:
        typer.echo("No threshold was saved. Choose one with --fdr 0.1, --budget 20, --p 0.01, ...")
    for number, entry in enumerate(reversed(entries)):
        created = f"{entry.created:%Y-%m-%dT%H:%M}"
        words = entry.rule.in_words()
        named = "" if entry.name == words else entry.name
        about = " · ".join(text for text in (named, entry.reason, entry.author, created) if text)
        typer.echo(f"{'now:   ' if not number else 'before:'} {words} ({about})")
