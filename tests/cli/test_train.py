"""`train` says what it does with each column, and trains on no column that may hold true labels."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from ad_core.cli.app import app
from ad_core.detector.detector import Detector
from ad_core.errors import DataError

N = 300


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"a": rng.normal(size=N), "machine_id": rng.integers(0, 90, N), "site": "Ulm"})
    data["target"] = np.where(np.arange(N) % 20 == 0, 2, 1)
    data.to_csv(tmp_path / "machines.csv", index=False)
    return tmp_path / "machines.csv"


def train(file: Path, *more: str) -> tuple[list[str], str]:
    """The columns that were trained on, and what was said on stderr."""
    out = file.parent / "bundle"
    arguments = ["train", str(file), "--out", str(out), "--pretext", "histogram", *more]
    found = CliRunner().invoke(app, arguments, catch_exceptions=False)
    return list(Detector.load(out).reader.shape.parts.names), found.stderr


@pytest.mark.parametrize("verb", ["train", "recommend"])
def test_an_unsure_label_is_refused_with_the_two_ways_out(verb, file, tmp_path):
    more = ["--out", str(tmp_path / "bundle")] if verb == "train" else []

    with pytest.raises(DataError, match="--label target if it does, or --use target if it does not"):
        CliRunner().invoke(app, [verb, str(file), *more], catch_exceptions=False)


def test_both_ways_out_lead_on(file):
    assert train(file, "--label", "target")[0] == ["a", "site"]
    assert train(file, "--use", "target")[0] == ["a", "target", "site"]
    assert train(file, "--ignore", "target", "--category", "machine_id")[0] == [
        "a",
        "machine_id",
        "site",
    ]  # site is constant: only watched


def test_the_summary_is_said_always_and_a_line_per_column_on_demand(file):
    _, said = train(file, "--ignore", "target")
    assert "4 columns: 1 used (1 number); 1 only watched for new values ('site'); 2 left out." in said
    assert "site: only watched" not in said

    _, said = train(file, "--ignore", "target", "--verbose")
    assert "a: used as a number.\n" in said
    assert "site: only watched: Every row has the same value." in said
