"""The verb `methods`: what can be trained."""

import json

import typer

from ad_core.cli.options import AsJson


def methods(as_json: AsJson = False) -> None:
    """List recipes, pretext tasks, scorers and classical detectors, with their sources; --json adds their settings."""
    from ad_core.training.catalogue import methods as cards

    if as_json:
        typer.echo(json.dumps([card.model_dump(mode="json") for card in cards()], indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "kind", "works on", "title", "source")
    for card in cards():
        table.add_row(card.name, card.kind, ", ".join(card.modalities), card.title, card.source)
    Console().print(table)
