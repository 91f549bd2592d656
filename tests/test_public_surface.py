"""What is public: two lists of names, and the old paths that still lead to them."""

import ast
import inspect
import subprocess
import sys
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest
from packaging.version import Version

import ad_core
import ad_core.old_paths
from ad_core import plugins
from ad_core.old_paths import REMOVED_IN
from tests.test_registry import distribution, python

ROOT = Path(ad_core.__file__).parent

FOR_USERS = {
    *("open_dataset", "train", "load_detector", "Detector", "AnomalyDetector", "Rule", "__version__"),
    *("AdError", "DataError", "SettingsError", "MethodError", "BundleError", "ExplanationError"),
    *("StoreError", "ResourceError", "Cancelled"),
}
FOR_AUTHORS = {
    *("Pretext", "PRETEXTS", "Scorer", "SCORERS", "Reference", "REFERENCES"),
    *("Reader", "READERS", "Recipe", "RECIPES", "Encoder", "ENCODERS"),
    *("Settings", "Batch", "Draw", "ItemShape", "Modality", "Parts", "PartKind", "TrainingRows", "JudgedBy"),
    *("ItemSet", "Split", "Dataset", "Declared", "Schema", "Column", "Role", "ColumnKind", "row_ids", "fingerprint_of"),
    *("TrainingProgress", "TensorGroup", "SourceItems", "build_encoder", "flat", "whole_windows"),
    *("ScoreModel", "TaskModel", "ReferenceModel", "Fitted", "HeldOut", "Report"),
}

PLUG_IN = """
from ad_core.encoder import Encoder
from ad_core.pretext import PRETEXTS, Pretext, Progress
from ad_core.types import Frame, Modality
from ad_core.settings import Settings

class DistanceSettings(Settings):
    pass

@PRETEXTS.register
class Distance(Pretext):
    title, source = "Distance from the origin", "own"
    asks, finds, misses = "How far are you from the origin?", "far rows", "near rows"
    modalities = frozenset({Modality.TABLE})
    Settings = DistanceSettings

    def __init__(self, settings, shape, encoder: Encoder):
        super().__init__(settings, shape, encoder)

    def loss(self, batch, draw):
        return self.encoder(batch.x).square().mean(1)

    def score(self, x, draw):
        return x.square().sum(1)

    def enough(self, progress: Progress) -> bool:
        return progress.step >= 3
"""


def test_the_public_lists_are_exactly_these():
    assert sorted(ad_core.__all__) == sorted(FOR_USERS)
    assert sorted(plugins.__all__) == sorted(FOR_AUTHORS)


@pytest.mark.parametrize(
    ("module", "name"),
    [*(("ad_core", name) for name in sorted(FOR_USERS)), *(("ad_core.plugins", name) for name in sorted(FOR_AUTHORS))],
)
def test_every_public_name_imports_and_is_explained(module, name):
    value = getattr(import_module(module), name)

    if inspect.isclass(value) or inspect.isfunction(value):
        assert (value.__doc__ or "").strip()
        assert not value.__doc__.startswith(f"{name}(")  # what a dataclass writes by itself
    elif name != "__version__":
        assert described(name)


def described(name: str) -> bool:
    """Whether a string follows the assignment of a module's constant."""
    for path in (ROOT / "types.py", *(ROOT / "methods").glob("*.py"), ROOT / "data" / "reader.py"):
        body = ast.parse(path.read_text()).body
        for node, after in pairwise(body):
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            if name in [getattr(target, "id", "") for target in targets]:
                return isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
    return False


def test_importing_the_package_costs_nothing():
    script = "import sys, ad_core; print(*[name for name in sys.modules if name.startswith(('ad_core', 'numpy'))])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["ad_core"]


def test_the_root_of_the_package_stays_small():
    assert len(list(ROOT.glob("*.py"))) <= 12


OLD = {
    "ad_core.pretext": "PRETEXTS Pretext Progress TensorGroup",
    "ad_core.scorer": "SCORERS SCORE_SEED ScoreModel Scorer TaskModel finest_scores",
    "ad_core.reference": "MAX_FIT_NUMBERS MAX_FIT_ROWS REFERENCES Reference ReferenceModel fitting_rows flat flat_rows "
    "whole_windows",
    "ad_core.reader": "Column Dataset Declared HASHED_AT_A_TIME Kind READERS Reader Role Schema fingerprint_of row_ids",
    "ad_core.recipe": "Fitted HeldOut RECIPES Recipe",
    "ad_core.encoder": "DEFAULT_ENCODER ENCODERS Encoder EncoderChoice build_encoder",
    "ad_core.types": "Frame Judged Split",
    "ad_core.detector": "Detector Normals",
    "ad_core.training": "PRESETS TrainingSettings TrainingSummary build_model choose_device embed_items fit_reference "
    "fit_task_model per_item score_items train_task training_settings",
    "ad_core.evaluation": "evaluate evaluate_recordings precision_at",
    "ad_core.jobs": "JobState cancel devices find_lost rerun slot start_next state submit",
}


@pytest.mark.parametrize(("module", "name"), [(path, name) for path, names in OLD.items() for name in names.split()])
def test_an_old_path_gives_the_object_and_a_warning_with_the_new_one(module, name):
    text = rf"{module}\.{name} has moved to (\S+); .* removed in 0\.3\.0"
    with pytest.warns(DeprecationWarning, match=text) as record:
        value = getattr(import_module(module), name)

    home, _, new = str(record[0].message).split(" has moved to ")[1].split(";")[0].rpartition(".")
    assert getattr(import_module(home), new) is value
    assert record[0].filename == __file__
    assert home == "ad_core.plugins" or new not in FOR_AUTHORS


def test_a_name_that_an_old_path_never_had_is_missing_as_anywhere():
    with pytest.raises(ImportError, match="cannot import name 'Nothing'"):
        from ad_core.pretext import Nothing  # noqa: F401
    assert not hasattr(import_module("ad_core.detector"), "Nothing")


def test_the_old_command_line_path_is_the_new_one():
    from ad_core.cli import main

    assert main is import_module("ad_core.cli.app").main


def test_old_paths_are_gone_when_their_release_comes():
    assert Version(ad_core.__version__) < Version(REMOVED_IN), "Delete ad_core/old_paths as its docstring says."


@pytest.mark.parametrize("is_old", [True, False])
def test_a_plug_in_of_another_package_works_by_old_paths_with_a_warning_and_by_new_ones_without(
    is_old, tmp_path, payments_file
):
    new = PLUG_IN.replace("ad_core.encoder", "ad_core.plugins").replace("ad_core.pretext", "ad_core.plugins")
    new = new.replace("ad_core.types", "ad_core.plugins").replace("ad_core.settings", "ad_core.plugins")
    new = new.replace("Progress", "TrainingProgress").replace("Frame", "ItemSet")
    points = "[anomaly_lens.pretexts]\ndistance_from_origin = outside.distance:Distance\n"
    distribution(tmp_path, "outside", points, distance=PLUG_IN if is_old else new)
    options = (str(payments_file), "--id", "payment", "--label", "is_fraud", "--preset", "quick")

    done = python(
        tmp_path, "-W", "default::DeprecationWarning:outside.distance", "-m", "ad_core", "train", *options,
        "--pretext", "distance_from_origin", "--out", str(tmp_path / "bundle"),
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "distance_from_origin trained on" in done.stdout
    warned = [line for line in done.stderr.splitlines() if "DeprecationWarning" in line]
    if is_old:
        assert any("ad_core.pretext.Progress has moved to ad_core.plugins.TrainingProgress" in line for line in warned)
        assert any("outside/distance.py" in line for line in warned)
    else:
        assert not warned
