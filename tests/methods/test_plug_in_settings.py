"""The contracts are generic in a plug-in's settings. Plug-ins of other packages need not name them."""

import inspect
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ad_core.data.reader import READERS, Reader
from ad_core.methods.encoder import ENCODERS, Encoder, build_encoder
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.methods.recipe import RECIPES, Recipe
from ad_core.methods.reference import REFERENCES, Reference
from ad_core.methods.scorer import SCORERS, Scorer, TaskModel
from ad_core.settings import Settings
from ad_core.training.catalogue import methods
from ad_core.types import Draw, Modality
from tests.contracts import items

REGISTRIES = (READERS, ENCODERS, PRETEXTS, RECIPES, REFERENCES, SCORERS)


class HalfSettings(Settings):
    factor: float = 0.5


class Half(Pretext):
    """As a third party wrote it for an earlier version: without a type parameter."""

    title = finds = misses = source = "Half."
    task = "Predict half of the row."
    modalities = frozenset({Modality.TABLE})
    Settings = HalfSettings

    def __init__(self, settings, shape, encoder):
        super().__init__(settings, shape, encoder)
        self.head = nn.Linear(encoder.d, 1)

    def loss(self, batch, draw):
        return self.score(batch.x, draw)

    def score(self, x: Tensor, draw: Draw) -> Tensor:
        return self.settings.factor * self.head(self.encoder(x)).square().sum(1)


class TypedHalf(Pretext[HalfSettings]):
    Settings = HalfSettings

    def __init__(self, settings: HalfSettings, shape, encoder):
        super().__init__(settings, shape, encoder)
        self.head = nn.Linear(encoder.d, 1)

    loss, score = Half.loss, Half.score


class FirstEntry(Scorer):
    title = about = source = "First."
    Settings = HalfSettings

    def forward(self, task, x, draw):
        return self.settings.factor * task.embed(x)[:, 0]


class Range(Reference):
    title = about = source = "Range."
    Settings = HalfSettings

    def fit(self, x: np.ndarray) -> None:
        self.middle = self.settings.factor * (x.min(0) + x.max(0))

    def score(self, x: np.ndarray) -> np.ndarray:
        return np.abs(x - self.middle).sum(1)


def test_plug_ins_without_a_type_parameter_work():
    shape = items.shape(Modality.TABLE)
    task = Half(HalfSettings(), shape, build_encoder("mlp", shape))
    x = torch.randn(5, *shape.size)

    score = TaskModel(task, FirstEntry(HalfSettings(factor=2.0))).eval().score(x)

    torch.testing.assert_close(score, 2 * task.eval().embed(x)[:, 0])
    reference = Range(HalfSettings(), 0)
    reference.fit(x.numpy())
    assert reference.score(x.numpy()).shape == (5,)
    assert Half.encoder_shape(HalfSettings(), shape) == shape
    assert Half.encoder_settings(HalfSettings(), shape) == {}
    for contract in (Reader, Encoder, Recipe):
        assert issubclass(type("Bare", (contract,), {}), contract)


def test_a_type_parameter_changes_no_weights_and_no_names():
    shape = items.shape(Modality.TABLE)
    bare, typed = (cls(HalfSettings(), shape, build_encoder("mlp", shape)) for cls in (Half, TypedHalf))

    typed.load_state_dict(bare.state_dict())

    assert list(typed.state_dict()) == list(bare.state_dict())
    assert {name.split(".")[0] for name in bare.state_dict()} == {"encoder", "head"}


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.kind)
def test_every_built_in_plug_in_names_the_settings_that_it_takes(registry):
    for name in registry.names():
        cls = registry.get(name)
        (parameter,) = [own for base in cls.__orig_bases__ for own in base.__args__]
        assert cls.Settings is parameter, name
        annotation = inspect.signature(cls.__init__).parameters["settings"].annotation
        assert annotation is parameter or getattr(annotation, "__bound__", None) is Settings, name


def test_a_task_that_still_says_asks_is_shown_and_warned_about():
    with pytest.warns(DeprecationWarning, match="Old.asks is now called task"):

        class Old(Half):
            asks = "What was it?"

    assert Old.task == "What was it?"
    with pytest.warns(DeprecationWarning, match="asks is now called task"):
        from_a_package = type("FromAPackage", (Pretext,), {"asks": "Which one?"})
    assert from_a_package.task == "Which one?"


def test_cards_of_pretext_tasks_show_the_task_and_others_have_none():
    tasks = {card.name: card.task for card in methods()}

    assert tasks["rotation"] == "Predict by how many quarter turns the image was rotated."
    assert tasks["isolation_forest"] == ""


@pytest.mark.slow
def test_the_type_checker_knows_a_plug_in_s_settings(tmp_path):
    """`self.settings` has the plug-in's own type, a plug-in fits where any is taken, and a wrong type is found."""
    source = tmp_path / "plug_in.py"
    source.write_text(
        "from ad_core.methods.pretext import Pretext\n"
        "from ad_core.methods.pretexts.masked_cells import MaskedCells, MaskedCellsSettings\n"
        "from ad_core.types import ItemShape\n"
        "def any_task(task: Pretext) -> str: return task.settings.model_dump_json()\n"
        "def own(task: MaskedCells) -> int:\n"
        "    any_task(task)\n"
        "    reveal_type(task.settings)\n"
        "    return task.settings.no_such_setting\n"
        "class Wrong(Pretext[MaskedCellsSettings]):\n"
        "    @classmethod\n"
        "    def encoder_settings(cls, settings: int, shape: ItemShape) -> dict[str, object]: return {}\n"
    )

    found = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), str(source)],
        capture_output=True,
        text=True,
        timeout=600,
    )

    own = [line for line in found.stdout.splitlines() if "plug_in.py" in line]
    assert any('Revealed type is "ad_core.methods.pretexts.masked_cells.MaskedCellsSettings"' in line for line in own)
    assert any('has no attribute "no_such_setting"' in line for line in own)
    assert any('"encoder_settings" is incompatible with supertype' in line for line in own)
    assert not any(":6:" in line for line in own)
