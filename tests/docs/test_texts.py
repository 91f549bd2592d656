"""What the documentation names exists: files behind links, commands with their options, Python that runs."""

import ast
import re
import shlex
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer
from _generators import PAGES
from _generators.cli import commands

from ad_core.settings import SECTIONS, parse_assignments

ROOT = Path(__file__).resolve().parents[2]
TEXTS = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
TEXTS = [file for file in TEXTS if not {"_build", "generated"} & set(file.relative_to(ROOT).parts)]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("plot_*.py"))
VERBS = dict(commands())

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(python -m [^`]+)`")


def named(file: Path) -> str:
    return str(file.relative_to(ROOT))


def text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def fences(file: Path, language: str) -> list[str]:
    return [body for kind, body in FENCE.findall(text_of(file)) if kind == language]


def anchors(file: Path) -> set[str]:
    """Anchors of headings, as GitHub and MyST make them."""
    titles = re.findall(r"^#+ (.+)$", text_of(file), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def generated(target: Path) -> bool:
    """Whether the build makes this page."""
    folder = ROOT / "docs" / "generated"
    if target.is_relative_to(folder / "tutorials"):
        stem = target.relative_to(folder / "tutorials").with_suffix("").name
        return stem == "index" or (ROOT / "docs" / "tutorials" / f"{stem}.py").exists()
    return target.parent == folder and target.stem in PAGES


@pytest.mark.parametrize("file", TEXTS, ids=named)
def test_every_relative_link_leads_somewhere(file):
    for link in LINK.findall(text_of(file)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        assert target.exists() or generated(target), link
        assert not anchor or not target.exists() or anchor in anchors(target), f"{link}: no such heading"


@pytest.mark.parametrize("file", TEXTS, ids=named)
def test_every_page_of_the_site_is_in_a_table_of_contents(file):
    if not file.is_relative_to(ROOT / "docs") or file == ROOT / "docs" / "index.md":
        pytest.skip("The README, CONTRIBUTING and the first page are in no table of contents.")
    listed = set()
    for other in TEXTS:
        for block in re.findall(r"```\{toctree\}\n(.*?)```", text_of(other), re.DOTALL):
            entries = [line for line in block.splitlines() if line and not line.startswith(":")]
            listed |= {(other.parent / f"{entry}.md").resolve() for entry in entries}

    assert file in listed


@pytest.mark.parametrize("file", TUTORIALS, ids=named)
def test_every_reference_of_a_tutorial_leads_somewhere(file):
    for target in re.findall(r":doc:`([^`]+)`", text_of(file)):
        page = ROOT / "docs" / f"{target.removeprefix('/')}.md" if target.startswith("/") else None
        assert (page is not None and (page.exists() or generated(page))) or (file.parent / f"{target}.py").exists(), (
            target
        )


def test_every_tutorial_has_its_place_in_the_order():
    configuration = text_of(ROOT / "docs" / "conf.py")
    (order,) = [
        ast.literal_eval(node.value)
        for node in ast.parse(configuration).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TUTORIALS"
    ]

    assert {f"plot_{name}" for name in order} == {file.stem for file in TUTORIALS}


def shell_lines(file: Path) -> list[str]:
    """Commands in shell blocks and in running text, one each; continued lines are joined."""
    blocks = "\n".join(fences(file, "sh")).replace("\\\n", " ").splitlines()
    inline = list(INLINE.findall(re.sub(r"```.*?```", "", text_of(file), flags=re.DOTALL)))
    return [line.strip() for line in (*blocks, *inline) if line.strip()]


COMMANDS = [(named(file), line) for file in TEXTS for line in shell_lines(file)]


@pytest.mark.parametrize(("file", "line"), COMMANDS)
def test_every_command_in_the_text_exists(file, line):
    words = shlex.split(line, comments=True)
    while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):  # variables before the command
        words = words[1:]
    match words:
        case ["python" | ".venv/bin/python", "-m", module, *rest] if module.startswith("ad_core"):
            check_arguments(rest)
        case ["python" | ".venv/bin/python", "-m", module, *rest] if module.startswith("tests"):
            assert find_spec(module) is not None, module
        case ["python" | ".venv/bin/python", "-m", "pytest", *rest]:
            paths = [word for word in rest if word.startswith("tests/")]
            assert all((ROOT / path).exists() for path in paths)
        case ["torchrun", *rest]:
            check_arguments(rest[rest.index("ad_core") + 1 :])
        case ["anomaly-lens", *rest]:
            check_arguments(rest)
        case ["make", *rest]:
            targets = re.findall(r"^(\w+):", text_of(ROOT / "Makefile"), re.MULTILINE)
            assert all(word in targets for word in rest if "=" not in word)
        case ["pip", "install", what]:
            extras = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["optional-dependencies"]
            assert what in (f"anomaly-lens[{extra}]" for extra in extras)
        case ["export", assignment]:
            assert "=" in assignment
        case ["createdb", _]:
            pass
        case _:
            pytest.fail(f"Nobody knows how to check {line!r}: add it here.")


def check_arguments(words: list[str]) -> None:
    """A verb that exists, with options that it has, values of the right type, and nothing required left out."""
    if not words or words[0] in ("...", "--help"):
        return
    name = " ".join(words[:2]) if words[0] == "verdicts" and len(words) > 1 else words[0]
    if name == "verdicts ...":
        return
    command, rest = VERBS[name], words[len(name.split()) :]
    if not rest or rest == ["..."]:
        return  # only the verb is named
    assert_parses(command, [word for word in rest if word != "..."])


def assert_parses(command, words: list[str]) -> None:
    try:
        parsed = command.make_context(command.name, list(words))
    except Exception as error:
        if type(error).__name__ == "MissingParameter" and "..." in words:
            return
        raise AssertionError(f"{command.name} {shlex.join(words)}: {error}") from error
    if command.name in ("train", "recommend"):
        parse_assignments(parsed.params.get("settings") or [])


def test_a_wrong_option_in_a_command_is_noticed():
    with pytest.raises(AssertionError, match="such option"):
        check_arguments(["score", "bundle", "file.csv", "--output", "x.parquet"])
    with pytest.raises(AssertionError, match="'fast' is not one of"):
        check_arguments(["train", "file.csv", "--out", "x", "--preset", "fast"])
    with pytest.raises(KeyError):
        check_arguments(["scores", "bundle"])


@pytest.mark.parametrize("file", TEXTS, ids=named)
def test_python_in_the_text_parses_and_imports_what_exists(file):
    for block in fences(file, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ad_core"):
                module = __import__(node.module, fromlist=["*"])
                for alias in node.names:
                    assert hasattr(module, alias.name), f"{node.module} has no {alias.name}"


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch):
    """From opening to loading the saved detector, on the sample that it names."""
    (block,) = fences(ROOT / "README.md", "python")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    names: dict[str, object] = {}

    exec(compile(block, "README.md", "exec"), names)

    assert {"row_id", "score", "percentile", "p_value", "note"} <= set(names["scores"].columns)
    assert (tmp_path / "payments-detector" / "bundle.json").exists()


def test_settings_named_in_the_text_exist():
    """`training.leave_out` in a sentence is a setting of some method."""
    import _generators.methods as methods

    from ad_core.training.fit import TrainingSettings

    known = {f"training.{key}" for key in TrainingSettings.model_fields} | {"encoder.name"}
    for heading, registry in methods.REGISTRIES.items():
        section = methods.SECTIONS.get(heading, "pretext")
        known |= {f"{section}.{key}" for name in registry.names() for key in registry.get(name).Settings.model_fields}
    pattern = re.compile(rf"(?<![\w/.])(?:{'|'.join(SECTIONS)})\.[a-z_]+(?![\w(/])")

    wrong = {
        f"{named(file)}: {name}"
        for file in TEXTS
        for name in pattern.findall(text_of(file))
        if name not in known and not name.endswith((".py", ".md", ".key"))
    }
    assert not wrong


def test_no_page_says_what_it_loads_from_the_network():
    """Pages open without a network: no script, style, font or picture of another host is named in a source."""
    sources = [*TEXTS, *TUTORIALS, *(ROOT / "docs" / "_static").glob("*.css"), ROOT / "docs" / "conf.py"]
    pattern = re.compile(r"<script|<link|<img[^>]+http|@import|url\(\s*['\"]?http|!\[[^\]]*\]\(http")

    assert not [named(file) for file in sources if pattern.search(text_of(file))]


def test_the_application_is_the_one_that_the_reference_describes():
    from ad_core.cli.app import app

    assert set(typer.main.get_command(app).commands) == {name.split()[0] for name in VERBS}


def test_every_page_that_the_code_names_exists():
    """Docstrings and messages that say where to read more."""
    files = [*(ROOT / "ad_core").rglob("*.py"), *(ROOT / "pages").rglob("*.py"), *(ROOT / "docs").rglob("*.py")]
    named_pages = {
        (named(file), page) for file in files for page in re.findall(r"\bdocs/[\w/]+\.md\b", file.read_text("utf-8"))
    }

    assert named_pages
    assert not [(file, page) for file, page in named_pages if not (ROOT / page).exists()]
