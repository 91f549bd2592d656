"""The recommendation from a data set on, and its verb."""

import json

import pytest
from typer.testing import CliRunner

from ad_core import pipeline
from ad_core.cli.app import app
from ad_core.errors import MethodError
from ad_core.training.selection.recommend import candidates_for, recommend
from ad_core.training.selection.recommendation import Recommendation
from ad_core.types import Modality
from tests.conftest import payments, plates

FEW = {"seeds": 1, "items": 100, "synthetic": 40, "steps": 10}
THREE = ("balanced", "masked_cells", "isolation_forest")


@pytest.mark.parametrize(
    ("modality", "some"),
    [
        (Modality.TABLE, {"balanced", "masked_cells", "gaussian_mixture"}),
        (Modality.IMAGE, {"balanced", "cutpaste", "patch_gaussian"}),
        (Modality.SENSOR, {"balanced", "masked_window", "seasonal_naive"}),
    ],
)
def test_every_fitting_method_can_be_tried_and_auto_is_none_of_them(modality: Modality, some: set[str]) -> None:
    names = {candidate.name for candidate in candidates_for(modality)}

    assert some <= names
    assert "auto" not in names


def test_a_method_of_another_kind_of_data_is_named() -> None:
    with pytest.raises(MethodError, match="'rotation' can't be tried on table data"):
        candidates_for(Modality.TABLE, ("rotation",))


def test_a_label_is_never_looked_at() -> None:
    """The same rows with and without a label column, here one that says nonsense."""
    plain = payments(300)
    labelled = plain.assign(label=(plain.index % 2).astype(int))
    found = [
        recommend(dataset, training_rows="clean", only=THREE, plan=FEW)
        for dataset in (
            pipeline.open_dataset(plain.drop(columns="label", errors="ignore")),
            pipeline.open_dataset(labelled, label="label"),
        )
    ]

    a, b = ([(s.method, s.by_kind) for s in one.standings] for one in found)
    assert a == b


def test_images_get_defects(plates_folder) -> None:
    found = recommend(
        pipeline.open_dataset(plates(plates_folder.parent / "more", good=90, scratched=0)),
        only=("isolation_forest", "rotation"),
        plan={"seeds": 1, "items": 20, "synthetic": 20, "steps": 2},
        reader={"size": 32},
    )

    assert set(found.kinds) == {"pasted", "scratch", "wiped", "stain", "rough", "missing_part"}
    assert (found.task, found.failed) == ("rotation", {})


def test_recordings_get_faults_of_sensors(recording_file) -> None:
    found = recommend(
        pipeline.open_dataset(recording_file, time="time", label="is_anomaly"),
        only=("mahalanobis", "masked_window"),
        plan={"seeds": 1, "items": 100, "synthetic": 20, "steps": 2},
        reader={"window": 12},
    )

    assert set(found.kinds) == {"spike", "drift", "stuck", "late", "swings", "missing_cycle"}
    assert (found.task, found.failed) == ("masked_window", {})


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    file = tmp_path_factory.mktemp("recommend") / "payments.csv"
    payments(300).to_csv(file, index=False)
    return file


def arguments(file, *more: str) -> list[str]:
    methods = [part for name in THREE for part in ("--method", name)]
    return ["recommend", str(file), *methods, "--seeds", "1", "--training-rows", "clean", *more]


def test_the_verb_prints_a_table_with_intervals_and_the_sentence(file) -> None:
    result = CliRunner().invoke(app, arguments(file), env={"COLUMNS": "200"})

    assert result.exit_code == 0, result.output
    assert "Broken dependencies" in result.stdout
    assert "masked_cells" in result.stdout
    assert "Masked cells is the only pretext task" in result.stdout.replace("\n", " ")


def test_the_verb_gives_json_that_reads_back(file) -> None:
    result = CliRunner().invoke(app, arguments(file, "--json"))

    found = Recommendation.model_validate(json.loads(result.stdout))
    assert {line.method for line in found.standings} == set(THREE)
    assert found.training_rows == "clean"
    assert all(0 <= figure.low <= figure.high <= 1 for line in found.standings for figure in line.by_kind.values())
