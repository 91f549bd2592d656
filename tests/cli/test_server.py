"""`app` listens on this machine only, wherever it is started and whatever settings lie there."""

import base64
import os
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest

from ad_core.cli.server import command, listening_address
from ad_core.data.product_files import product_folder
from ad_core.errors import AdError

FOREIGN = """
[server]
address = "0.0.0.0"
allowedHosts = ["*"]
[browser]
gatherUsageStats = true
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(address: str, port: int) -> bool:
    """Whether anybody accepts a connection there."""
    try:
        with socket.create_connection((address, port), timeout=2):
            return True
    except OSError:
        return False


def opened_stream(port: int, host: str) -> int:
    """The answer to a page that was loaded from this host and asks for the stream of the app: 101 accepts it."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    key = base64.b64encode(bytes(16)).decode()
    headers = {"Host": host, "Origin": f"http://{host}", **upgrade, "Sec-WebSocket-Key": key}
    connection.request("GET", "/_stcore/stream", headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.fixture
def port(tmp_path):
    """A server that was started in a folder with settings and a module of somebody else."""
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text(FOREIGN)
    (tmp_path / "streamlit.py").write_text("raise SystemExit('a file of the working directory was run')\n")
    port = free_port()
    env = {k: v for k, v in os.environ.items() if not k.startswith("STREAMLIT_")} | {"AD_HOME": "home"}
    start = [sys.executable, "-P", "-m", "ad_core", "app", f"--port={port}", "--headless"]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(start, cwd=tmp_path, env=env, stdout=log, stderr=log)
    until = time.monotonic() + 60
    while not answers("127.0.0.1", port):
        assert server.poll() is None, (tmp_path / "log").read_text()
        assert time.monotonic() < until, (tmp_path / "log").read_text()
        time.sleep(0.2)
    yield port
    server.terminate()
    server.wait(timeout=20)


def test_the_server_is_reached_from_this_machine_only_whatever_the_working_directory_says(port):
    """A server that listens on all networks would also answer at another address of this computer."""
    assert not answers("127.0.0.2", port)
    assert not answers("::1", port)

    assert opened_stream(port, host=f"127.0.0.1:{port}") == 101
    assert opened_stream(port, host="elsewhere.example") == 403


def test_the_shipped_settings_name_the_loopback_address():
    assert listening_address(product_folder()) == "127.0.0.1"


@pytest.mark.parametrize("text", [None, "[browser]\ngatherUsageStats = false\n", "[server\n"])
def test_without_its_settings_the_app_does_not_start(tmp_path: Path, text: str | None):
    (tmp_path / ".streamlit").mkdir()
    if text is not None:
        (tmp_path / ".streamlit" / "config.toml").write_text(text)

    with pytest.raises(AdError, match=r"other computers could reach the app\. Install Anomaly Lens again"):
        listening_address(tmp_path)


def test_without_its_script_the_app_does_not_start(tmp_path: Path):
    with pytest.raises(AdError, match=r"The app's files are missing \(.*app\.py\)"):
        command(tmp_path, 8501, headless=True)
