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
    "encoders": ENCODERS,
    "pretexts": PRETEXTS,
    "readers": READERS,
    "recipes": RECIPES,
    "references": REFERENCES,
    "scorers": SCORERS,
}

LAYERS = (
    {"pages", "app", "cli", "__main__", "worker", "estimator"},
    {"pipeline", "jobs", "store", "migrations", "figures", "figures_map", "figures_selection"},
    {"explanation", "evaluation", "embedding_map", "profiling", "events", "selection"},
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
    "plotly": {
        "figures",
        "figures_judged",
        "figures_compared",
        "figures_selection",
        "figures_drivers",
        "figures_lanes",
        "figures_map",
    },
    "captum": {"explanation"},
    "umap": {"umap_fit"},
    "sqlalchemy": {"store", "database", "migrations", "verdicts", "thresholds"},
    "alembic": {"database", "migrations"},
    "transformers": {"checkpoints"},
    "subprocess": {"jobs", "processes"},
    "torch.distributed": {"training", "training_loop", "team", "worker"},
}
"""A library and the files that alone know it: to replace it is to change these."""

HEAVY = {"torch", "captum", "umap", "sklearn"}
LIGHT = {
    "types", "settings", "errors", "registry", "reader", "progress",
    "pipeline", "store", "jobs", "figures", "figures_map", "figures_selection", "profiling", "pages", "app",
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
    """`readers` for ad_core.data.readers.images, `pipeline` for ad_core.pipeline, `pages` for any page."""
    parts = module.split(".")
    return parts[1] if parts[0] == "ad_core" and len(parts) > 1 else parts[0]


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


def test_imports_go_down_the_layers():
    level = {name: depth for depth, layer in enumerate(LAYERS) for name in layer}
    unnamed = [name for name in TREES if area(name) not in level]
    wrong = []
    for module in set(TREES) - set(unnamed):
        higher = {name for name in TREES if level.get(area(name), 99) < level[area(module)]}
        if path := chain(module, higher, through=unnamed, late=True):
            wrong.append(f"{' imports '.join(path)}, but {area(path[-1])} is in a layer above {area(module)}.")

    assert not wrong, told(wrong, "Hand the thing in as an argument, or move what both need further down. See LAYERS.")


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
        if area(module) in PLUG_INS
        for name in own_imports(module)
        if area(name) == area(module) and name != f"ad_core.{area(module)}"
    ]

    assert not wrong, told(wrong, "Move what siblings share beside their contract, the singular file.")


def test_libraries_are_known_only_where_they_belong():
    wrong = [
        f"{module}, line {line}, uses {library}, which only {' and '.join(sorted(allowed))} may."
        for library, allowed in ONLY_IN.items()
        for module in TREES
        if area(module) not in allowed
        for name, line in (imports(module) | attributes(module)).items()
        if f"{name}.".startswith(f"{library}.")
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
        if area(module) == "pages"
        for name in own_imports(module)
        if area(name) == "pages" and not f"{name}.".startswith("pages._ui.") and name != "pages"
    ]

    assert not wrong, told(wrong, "Pages are scripts; what two of them need goes to pages/_ui.")


def test_what_every_page_needs_imports_nothing_heavy():
    heavy = {
        module: library for module in TREES for library in imports(module, late=False) if library.split(".")[0] in HEAVY
    }
    wrong = [
        f"{' imports '.join(path)} imports {heavy[path[-1]]}."
        for module in TREES
        if area(module) in LIGHT and (path := chain(module, set(heavy), through=TREES, late=False))
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
    mark = f"{folder.upper()}.register"
    wrong = []
    for module, tree in TREES.items():
        if area(module) != folder or module == f"ad_core.{folder}":
            continue
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        marked = [node.name for node in classes if mark in map(ast.unparse, node.decorator_list)]
        if len(marked) != 1:
            wrong.append(f"{module} has {len(marked)} classes below @{mark}, not one.")
            continue
        stem = module.rpartition(".")[2]
        cls = PLUG_INS[folder].get(stem)
        if (cls.__name__, cls.name) != (marked[0], stem):
            wrong.append(f"{module}: {stem!r} is {cls.__name__} and says that its name is {cls.name!r}.")

    assert not wrong, told(wrong, f"A file is one plug-in, named as the file. All else goes beside {folder[:-1]}.py.")


def test_every_pretext_task_has_a_test_of_its_own():
    folder = ROOT / "tests" / "pretexts"
    wrong = [
        f"There is no tests/pretexts/test_{n}.py." for n in PRETEXTS.names() if not (folder / f"test_{n}.py").exists()
    ]

    assert not wrong, told(
        wrong, "Show there, on a tiny example worked out by hand, that it is what its source describes."
    )


def told(wrong: list[str], advice: str) -> str:
    """What is wrong, one to a line, and what to do."""
    return "\n".join(["", *sorted(wrong), advice])
