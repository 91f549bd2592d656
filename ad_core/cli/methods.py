"""The verb `methods`: what can be trained."""

import json

import typer

from ad_core.cli.options import AsJson

TERMS = {"pretext": "pretext task", "reference": "classical detector"}
"""Kind of plug-in -> what the table calls it, where that differs."""


def methods(as_json: AsJson = False) -> None:
    """List recipes, pretext tasks, scorers and classical detectors with their sources; --json adds their settings."""
    if as_json:
        from ad_core.training import catalogue

        cards = (*catalogue.methods(), *catalogue.not_loaded())
        typer.echo(json.dumps([card.model_dump(mode="json") for card in cards], indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    from ad_core.training.method_list import method_list

    console, table = Console(), Table("name", "kind", "works on", "title", "source")
    lines = method_list()
    for line in (line for line in lines if not line.problem):
        kind = TERMS.get(line.kind, line.kind)
        table.add_row(line.name, kind, ", ".join(line.modalities), line.title, line.source)
    console.print(table)
    for line in (line for line in lines if line.problem):
        text = f"{TERMS.get(line.kind, line.kind)} {line.name!r} could not be loaded: {line.problem}"
        console.print(text, markup=False, highlight=False, soft_wrap=True)
