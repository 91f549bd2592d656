"""The verb `app`: the dashboard in the browser."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ad_core.errors import AdError


def start_app(
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 8501,
    headless: Annotated[bool, typer.Option(help="Do not open a browser.")] = False,
) -> None:
    """Start the app in the browser."""
    script = Path(__file__).resolve().parents[2] / "app.py"
    if not script.exists():
        raise AdError(f"The app's files are not beside the package ({script}). Start it from a clone of the project.")
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(script),
        f"--server.port={port}",
        f"--server.headless={str(headless).lower()}",
    ]
    os.chdir(script.parent)
    os.execv(sys.executable, command)
