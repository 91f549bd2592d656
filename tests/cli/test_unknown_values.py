"""Values that the training data never had: every verb scores them, names them, and agrees with Python."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from ad_core import pipeline
from ad_core.cli.app import app
from ad_core.errors import DataError
from tests.unknown_values import ODD, odd_pumps, pumps, written

NAMED = [
    "'valve' has values that were not in the training rows: '2' (1 rows)",
    "'locked' has values that were not in the training rows: 'jammed' (1 rows)",
    "'plant' has values that were not in the training rows: 'west' (1 rows)",
    "'plant' has other spellings of known values, which are taken as the same: ",
    "1 of 60 cells of 'size' can't be read as a number, first in row 4 ('ERR'); they count as missing",
    "The label column 'truth' has the value 'leak'",
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return written(tmp_path_factory.mktemp("unknown"))


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False)


def test_the_shell_and_both_ways_of_python_give_the_same_scores(files, tmp_path):
    found = call("score", files["bundle"], files["odd"], "--out", tmp_path / "scores.parquet")
    detector = pipeline.load_detector(files["bundle"])

    assert found.exit_code == 0
    shell = pd.read_parquet(tmp_path / "scores.parquet")
    like = detector.score(pipeline.open_like(detector, files["odd"]))
    plain = detector.score(pipeline.open_dataset(files["odd"], id="pump"))
    assert shell["row_id"].tolist() == like["row_id"].tolist() == plain["row_id"].tolist()
    np.testing.assert_array_equal(shell["score"], like["score"])
    np.testing.assert_array_equal(shell["score"], plain["score"])
    assert shell["note"].tolist() == plain["note"].tolist()
    assert shell["score"].notna().all()
    usual = detector.score(pipeline.open_like(detector, pumps(60, seed=1)))
    assert (shell["score"] > usual["score"])[ODD].all()
    assert "'ERR', which is not a number: it counts as missing" in shell["note"][3]


def test_rows_without_an_unknown_value_keep_their_scores(files):
    detector = pipeline.load_detector(files["bundle"])
    usual = pumps(60, seed=1)

    odd = detector.score(pipeline.open_like(detector, files["odd"]))["score"]
    before = detector.score(pipeline.open_like(detector, usual))["score"]

    np.testing.assert_array_equal(odd[4:], before[4:])


@pytest.mark.parametrize(
    "verb",
    [
        ("score", "--out", "{out}"),
        ("explain", "--top", "4", "--out", "{out}"),
        ("whatif", "--row", "p1-0", "--set", "valve=1"),
        ("whatif", "--row", "p1-3", "--set", "size=50"),
        ("counterfactual", "--row", "p1-0"),
        ("counterfactual", "--row", "p1-2"),
        ("counterfactual", "--row", "p1-3"),
    ],
    ids=lambda verb: " ".join(verb[:3]),
)
def test_every_verb_that_opens_new_data_names_what_is_unknown(files, tmp_path, verb):
    name, *options = (word.format(out=tmp_path / "out.parquet") for word in verb)

    found = call(name, files["bundle"], files["odd"], *options)

    assert found.exit_code == 0
    for sentence in NAMED:
        assert sentence in found.stderr


def test_an_explanation_names_the_column_of_the_unknown_value(files, tmp_path):
    call("explain", files["bundle"], files["odd"], "--row", "p1-0", "--row", "p1-2", "--out", tmp_path / "why.parquet")

    why = pd.read_parquet(tmp_path / "why.parquet").sort_values("attribution", ascending=False)

    first = why.groupby("row_id").head(1).set_index("row_id")["part"]
    assert first.to_dict() == {"p1-0": "valve", "p1-2": "plant"}


def test_a_what_if_on_a_row_with_an_unknown_value_shows_its_score(files):
    found = call("whatif", files["bundle"], files["odd"], "--row", "p1-3", "--set", "plant=South")

    before, after = found.stdout.strip().splitlines()
    assert before.startswith("as it is: score")
    assert "it counts as missing" in before
    assert "→ south: score" in after


def test_labels_are_needed_only_where_they_are_used(files, tmp_path):
    with pytest.raises(DataError, match="The label column 'truth' has the value 'leak' and 1 more that can't be read"):
        call("evaluate", files["bundle"], files["odd"])

    odd_pumps().assign(truth=(np.arange(60) < 4).astype(int)).to_csv(tmp_path / "labelled.csv", index=False)
    found = call("evaluate", files["bundle"], tmp_path / "labelled.csv")

    assert found.exit_code == 0
    assert "4 labelled anomalies among 60 rows" in found.stdout
    assert NAMED[0] in found.stderr


@pytest.mark.parametrize(
    "verb",
    [
        ("score", "--out", "{out}"),
        ("explain", "--top", "4", "--out", "{out}"),
        ("whatif", "--row", "p1-0", "--set", "valve=1"),
        ("counterfactual", "--row", "p1-0"),
    ],
    ids=lambda verb: verb[0],
)
def test_a_column_may_be_missing_only_where_it_is_allowed(files, tmp_path, verb):
    name, *options = (word.format(out=tmp_path / "out.parquet") for word in verb)

    with pytest.raises(DataError, match=r"needs 'load', which these data do not have.*--allow-missing"):
        call(name, files["bundle"], files["short"], *options)
    found = call(name, files["bundle"], files["short"], *options, "--allow-missing")

    assert found.exit_code == 0
    assert "Columns that these data do not have: 'load'. They are filled in" in found.stderr
    assert "load" not in found.stdout


def test_python_and_the_shell_fill_in_the_same(files, tmp_path):
    detector = pipeline.load_detector(files["bundle"])
    call("score", files["bundle"], files["short"], "--allow-missing", "--out", tmp_path / "scores.parquet")

    like = detector.score(detector.open(files["short"], allow_missing=True))

    np.testing.assert_array_equal(pd.read_parquet(tmp_path / "scores.parquet")["score"], like["score"])


def test_a_column_that_is_filled_in_can_not_be_changed(files):
    with pytest.raises(DataError, match="'load' is empty in these data and is filled in"):
        call("whatif", files["bundle"], files["short"], "--allow-missing", "--row", "p1-0", "--set", "load=90")
