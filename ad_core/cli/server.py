"""Start the app from the checkout or from an installed wheel, with the settings that ship with it."""

import os
import sys
import tomllib
from pathlib import Path
from typing import NoReturn

from ad_core.data.product_files import product_folder
from ad_core.errors import AdError

ADDRESS = "STREAMLIT_SERVER_ADDRESS"
"""Variable of Streamlit: the address that the server listens on."""


def become_server(port: int, headless: bool) -> NoReturn:
    """Become the server of the app. The working directory stays, so relative paths mean what they meant in the shell.

    Raises:
        AdError: the app's files are incomplete.
    """
    folder = product_folder()
    os.environ.setdefault(ADDRESS, listening_address(folder))
    os.execv(sys.executable, command(folder, port, headless))


def command(folder: Path, port: int, headless: bool) -> list[str]:
    """The command line of the server; Streamlit finds `.streamlit/config.toml` beside the script.

    Raises:
        AdError: there is no app in the folder.
    """
    script = folder / "app.py"
    if not script.is_file():
        raise AdError(f"The app's files are missing ({script}). Install Anomaly Lens again.")
    # -P: whatever lies in the working directory must not be taken for a module.
    start = [sys.executable, "-P", "-m", "streamlit", "run", str(script)]
    return [*start, f"--server.port={port}", f"--server.headless={str(headless).lower()}"]


def listening_address(folder: Path) -> str:
    """The address that the shipped settings say, of this machine only.

    Streamlit listens on all networks where it finds no settings; therefore the address is looked up before it starts.

    Raises:
        AdError: the settings are missing or say no address.
    """
    file = folder / ".streamlit" / "config.toml"
    try:
        return str(tomllib.loads(file.read_text(encoding="utf-8"))["server"]["address"])
    except (OSError, tomllib.TOMLDecodeError, KeyError):
        raise AdError(
            f"The app's settings are missing or damaged ({file}), and without them other computers could reach the "
            "app. Install Anomaly Lens again."
        ) from None
