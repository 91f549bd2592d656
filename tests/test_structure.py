"""The project about itself: who may import whom, what is never loaded, and that every plug-in is one file with one class."""

import ast
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

import ad_core
from ad_core.encoder import ENCODERS
from ad_core.pretext import PRETEXTS
from ad_core.reader import READERS
from ad_core.recipe import RECIPES
from ad_core.reference import REFERENCES
from ad_core.registry import Registry
from ad_core.scorer import SCORERS

ROOT = Path(__file__).parent.parent
PLUG_INS = {
    "encoders": ENCODERS, "pretexts": PRETEXTS, "readers": READERS, "recipes": RECIPES, "references": REFERENCES, "scorers": SCORERS,
}  # fmt: skip

LAYERS = (
    {"pages", "app", "cli", "__main__", "worker", "estimator"},
    {"pipeline", "jobs", "store", "migrations", "figures"},
    {"explanation", "evaluation", "embedding_map", "profiling", "events"},
    {"detector", "calibration"},
    {"recipes"},
    {"training"},
    {"scorers", "pretexts", "references", "encoders", "readers"},
    {"recipe", "scorer", "pretext", "reference", "encoder", "reader"},
    {"registry", "settings", "types", "errors", "progress"},
)
"""Top to bottom; imports go down or stay. A file that is not named here belongs to those that import it, and what it
imports counts as theirs."""

ONLY_IN = {
    "streamlit": {"pages", "app"},
    "plotly": {"figures"},
    "captum": {"explanation"},
    "umap": {"embedding_map"},
    "sqlalchemy": {"store", "database", "migrations"},
    "alembic": {"database", "migrations"},
    "subprocess": {"jobs", "processes"},
    "torch.distributed": {"training", "training_loop", "team", "worker"},
}
"""A library and the files that alone know it: to replace it is to change these."""

HEAVY = {"torch", "captum", "umap", "sklearn"}
LIGHT = {
    "types", "settings", "errors", "registry", "reader", "progress", "pipeline", "store", "jobs", "figures", "profiling",
    "pages", "app",
}  # fmt: skip
"""What the app needs for every page: it must start within seconds, so heavy libraries are imported inside functions."""

UNSAFE = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}
UNSAFE_CALLS = {"torch.load", "torch.save", "joblib.load", "joblib.dump"}
UNSAFE_METHODS = {"read_pickle", "to_pickle"}


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {
    _name(path): ast.parse(path.read_text(encoding="utf-8"), str(path))
    for path in (*(ROOT / "ad_core").rglob("*.py"), *(ROOT / "pages").rglob("*.py"), ROOT / "app.py")
    if path.exists()
}


def area(module: str) -> str:
    """`readers` for ad_core.readers.images, `pipeline` for ad_core.pipeline, `pages` for any page."""
    parts = module.split(".")
    return parts[1] if parts[0] == "ad_core" and len(parts) > 1 else parts[0]


def run_time_nodes(tree: ast.AST, *, late: bool) -> Iterator[ast.AST]:
    """All nodes but those under `if TYPE_CHECKING:`; without `late` also without the bodies of functions."""
    queue = deque([tree])
    while queue:
        node = queue.popleft()
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            queue.extend(node.orelse)
        elif late or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            queue.extend(ast.iter_child_nodes(node))


def imports(module: str, *, late: bool = True) -> dict[str, int]:
    """Dotted name of everything that a module imports at run time -> line. `from a import b` gives a and a.b."""
    found: dict[str, int] = {}
    for node in run_time_nodes(TREES[module], late=late):
        if isinstance(node, ast.Import):
            found |= {alias.name: node.lineno for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}, line {node.lineno}: write the import with its full name, from ad_core..."
            found[str(node.module)] = node.lineno
            found |= {f"{node.module}.{alias.name}": node.lineno for alias in node.names}
    return found


def own_imports(module: str, *, late: bool = True) -> dict[str, int]:
    """The modules of this project among them; the lazy names of the package stand for their homes."""
    lazy = {f"ad_core.{name}": home for name, home in ad_core._HOME_OF.items()}
    found = {lazy.get(name, name): line for name, line in imports(module, late=late).items()}
    return {name: line for name, line in found.items() if name in TREES and name not in ("ad_core", module)}


def chain(start: str, ends: set[str], *, late: bool, through: set[str] | None = None) -> list[str]:
    """The shortest chain of imports from a module to one of the ends, or nothing."""
    came_from: dict[str, str] = {start: ""}
    queue = deque([start])
    while queue:
        module = queue.popleft()
        if module in ends and module != start:
            path = [module]
            while came_from[path[0]]:
                path.insert(0, came_from[path[0]])
            return path
        if module == start or through is None or module in through:
            for name in own_imports(module, late=late):
                if name not in came_from:
                    came_from[name] = module
                    queue.append(name)
    return []


@pytest.mark.parametrize("module", sorted(TREES))
def test_imports_go_down_the_layers(module):
    level = {name: depth for depth, layer in enumerate(LAYERS) for name in layer}
    if area(module) not in level:
        return  # checked through those that import it
    higher = {name for name in TREES if level.get(area(name), 99) < level[area(module)]}
    unnamed = {name for name in TREES if area(name) not in level}

    path = chain(module, higher, late=True, through=unnamed)

    assert not path, (
        f"{' imports '.join(path)}, but {area(path[-1])} is in a layer above {area(module)} (LAYERS in {Path(__file__).name}). "
        f"Hand the thing in as an argument, or move what both need further down."
    )


@pytest.mark.parametrize("module", sorted(TREES))
def test_no_module_imports_itself_in_a_circle(module):
    path = chain_back(module)

    assert not path, f"A circle of imports: {' imports '.join(path)}. Move what they share into a file below both."


def chain_back(module: str) -> list[str]:
    for name in own_imports(module):
        if path := chain(name, {module}, late=True):
            return [module, *path]
    return []


@pytest.mark.parametrize("module", sorted(name for name in TREES if area(name) in PLUG_INS))
def test_plug_ins_do_not_know_their_siblings(module):
    siblings = {name for name in TREES if area(name) == area(module) and name.count(".") > 1} - {module}

    known = siblings & set(own_imports(module))

    assert not known, (
        f"{module} imports its sibling {', '.join(known)}. Move what they share beside the contract {area(module)[:-1]}.py."
    )


@pytest.mark.parametrize("module", sorted(TREES))
def test_libraries_are_known_only_where_they_belong(module):
    for library, allowed in ONLY_IN.items():
        for name, line in (imports(module) | _attributes(module)).items():
            if name == library or name.startswith(f"{library}."):
                assert area(module) in allowed, (
                    f"{module}, line {line}, uses {library}, which only {' and '.join(sorted(allowed))} may. Call them instead."
                )


@pytest.mark.parametrize("module", sorted(name for name in TREES if name.startswith("ad_core")))
def test_the_library_knows_no_page(module):
    pages = [name for name in imports(module) if name.split(".")[0] in ("pages", "app")]

    assert not pages, f"{module} imports {pages[0]}: ad_core works without the app."


@pytest.mark.parametrize("module", sorted(name for name in TREES if name.startswith("pages")))
def test_pages_share_only_what_is_in_their_ui_folder(module):
    other = [name for name in own_imports(module) if area(name) == "pages" and name not in ("pages", "pages._ui")]
    other = [name for name in other if not name.startswith("pages._ui.")]

    assert not other, (
        f"{module} imports {', '.join(other)}. Pages are scripts; what two of them need goes to pages/_ui."
    )


@pytest.mark.parametrize("module", sorted(name for name in TREES if area(name) in LIGHT))
def test_what_every_page_needs_imports_nothing_heavy(module):
    heavy = {
        name: found[0]
        for name in TREES
        if (found := [library for library in imports(name, late=False) if library.split(".")[0] in HEAVY])
    }
    path = [module] if module in heavy else chain(module, set(heavy), late=False)

    assert not path, (
        f"Importing {module} imports {heavy[path[-1]]} ({' -> '.join(path)}), which costs seconds at every start of the app. "
        f"Import it inside the function that needs it."
    )


@pytest.mark.parametrize("module", sorted(TREES))
def test_no_pickle_is_ever_loaded_or_written(module):
    advice = "A pickle runs whatever code its writer chose. Use safetensors, JSON or Parquet."
    for name, line in imports(module).items():
        assert name.split(".")[0] not in UNSAFE, f"{module}, line {line}, imports {name}. {advice}"
    for name, line in _attributes(module).items():
        unsafe = name in UNSAFE_CALLS or name.rpartition(".")[2] in UNSAFE_METHODS
        assert not unsafe, f"{module}, line {line}, uses {name}. {advice}"
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            safe = isinstance(node.value, ast.Constant) and node.value.value is False
            assert safe, f"{module}, line {node.value.lineno}, allows pickles. {advice}"


def _attributes(module: str) -> dict[str, int]:
    """`torch.distributed.barrier` and the like, and its beginnings, as written -> line."""
    nodes = (node for node in ast.walk(TREES[module]) if isinstance(node, ast.Attribute))
    return {ast.unparse(node): node.lineno for node in nodes}


@pytest.mark.parametrize("folder", sorted(PLUG_INS))
def test_every_file_of_a_plural_folder_registers_one_class_of_its_name(folder):
    registry: Registry[object] = PLUG_INS[folder]
    for module, tree in TREES.items():
        if area(module) != folder or module == f"ad_core.{folder}":
            continue
        registered = [
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
            and any(ast.unparse(mark) == f"{folder.upper()}.register" for mark in node.decorator_list)
        ]
        stem = module.rpartition(".")[2]
        assert len(registered) == 1, (
            f"{module} registers {len(registered)} classes {registered}; a file here is one plug-in: one class below "
            f"@{folder.upper()}.register. Anything else goes beside the contract {folder[:-1]}.py."
        )
        cls = registry.get(stem)
        assert (cls.__name__, cls.name) == (registered[0], stem), f"{module}: {stem!r} is {cls!r}, named {cls.name!r}."  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", PRETEXTS.names())
def test_every_pretext_task_has_a_test_of_its_own(name):
    path = ROOT / "tests" / "pretexts" / f"test_{name}.py"

    assert path.exists(), (
        f"The pretext task {name!r} has no {path.relative_to(ROOT)}. The contract tests see that it behaves; write there, on a "
        f"tiny example worked out by hand, that it is the task that its source describes."
    )
