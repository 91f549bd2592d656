"""The command line's contract: verbs, files, columns, exit codes. Each call is a process of its own."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ad_core", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def done(*arguments: object) -> str:
    finished = run(*arguments)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def payments_bundle(payments_file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli") / "bundle"
    done(
        "train",
        payments_file,
        "--out",
        folder,
        "--pretext",
        "masked_cells",
        "--label",
        "is_fraud",
        "--id",
        "payment",
        "--preset",
        "quick",
        "--set",
        "training.max_steps=60",
    )
    return folder


def test_a_table_is_scored_with_one_line_per_row_in_input_order(payments_bundle, payments_file, tmp_path):
    done("score", payments_bundle, payments_file, "--out", tmp_path / "scores.parquet")

    scores = pd.read_parquet(tmp_path / "scores.parquet")
    assert list(scores.columns[:5]) == ["row_id", "score", "percentile", "p_value", "note"]
    assert scores["row_id"].tolist() == pd.read_csv(payments_file)["payment"].tolist()


def test_a_table_is_explained_in_the_users_columns(payments_bundle, payments_file, tmp_path):
    done("explain", payments_bundle, payments_file, "--top", 4, "--out", tmp_path / "why.parquet")

    why = pd.read_parquet(tmp_path / "why.parquet")
    assert {"row_id", "part", "value", "attribution", "method", "delta"} <= set(why.columns)
    assert why["row_id"].nunique() == 4
    assert set(why["part"]) <= {"amount [EUR]", "shop", "hour", "card_present"}


def test_images_get_a_map_of_their_own_size_each(plates_folder, tmp_path):
    bundle, maps = tmp_path / "bundle", tmp_path / "maps"
    done(
        "train",
        plates_folder / "good",
        "--out",
        bundle,
        "--pretext",
        "autoencoder",
        "--set",
        "reader.size=32",
        "--set",
        "training.max_steps=20",
    )
    done("score", bundle, plates_folder, "--out", tmp_path / "scores.parquet", "--maps", maps)
    done("explain", bundle, plates_folder, "--top", 2, "--out", tmp_path / "why.parquet")

    scores, why = pd.read_parquet(tmp_path / "scores.parquet"), pd.read_parquet(tmp_path / "why.parquet")
    assert len(scores) == 43
    first = np.load(maps / f"{scores['row_id'].iloc[0]}.npy")
    assert first.shape == (40, 40)
    assert first.dtype == np.float32
    assert {"y0", "x0", "y1", "x1"} <= set(why.columns)


def test_a_recording_is_explained_by_channel_and_span(recording_file, tmp_path):
    bundle = tmp_path / "bundle"
    done(
        "train",
        recording_file,
        "--out",
        bundle,
        "--pretext",
        "masked_window",
        "--label",
        "is_anomaly",
        "--time",
        "time",
        "--set",
        "reader.window=32",
        "--set",
        "training.max_steps=40",
    )
    done("score", bundle, recording_file, "--out", tmp_path / "scores.parquet")
    done("explain", bundle, recording_file, "--top", 2, "--out", tmp_path / "why.parquet")

    scores, why = pd.read_parquet(tmp_path / "scores.parquet"), pd.read_parquet(tmp_path / "why.parquet")
    assert len(scores) == 1200
    assert {"row_id", "time", "score"} <= set(scores.columns)
    assert {"channel", "t0", "t1"} <= set(why.columns)


def test_methods_are_listed_for_programs():
    cards = json.loads(done("methods", "--json"))

    named = {card["name"]: card for card in cards}
    assert named["rotation"]["kind"] == "pretext"
    assert named["rotation"]["modalities"] == ["image"]
    assert {"name", "kind", "modalities", "title", "source", "settings"} <= set(named["isolation_forest"])
    assert "max_steps" in named["masked_cells"]["settings"]["training"]["properties"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("score", "nowhere", "nothing.csv", "--out", "x.parquet"), "not a detector bundle"),
        (("train", "nothing.csv", "--out", "x"), "does not exist"),
        (("train", "{file}", "--out", "{out}", "--pretext", "rotation"), "does not work on table data"),
        (("train", "{file}", "--out", "{out}", "--pretext", "masked_sells"), "no method"),
        (
            ("train", "{file}", "--out", "{out}", "--pretext", "autoencoder", "--set", "training.epoch=3"),
            "did you mean",
        ),
        (("train", "{file}", "--out", "{out}", "--set", "training.max_steps=3"), "takes no settings of"),
        (("train", "{file}", "--out", "{out}", "--device", "cuda:99"), "device"),
        (("train", "{file}", "--out", "{out}", "--ignore", "no_such_column"), "no_such_column"),
        (("train", "{file}", "--out", "{out}", "--only", "shop=nothing"), "shop"),
        (("train", "{file}", "--out", "{out}", "--exclude", "2026-01-01"), "is not a range of time"),
    ],
)
def test_what_the_user_can_mend_is_one_line_and_exit_code_two(arguments, said, payments_file, tmp_path):
    finished = run(*(a.format(file=payments_file, out=tmp_path / "out") for a in arguments))

    assert finished.returncode == 2
    assert said in finished.stderr
    assert len(finished.stderr.strip().splitlines()) == 1
    assert "Traceback" not in finished.stderr


def test_scores_that_can_not_be_written_say_where(payments_bundle, payments_file, tmp_path):
    (tmp_path / "file").write_text("in the way")

    finished = run("score", payments_bundle, payments_file, "--out", tmp_path / "file" / "scores.parquet")

    assert finished.returncode == 2
    assert "can't be written" in finished.stderr


def test_until_a_threshold_is_saved_the_default_rule_marks_alerts(payments_bundle, payments_file, tmp_path):
    finished = run("score", payments_bundle, payments_file, "--out", tmp_path / "scores.parquet")

    scores = pd.read_parquet(tmp_path / "scores.parquet")
    assert (scores["alert"] == (scores["p_value"] <= 0.05)).all()  # 45 calibration rows: 0.01 can't be reached
    rule = (
        "Rule in force: false positive rate: p ≤ 0.05, about 5 % of normal rows become alerts by chance (the default, "
        "as no threshold was saved)."
    )
    assert rule in finished.stderr
    assert f"{len(scores)} of {len(scores)} rows scored, {scores['alert'].sum()} alerts;" in finished.stdout
    assert rule in done("threshold", payments_bundle)


def test_a_threshold_is_changed_without_training_and_marks_alerts_from_then_on(
    payments_bundle, payments_file, tmp_path
):
    bundle = shutil.copytree(payments_bundle, tmp_path / "bundle")
    assert "No threshold was saved" in done("threshold", bundle)
    done("threshold", bundle, "--fdr", 0.1, "--name", "start", "--author", "Ada")
    said = done("threshold", bundle, "--budget", 7, "--name", "fewer", "--reason", "two people look", "--author", "Ada")

    in_force, now, before = said.strip().splitlines()
    assert in_force == "Rule in force: at most 7 alerts (saved)."
    assert now.startswith("now:    at most 7 alerts (fewer · two people look · Ada")
    assert before.startswith(
        "before: false discovery rate: at most 10 % of the alerts are expected to be false (start · Ada"
    )
    finished = run("score", bundle, payments_file, "--out", tmp_path / "scores.parquet")
    scores = pd.read_parquet(tmp_path / "scores.parquet")
    assert scores["alert"].dtype == bool
    assert set(scores.index[scores["alert"]]) == set(scores["score"].nlargest(7).index)
    assert "Rule in force: at most 7 alerts (saved)." in finished.stderr
    assert "At most 7 alerts, the highest scores. Nothing is guaranteed" in finished.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--fdr", 0.1, "--budget", 5), "A detector has one threshold; fdr and budget were given"),
        (("--fdr", 2), "must lie between 0 and 1"),
        (("--name", "x"), "Say which threshold is meant"),
    ],
)
def test_a_threshold_that_makes_no_sense_is_refused(options, said, payments_bundle):
    finished = run("threshold", payments_bundle, *options)

    assert finished.returncode == 2
    assert said in finished.stderr
    assert "No threshold was saved" in done("threshold", payments_bundle)
