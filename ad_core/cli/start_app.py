"""The verb `app`: the dashboard in the browser."""

from typing import Annotated

import typer


def start_app(
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 8501,
    headless: Annotated[bool, typer.Option(help="Do not open a browser.")] = False,
) -> None:
    """Start the app in the browser."""
    from ad_core.cli.server import become_server

    become_server(port, headless)
