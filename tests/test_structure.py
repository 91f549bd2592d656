"""The project about itself: who may import whom, what is never loaded, and one class in one file per plug-in."""

import ast
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import ad_core
from ad_core.data.reader import READERS
from ad_core.methods.encoder import ENCODERS
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.recipe import RECIPES
from ad_core.methods.reference import REFERENCES
from ad_core.methods.scorer import SCORERS
from ad_core.registry import Registry

ROOT = Path(__file__).parent.parent
PLUG_INS: dict[str, Registry] = {
    "ad_core.data.readers": READERS,
    "ad_core.methods.encoders": ENCODERS,
    "ad_core.methods.pretexts": PRETEXTS,
    "ad_core.methods.references": REFERENCES,
    "ad_core.methods.scorers": SCORERS,
    "ad_core.recipes": RECIPES,
}
"""The folder of each kind of plug-in, and its registry."""

LAYERS = (
    {
        "ad_core.errors",
        "ad_core.settings",
        "ad_core.registry",
        "ad_core.types",
        "ad_core.progress",
        "ad_core.devices",
        "ad_core.theme",
        "ad_core.old_paths",
    },
    {"ad_core.data"},
    {"ad_core.methods"},
    {"ad_core.training"},
    {"ad_core.recipes"},
    {"ad_core.alerts"},
    {"ad_core.storage"},
    {"ad_core.detector"},
    {"ad_core.evaluation"},
    {"ad_core.projection"},
    {"ad_core.explain"},
    {"ad_core.review"},
    {"ad_core.pipeline"},
    {"ad_core.jobs"},
    {"ad_core.cli", "ad_core.estimator", "ad_core.plugins", "ad_core.__main__"},
    {"pages._ui.shell"},
    {"pages._ui.verdicts"},
    {"pages._ui.data", "pages._ui.train", "pages._ui.alerts", "pages._ui.map", "pages._ui.evaluate"},
    {"pages._ui.explain"},
    {"pages._ui.review"},
    {"pages.main", "pages.prepare", "pages.model", "pages.investigate", "pages.operate", "app"},
)
"""Files and folders from the ground up, in the order in which data flow: a file imports from its own layer or from one
before it. `ad_core/__init__.py` alone has no layer: it names what others offer and imports it when it is asked for."""

ONLY_IN = {
    "streamlit": {"pages", "app"},
    "plotly": {
        "ad_core.theme",
        "ad_core.alerts.figures",
        "ad_core.alerts.figures_events",
        "ad_core.data.figures",
        "ad_core.evaluation.figures",
        "ad_core.evaluation.figures_runs",
        "ad_core.explain.figures",
        "ad_core.explain.figures_global",
        "ad_core.projection.figures",
        "ad_core.training.figures",
        "ad_core.training.selection.figures",
    },
    "captum": {"ad_core.explain.attribution"},
    "tifffile": {"ad_core.data.files.tiff_files"},
    "umap": {"ad_core.projection.umap_fit"},
    "sqlalchemy": {
        "ad_core.storage.database",
        "ad_core.storage.datasets",
        "ad_core.storage.deletion",
        "ad_core.storage.migrations",
        "ad_core.storage.runs",
        "ad_core.storage.schema",
        "ad_core.storage.store",
        "ad_core.storage.verdicts",
        "ad_core.storage.saved_thresholds",
    },
    "alembic": {"ad_core.storage.database", "ad_core.storage.migrations"},
    "transformers": {"ad_core.methods.networks.checkpoints"},
    "subprocess": {"ad_core.jobs.processes"},
    "torch.distributed": {"ad_core.training.distributed"},
}
"""A library and the files and folders that alone know it: to replace it is to change these."""

HEAVY = {"torch", "captum", "umap", "sklearn"}
LIGHT = {
    "ad_core.types",
    "ad_core.settings",
    "ad_core.errors",
    "ad_core.registry",
    "ad_core.progress",
    "ad_core.theme",
    "ad_core.old_paths",
    "ad_core.data.dataset",
    "ad_core.data.item_set",
    "ad_core.data.reader",
    "ad_core.data.profiling",
    "ad_core.data.figures",
    "ad_core.alerts.figures",
    "ad_core.training.figures",
    "ad_core.training.catalogue",
    "ad_core.training.method_list",
    "ad_core.explain.figures",
    "ad_core.projection.figures",
    "ad_core.training.selection.figures",
    "ad_core.storage",
    "ad_core.pipeline",
    "ad_core.jobs.queue",
    "ad_core.cli",
    "pages",
    "app",
}
"""What the app needs for every page, and the command line for its help: both must start within seconds, so heavy
libraries are imported inside functions."""

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


def within(module: str, names: Iterable[str]) -> str | None:
    """The one of these files and folders that a module is, or lies in."""
    return next((name for name in names if f"{module}.".startswith(f"{name}.")), None)


@cache
def layer(module: str) -> int:
    """Position of a module's layer, from the ground up."""
    return next(at for at, names in enumerate(LAYERS) if within(module, names))


def run_time_nodes(tree: ast.AST, late: bool) -> Iterator[ast.AST]:
    """All nodes but those under `if TYPE_CHECKING:`; without `late` also without the bodies of functions."""
    queue = deque([tree])
    while queue:
        node = queue.popleft()
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            queue.extend(node.orelse)
        elif late or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            queue.extend(ast.iter_child_nodes(node))


@cache
def imports(module: str, late: bool = True) -> dict[str, int]:
    """Dotted name of everything that a module imports at run time -> line. `from a import b` gives a and a.b."""
    found: dict[str, int] = {}
    for node in run_time_nodes(TREES[module], late):
        if isinstance(node, ast.Import):
            found |= {alias.name: node.lineno for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}, line {node.lineno}: write the import with its full name, from ad_core..."
            found[str(node.module)] = node.lineno
            found |= {f"{node.module}.{alias.name}": node.lineno for alias in node.names}
    return found


@cache
def own_imports(module: str, late: bool = True) -> tuple[str, ...]:
    """The modules of this project among them; the lazy names of the package stand for their homes."""
    lazy = {f"ad_core.{name}": home for name, home in ad_core._HOME_OF.items()}
    found = {lazy.get(name, name) for name in imports(module, late)}
    return tuple(sorted(name for name in found if name in TREES and name not in ("ad_core", module)))


def uses(module: str, library: str) -> list[int]:
    """Lines in which a module names a library."""
    return [line for name, line in (imports(module) | attributes(module)).items() if within(name, [library])]


@cache
def attributes(module: str) -> dict[str, int]:
    """`torch.distributed.barrier`, and `torch.distributed`, as written -> line."""
    found: dict[str, int] = {}
    for node in ast.walk(TREES[module]):
        names, at = [], node
        while isinstance(at, ast.Attribute):
            names.append(at.attr)
            at = at.value
        if names:
            names.append(at.id if isinstance(at, ast.Name) else "")
            found[".".join(reversed(names))] = node.lineno
    return found


def chain(start: str, ends: set[str], through: Iterable[str], late: bool) -> list[str]:
    """The shortest chain of imports from a module to one of the ends, or nothing."""
    came_from: dict[str, str] = {start: ""}
    queue, through = deque([start]), {start, *through}
    while queue:
        module = queue.popleft()
        if module in ends:
            path = [module]
            while came_from[path[0]]:
                path.insert(0, came_from[path[0]])
            return path
        for name in own_imports(module, late) if module in through else ():
            if name not in came_from:
                came_from[name] = module
                queue.append(name)
    return []


def test_every_file_has_exactly_one_layer():
    places = [name for names in LAYERS for name in names]
    wrong = [
        f"{module} has {len(found)} layers: {', '.join(found)}."
        for module in TREES
        if module not in ("ad_core", "pages")
        if len(found := [name for name in places if within(module, [name])]) != 1
    ]

    assert not wrong, told(wrong, "Name it, or its folder, once in LAYERS.")


def test_every_name_in_these_lists_exists():
    """A name that was misspelt or has moved would make a rule about it hold without looking at anything."""
    lists = {"LAYERS": set().union(*LAYERS), "LIGHT": LIGHT, "PLUG_INS": set(PLUG_INS)}
    lists |= {f"ONLY_IN[{library!r}]": names for library, names in ONLY_IN.items()}
    wrong = [
        f"{name}, named in {of}, does not exist."
        for of, names in lists.items()
        for name in names
        if not any(within(module, [name]) for module in TREES)
    ]
    unused = [
        f"{name} may use {library} but does not."
        for library, names in ONLY_IN.items()
        for name in names
        if not any(uses(module, library) for module in TREES if within(module, [name]))
    ]

    assert not wrong + unused, told(wrong + unused, "Correct or remove the name.")


def test_imports_go_down_the_layers():
    wrong = [
        f"{module} imports {name}, which is in a layer above it."
        for module in TREES
        if module not in ("ad_core", "pages")
        for name in own_imports(module)
        if layer(name) > layer(module)
    ]

    assert not wrong, told(wrong, "Hand the thing in as an argument, or move what both need further down. See LAYERS.")


def test_tests_lie_in_the_room_of_what_they_test():
    own = {"benchmarks", "browser", "contracts", "docs", "fuzz", "pages", "sample_data"}
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    wrong = [
        f"tests/{folder} mirrors no folder of ad_core."
        for folder in folders
        if folder.parts and folder.parts[0] not in own and not (ROOT / "ad_core" / folder).is_dir()
    ]

    assert not wrong, told(wrong, "Move the tests to the folder that has the name of what they test.")


def test_no_module_imports_itself_in_a_circle():
    try:
        TopologicalSorter({module: own_imports(module) for module in TREES}).prepare()
    except CycleError as error:
        circle = " imported by ".join(error.args[1])
        pytest.fail(f"A circle of imports: {circle}. Move what they share into a file below both.")


def test_plug_ins_do_not_know_their_siblings():
    wrong = [
        f"{module} imports {name}."
        for module in TREES
        if (folder := within(module, PLUG_INS))
        for name in own_imports(module)
        if within(name, [folder]) and name != folder
    ]

    assert not wrong, told(wrong, "Move what siblings share beside their contract, the singular file.")


def test_libraries_are_known_only_where_they_belong():
    wrong = [
        f"{module}, line {line}, uses {library}, which only {' and '.join(sorted(allowed))} may."
        for library, allowed in ONLY_IN.items()
        for module in TREES
        if not within(module, allowed)
        for line in uses(module, library)
    ]

    assert not wrong, told(wrong, "Call those instead. See ONLY_IN.")


def test_the_library_knows_no_page():
    wrong = [
        f"{module}, line {line}, imports {name}."
        for module in TREES
        if module.split(".")[0] == "ad_core"
        for name, line in imports(module).items()
        if name.split(".")[0] in ("pages", "app")
    ]

    assert not wrong, told(wrong, "ad_core works without the app: hand in what it needs.")


def test_pages_share_only_what_is_in_their_ui_folder():
    wrong = [
        f"{module} imports {name}."
        for module in TREES
        if within(module, ["pages"])
        for name in own_imports(module)
        if within(name, ["pages"]) and not within(name, ["pages._ui"]) and name != "pages"
    ]

    assert not wrong, told(wrong, "Pages are scripts; what two of them need goes to pages/_ui.")


def test_what_every_page_needs_imports_nothing_heavy():
    heavy = {
        module: library for module in TREES for library in imports(module, late=False) if library.split(".")[0] in HEAVY
    }
    wrong = [
        f"{' imports '.join(path)} imports {heavy[path[-1]]}."
        for module in TREES
        if within(module, LIGHT) and (path := chain(module, set(heavy), through=TREES, late=False))
    ]

    assert not wrong, told(
        wrong, "That costs seconds at every start of the app: import inside the function. See LIGHT."
    )


def tensors_only(tree):
    """Whether every call of torch.load in a module refuses all but tensors: weights of other packages come so."""
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == "torch.load"]
    return all(any(ast.unparse(k) == "weights_only=True" for k in call.keywords) for call in calls)


def test_no_pickle_is_ever_loaded_or_written():
    wrong = []
    for module, tree in TREES.items():
        for name, line in (imports(module) | attributes(module)).items():
            if name == "torch.load" and tensors_only(tree):
                continue
            imported = name in imports(module) and name.split(".")[0] in UNSAFE
            if imported or name in UNSAFE_CALLS or name.split(".")[-1] in UNSAFE_METHODS:
                wrong.append(f"{module}, line {line}, uses {name}.")
        wrong += [
            f"{module}, line {node.value.lineno}, allows pickles."
            for node in ast.walk(tree)
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle"
            if not (isinstance(node.value, ast.Constant) and node.value.value is False)
        ]

    assert not wrong, told(wrong, "A pickle runs whatever its writer chose. Use safetensors, JSON or Parquet.")


@pytest.mark.parametrize("folder", sorted(PLUG_INS))
def test_every_file_of_a_plural_folder_registers_one_class_of_its_name(folder):
    plural = folder.rpartition(".")[2]
    mark = f"{plural.upper()}.register"
    wrong, seen = [], 0
    for module, tree in TREES.items():
        if not within(module, [folder]) or module == folder:
            continue
        seen += 1
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        marked = [node.name for node in classes if mark in map(ast.unparse, node.decorator_list)]
        if len(marked) != 1:
            wrong.append(f"{module} has {len(marked)} classes below @{mark}, not one.")
            continue
        stem = module.rpartition(".")[2]
        cls = PLUG_INS[folder].get(stem)
        if (cls.__name__, cls.name) != (marked[0], stem):
            wrong.append(f"{module}: {stem!r} is {cls.__name__} and says that its name is {cls.name!r}.")

    assert seen
    assert not wrong, told(wrong, f"A file is one plug-in, named as the file. All else goes beside {plural}.")


def test_every_pretext_task_has_a_test_of_its_own():
    folder = "tests/methods/pretexts"
    wrong = [
        f"There is no {folder}/test_{n}.py." for n in PRETEXTS.names() if not (ROOT / folder / f"test_{n}.py").exists()
    ]

    assert not wrong, told(
        wrong, "Show there, on a tiny example worked out by hand, that it is what its source describes."
    )


def told(wrong: list[str], advice: str) -> str:
    """What is wrong, one to a line, and what to do."""
    return "\n".join(["", *sorted(wrong), advice])
