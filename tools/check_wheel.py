"""Build the wheel, install it outside the checkout, and use it as its users do. Run: `make wheel-check`.

A fresh environment takes minutes to fill, mostly with torch. Here it takes a second and proves as much: the environment
is new, the wheel is installed into it as usual, and of the packages that `.venv` holds already only those are linked
into it that the wheel's own metadata asks for, directly or through another. A requirement that was forgotten is
therefore missing, as it would be on another computer, and so is everything that lies only in the checkout.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.parser import HeaderParser
from importlib.metadata import Distribution, distribution
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

from packaging.requirements import Requirement
from playwright.sync_api import Page, sync_playwright

import ad_core
from tests.browser.conftest import PATIENCE_MS, QUIET, chromium, settled
from tests.test_structure import TREES, imports

ROOT = Path(__file__).resolve().parent.parent
TITLES = ("Card payments", "Machined plates", "Walking with sensor faults")
"""Samples on the home page."""

OPTIONAL = {"transformers"}
"""Libraries that only an extra asks for."""

PAPER = "rgb(251, 252, 251)"
"""Background of the product's own light theme; Streamlit's is white."""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="wheel-check-") as name:
        folder = Path(name)
        with timed("build"):
            wheel = build(folder / "dist")
        with timed("install"):
            python = install(wheel, folder / "venv")
            import_all(python, folder)
        work = folder / "work"
        work.mkdir()
        env = {"PATH": f"{python.parent}:/usr/bin:/bin", "HOME": str(folder), "AD_HOME": str(folder / "home")}
        env["OMP_NUM_THREADS"] = "1"
        with timed("command line"):
            use_commands(python, work, env)
        with timed("app"):
            use_app(work, env)
    print("The wheel is complete.")


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long a step took."""
    began = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - began:.1f} s", flush=True)


def run(*command: object, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> str:
    """Run a command to its end; what it printed."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def build(folder: Path) -> Path:
    """The wheel, built from the source distribution, so that this one is complete too."""
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (described,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        version = HeaderParser().parsestr(archive.read(described).decode())["Version"]
    expect(version == ad_core.__version__, f"the wheel says version {version}, the package {ad_core.__version__}")
    top = {name.split("/")[0] for name in names} - {described.split("/")[0]}
    expect(top == {"ad_core"}, f"the wheel would install {', '.join(sorted(top))}, not ad_core alone")
    print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB, {len(names)} files")
    return wheel


def install(wheel: Path, folder: Path) -> Path:
    """A new environment with the wheel and the packages that it asks for; its Python."""
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", "-c", ROOT / "constraints.txt", wheel)
    (packages,) = folder.glob("lib/python*/site-packages")
    (own,) = Distribution.discover(name="anomaly-lens", path=[str(packages)])
    for needed in required(own).values():
        link(needed, packages)
    run(*pip, "check")
    return python


def import_all(python: Path, folder: Path) -> None:
    """Every library that any file of the product imports, also where it is imported late, must be there."""
    libraries = {name.split(".")[0] for module in TREES for name in imports(module)} - OPTIONAL - {"ad_core", "pages"}
    absent = "import sys, importlib.util as u; print(*(name for name in sys.argv[1:] if not u.find_spec(name)))"
    missing = run(python, "-c", absent, *sorted(libraries), cwd=folder).strip()
    expect(not missing, f"the product imports {missing}, which its requirements do not bring")


def required(start: Distribution) -> dict[str, Distribution]:
    """What a distribution asks for without its extras, directly or through another, as the running Python has it."""
    found: dict[str, Distribution] = {}
    waiting = [(start, "")]
    seen: set[tuple[str, str]] = set()
    while waiting:
        asking, extra = waiting.pop()
        for requirement in map(Requirement, asking.requires or ()):
            if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                continue
            for wanted in ("", *requirement.extras):
                if (requirement.name, wanted) not in seen:
                    seen.add((requirement.name, wanted))
                    found[requirement.name] = distribution(requirement.name)
                    waiting.append((found[requirement.name], wanted))
    return found


def link(needed: Distribution, packages: Path) -> None:
    """Link the files of an installed distribution into another environment."""
    tops = {file.parts[0] for file in needed.files or () if file.parts[0] not in ("..", "__pycache__")}
    for top in tops:
        if not (packages / top).exists():
            (packages / top).symlink_to(Path(str(needed.locate_file(top))).resolve())


def use_commands(python: Path, work: Path, env: Mapping[str, str]) -> None:
    """List, train on a sample and score, with the installed command in an empty folder."""
    script = python.parent / "anomaly-lens"
    expect("masked_cells" in run(script, "methods", cwd=work, env=env), "masked_cells is not among the methods")
    run(python, "-m", "ad_core", "methods", "--json", cwd=work, env=env)
    run(script, "samples", "--copy", "sample_data", cwd=work, env=env)
    train = work / "sample_data" / "card_payments_synthetic" / "train.csv"
    expect(train.is_file(), "the samples are not in the wheel")
    find = "from ad_core.data.sample_datasets import samples; print(*samples()[0].train, *samples()[0].new, sep='\\n')"
    files = run(python, "-c", find, cwd=work, env=env).splitlines()
    for name, file in zip(("train.csv", "new.csv"), files, strict=True):
        expect(python.parents[1] in Path(file).parents, f"the sample {file} is not of the wheel")
        few_rows = Path(file).read_text(encoding="utf-8").splitlines(keepends=True)[:801]
        (work / name).write_text("".join(few_rows), encoding="utf-8")
    columns = ("--id", "payment_id", "--label", "is_fraud", "--ignore", "paid_at")
    effort = ("--pretext", "masked_cells", "--preset", "quick", "--set", "training.max_steps=60")
    run(script, "train", "train.csv", "--out", "detector", *columns, *effort, cwd=work, env=env)
    told = run(script, "score", "detector", "new.csv", "--out", "scores.parquet", cwd=work, env=env)
    expect(told.startswith("800 of 800 rows scored"), f"scoring said: {told}")


def use_app(work: Path, env: Mapping[str, str]) -> None:
    """Start the app in the empty folder and look at its home page."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = work / "server.log"
    command = [shutil.which("anomaly-lens", path=env["PATH"]) or "", "app", f"--port={port}", "--headless"]
    with log.open("w") as output:
        server = subprocess.Popen(command, cwd=work, env=dict(env), stdout=output, stderr=output)
    try:
        healthy(f"http://127.0.0.1:{port}/_stcore/health", server, log)
        expect(not reached("127.0.0.2", port), "the app listens on all networks")
        look(f"http://127.0.0.1:{port}/")
    finally:
        server.terminate()
        server.wait(timeout=20)
    expect("Traceback" not in log.read_text(), log.read_text())


def healthy(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server says that it is well."""
    until = time.monotonic() + PATIENCE_MS / 1000
    while True:
        try:
            with urlopen(url, timeout=2):
                return
        except OSError:
            expect(server.poll() is None and time.monotonic() < until, f"the app did not start:\n{log.read_text()}")
            time.sleep(0.2)


def reached(address: str, port: int) -> bool:
    """Whether anybody accepts a connection there."""
    try:
        with socket.create_connection((address, port), timeout=2):
            return True
    except OSError:
        return False


def look(url: str) -> None:
    """Open the home page in a real browser: samples, theme, no request to any other computer."""
    path = chromium()
    expect(path is not None, "there is no chromium on this computer; install it, or name it in AD_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
        page.set_default_timeout(PATIENCE_MS)
        asked: set[str | None] = set()
        page.on("request", lambda request: asked.add(urlsplit(request.url).hostname))
        page.goto(url)
        shown(page)
        browser.close()
    others = asked - {"127.0.0.1", None}
    expect(not others, f"the page asked {others} for something")


def shown(page: Page) -> None:
    """The home page as it must look."""
    settled(page)
    for title in TITLES:
        page.get_by_text(title, exact=True).first.wait_for()
    colour = page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
    expect(colour == PAPER, f"the page's background is {colour}, so the app's settings were not read")
    if picture := os.environ.get("AD_WHEEL_PICTURE"):
        page.screenshot(path=picture)


def expect(holds: bool, otherwise: str) -> None:
    """End with what is wrong, unless the condition holds."""
    if not holds:
        raise SystemExit(f"The wheel is not as it should be: {otherwise}.")


if __name__ == "__main__":
    main()
