"""The reference pages are made from the code; nothing that a user can name may be missing in them."""

import inspect
import re
from importlib import import_module
from typing import ClassVar

import pytest
from _generators import PAGES, environment, methods, rooms, settings, storage, write_all
from _generators.api import PLUGINS
from _generators.cli import commands

import ad_core
from ad_core.settings import Settings
from ad_core.storage.bundle import FORMAT
from ad_core.training.fit import TrainingSettings
from pages._ui.shell.glossary import GLOSSARY
from tests.test_structure import LAYERS

PLUG_INS = [(heading, name) for heading, registry in methods.REGISTRIES.items() for name in registry.names()]


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """Every generated page."""
    return {stem: page() for stem, page in PAGES.items()}


@pytest.mark.parametrize(("heading", "name"), PLUG_INS)
def test_every_plug_in_has_a_card_with_all_its_settings(pages, heading, name):
    section = pages["methods"].split(f"\n## {heading}\n")[1].split("\n## ")[0]
    card = section.split(f"### `{name}`:")[1].split("\n### ")[0]
    cls = methods.REGISTRIES[heading].get(name)
    prefix = methods.SECTIONS.get(heading, "pretext")

    assert cls.title in section
    for key, field in cls.Settings.model_fields.items():
        line = next(line for line in card.splitlines() if line.startswith(f"| `{prefix}.{key}`"))
        assert settings.limits(field) in line
        assert str(field.default) in line


def test_every_registry_of_an_entry_point_group_is_on_the_page():
    """A seventh kind of plug-in would otherwise have no cards."""
    groups = {registry._group for registry in methods.REGISTRIES.values()}
    texts = [path.read_text(encoding="utf-8") for path in (environment.ROOT / "ad_core").rglob("*.py")]

    named = {group for text in texts for group in re.findall(r'"(anomaly_lens\.\w+)"', text)}
    assert named == groups


def test_every_training_setting_is_described(pages):
    for key in TrainingSettings.model_fields:
        assert f"`training.{key}`" in pages["settings"]


def test_every_card_text_of_a_contract_is_shown(pages):
    for heading, contract in methods.CONTRACTS.items():
        cards = pages["methods"].split(f"\n## {heading}\n")[1].split("\n## ")[0]
        declared = [n for n, hint in inspect.get_annotations(contract).items() if hint == ClassVar[str]]
        for text in set(declared) - {"name", "title"}:
            assert f"**{text.capitalize()}:**" in cards


def test_ranges_and_choices_of_a_setting_are_shown():
    from typing import Literal

    from pydantic import Field

    class Toy(Settings):
        share: float = Field(0.3, gt=0, le=0.5, description="A share, as in `a_b`.")
        size: int = Field(32, ge=16, multiple_of=16, description="A [size] * 2.")
        kind: Literal["one", "two"] = Field("one", description="Kind.")

    table = settings.settings_table("toy", Toy).splitlines()[2:]

    assert table == [
        "| `toy.share` | `float` | `0.3` | > 0, ≤ 0.5 | A share, as in `a_b`. |",
        "| `toy.size` | `int` | `32` | ≥ 16, multiple of 16 | A \\[size] \\* 2. |",
        "| `toy.kind` | `one or two` | `one` |  | Kind. |",
    ]


def test_every_verb_and_option_of_the_command_line_is_described(pages):
    verbs = dict(commands())

    assert {"train", "score", "explain", "methods", "verdicts export"} <= set(verbs)
    for name, command in verbs.items():
        section = pages["cli"].split(f"\n## {name}\n")[1].split("\n## ")[0]
        assert command.help.splitlines()[0][:30] in section.replace("\\", "")
        for parameter in command.params:
            for option in [*parameter.opts, *parameter.secondary_opts]:
                shown = option if option.startswith("-") else (parameter.metavar or option.upper())
                assert shown in section, f"{name}: {option}"


def test_every_public_name_is_in_the_api_reference(pages):
    for name in ad_core.__all__:
        assert f"ad_core.{name}" in pages["api"]
    for name in import_module(PLUGINS).__all__:
        assert f"{PLUGINS}.{name}" in pages["plugins"]


def test_every_public_name_has_a_docstring():
    named = [(name, getattr(module, name)) for module in (ad_core, import_module(PLUGINS)) for name in module.__all__]

    assert not [
        name for name, value in named if (inspect.isclass(value) or inspect.isroutine(value)) and not value.__doc__
    ]


def test_every_environment_variable_is_described(pages):
    assert environment.found_in_code() == set(environment.MEANINGS)
    assert all(f"| `{name}` |" in pages["environment"] for name in environment.MEANINGS)


def test_every_column_of_the_database_has_a_meaning(pages):
    columns = {name: set(table.columns.keys()) for name, table in storage.schema()[1].items()}

    assert columns == {name: set(meanings) for name, meanings in storage.COLUMNS.items()}
    assert all(f"\n## {name}\n" in pages["database"] for name in columns)


def test_every_file_of_a_bundle_is_described(pages, tmp_path, trained_on_payments, trained_on_recording):
    for number, trained in enumerate((trained_on_payments, trained_on_recording)):
        trained.detector.save(tmp_path / str(number))
        for file in (tmp_path / str(number)).iterdir():
            assert f"`{file.name}`" in pages["bundle"], file.name
    assert f"format ({FORMAT})" in pages["bundle"]


def test_the_glossary_is_that_of_the_app(pages):
    for word, meaning in GLOSSARY.items():
        assert f"\n{word}\n: {meaning[0].upper()}{meaning[1:]}" in pages["glossary"]


def test_the_map_names_every_layer_with_its_purpose(pages):
    for name in set().union(*LAYERS):
        assert rooms.first_line(name), f"{name} has no docstring"
        assert f"| `{name}` |" in pages["rooms"]


def test_an_unchanged_page_is_not_written_again(tmp_path):
    write_all(tmp_path)
    times = {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    (tmp_path / "cli.md").write_text("old", encoding="utf-8")

    write_all(tmp_path)

    changed = {file.name for file in tmp_path.iterdir() if file.stat().st_mtime_ns != times[file.name]}
    assert changed == {"cli.md"}
    assert len(times) == len(PAGES)
