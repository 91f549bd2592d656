"""What several verbs take is declared once, and means the same to each."""

from dataclasses import fields

import pandas as pd
import pytest
import typer

from ad_core.cli.app import app
from ad_core.cli.options import DataOptions
from ad_core.data.dataset import Role
from tests.data.files.workbooks import workbook

VERBS = typer.main.get_command(app).commands
ON_DATA = ("train", "recommend")


def options_of(verb: str, *arguments: object) -> DataOptions:
    """The data options that a verb hands over for these arguments."""
    context = VERBS[verb].make_context(verb, list(map(str, arguments)))
    return DataOptions(**{field.name: context.params[field.name] for field in fields(DataOptions)})


def test_training_and_recommending_have_every_data_option():
    names = {field.name for field in fields(DataOptions)}

    declared = {
        verb: {p.name: (sorted(p.opts), p.help) for p in VERBS[verb].params if p.name in names} for verb in ON_DATA
    }

    assert set(declared["train"]) == names
    assert declared["train"] == declared["recommend"]
    assert "settings" in {p.name for p in VERBS["recommend"].params}


@pytest.mark.parametrize("verb", ON_DATA)
def test_data_are_opened_as_the_options_say(verb, tmp_path):
    file = tmp_path / "lines.csv"
    clock = pd.date_range("2026-01-01", periods=200, freq="h").astype(str)
    pd.DataFrame(
        {
            "id": [f"r{i}" for i in range(200)],
            "at": [*clock[:100], *clock[:100]],
            "line": ["a"] * 100 + ["b"] * 100,
            "product": ["x", "y"] * 100,
            "heat": [(i * 13) % 101 for i in range(200)],
            "force": [i % 7 for i in range(200)],
            "speed": [i % 5 for i in range(200)],
            "spare": 1.5,
            "broken": [0, 1] * 100,
        }
    ).to_csv(file, index=False)
    extra = () if verb == "recommend" else ("--out", tmp_path / "bundle")

    dataset = options_of(
        verb, file, *extra, "--id", "id", "--label", "broken", "--class-column", "product", "--ignore", "spare",
        "--time", "at", "--entity", "line", "--only", "product=x", "--exclude", "2026-01-02..2026-01-02@a",
        "--by-level", "heat", "--by-level", "force", "--by-shape", "speed", "--by-shape", "force",
    ).open()  # fmt: skip

    roles = {column.name: column.role for column in dataset.schema.columns}
    assert roles == {
        "id": Role.ID, "at": Role.TIME, "line": Role.ENTITY, "product": Role.CLASS, "spare": Role.IGNORE,
        "broken": Role.LABEL, "heat": Role.FEATURE, "force": Role.FEATURE, "speed": Role.FEATURE,
    }  # fmt: skip
    judged = {column.name: column.judged_by for column in dataset.schema.columns if column.judged_by}
    assert judged == {"heat": "level", "force": "both", "speed": "shape"}
    assert dataset.is_training.sum() == 88  # every other row of 200, without 12 of the 24 that are excluded


def test_settings_of_one_method_are_refused_where_many_are_tried(payments_file):
    from ad_core.errors import SettingsError

    with pytest.raises(SettingsError, match="settings of the section reader only, not of training"):
        app(["recommend", str(payments_file), "--set", "training.max_steps=3"], standalone_mode=False)


def test_recommending_reads_the_data_by_the_reader_settings_given(payments_file):
    from ad_core.errors import SettingsError

    with pytest.raises(SettingsError, match=r"no setting reader\.no_such"):
        app(["recommend", str(payments_file), "--set", "reader.no_such=3"], standalone_mode=False)


@pytest.mark.parametrize("verb", ON_DATA)
def test_where_the_table_is_can_be_said(verb, tmp_path):
    rows = [[f"b{i}", i / 7] for i in range(30)]
    sheets = {
        "Jan": [["x", "y"], ["batch", "heat"], *rows],
        "Feb": [["x", "y"], ["batch", "heat"], *rows, ["Total", 9]],
    }
    file = workbook(tmp_path / "lines.xlsx", sheets)
    extra = () if verb == "recommend" else ("--out", tmp_path / "bundle")

    dataset = options_of(verb, file, *extra, "--sheet", "Feb", "--header", 2, "--every-line").open()

    assert list(dataset.data.columns) == ["batch", "heat"]
    assert len(dataset) == 31
    assert "Sheet 'Feb' of lines.xlsx was read, one of 2." in dataset.notices


def test_every_verb_that_reads_new_data_takes_a_sheet():
    for verb in ("score", "explain", "evaluate", "whatif", "counterfactual"):
        assert "sheet" in {parameter.name for parameter in VERBS[verb].params}, verb
