"""The evidence of a case: complete, escaped, self-contained."""

import json
import os
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from ad_core import pipeline
from ad_core.cli.app import app
from ad_core.explain.grade import GRADES
from ad_core.review.reports import case_report
from ad_core.storage import results, verdicts
from ad_core.storage.store import Store

EVIL = "<script>alert(1)</script>"

FACTS = {
    "method": "mahalanobis",
    "seed": 3,
    "versions": {"torch": "2"},
    "calibration": {"rows": 99, "smallest_p": 0.01, "approximate": False},
}
TABLES = {
    "scores": [
        {"row_id": "0", "score": 9.0, "percentile": 100.0, "p_value": 0.01, "note": ""},
        {"row_id": "1", "score": 1.0, "percentile": 50.0, "p_value": np.nan, "note": ""},
    ],
    "explanations": [
        {
            "part": "amount",
            "value": "9",
            "expected": "0.1",
            "expected_low": "-2",
            "expected_high": "2",
            "attribution": 8.0,
        },
        {
            "part": "shop",
            "value": EVIL,
            "expected": None,
            "expected_low": None,
            "expected_high": None,
            "attribution": -1.0,
        },
    ],
    "checks": [
        {"grade": "weak", "named": 1.0, "drop": 0.9, "drop_random": 0.1, "p": 0.05, "agreement": 0.2, "stability": 1.0}
        | {"gap": 0.0, "second_method": "feature_ablation", "baseline": "mean"}
    ],
    "neighbours": [{"row_id": "0", "rank": 1, "neighbour": "7", "distance": 0.5}],
}
for line in (*TABLES["explanations"], *TABLES["checks"]):
    line |= {"row_id": "0", "method": "integrated_gradients", "delta": 0.0}


@pytest.fixture
def case(tmp_path: Path) -> tuple[Store, str]:
    """A run on a table one of whose cells holds a script, with a score, an explanation and a verdict."""
    random = np.random.default_rng(0)
    data = pd.DataFrame({"id": range(100), "shop": ["a", "b"] * 50, "amount": random.normal(size=100)})
    data.loc[0, "shop"], data.loc[0, "amount"] = EVIL, 9.0
    data.to_csv(tmp_path / "data.csv", index=False)
    store = Store.open(tmp_path / "home")
    record = store.add_dataset(EVIL, "table", [tmp_path / "data.csv"], {}, 100, "f1", {})
    run = store.add_run(record.id, "train", {}, "first")
    folder = store.folder(run.id)
    dataset = pipeline.open_dataset(tmp_path / "data.csv", id="id")
    pipeline.train(dataset, "mahalanobis", seed=3).save(folder / "bundle")
    (folder / "summary.json").write_text(json.dumps(FACTS))
    for name, lines in TABLES.items():
        results.publish(folder, name, pd.DataFrame(lines))
    verdicts.give(store, run.id, ["0"], "anomaly", author="Ada", note=EVIL)
    return store, run.id


def test_everything_that_an_auditor_asks_for_is_there(case):
    store, run = case
    dataset = pipeline.open_dataset(Path(store.datasets()[0].sources[0]), id="id")

    found = case_report.gather(store, run, "0", dataset)

    again = json.loads(case_report.to_json(found))
    assert again == found
    assert found["score"]["score"] == 9.0
    assert found["data"]["fingerprint"] == "f1"
    assert re.fullmatch(r"[0-9a-f]{64}", found["detector"]["identity"])
    assert (found["detector"]["seed"], found["detector"]["versions"]) == (3, {"torch": "2"})
    assert found["check"]["grade"] == "weak"
    assert "another method names other parts" in found["check"]["in_words"]
    assert found["values"] == {"id": 0, "shop": EVIL, "amount": 9.0}
    assert [v["verdict"] for v in found["verdicts"]] == ["anomaly"]
    assert found["neighbours"][0]["neighbour"] == "7"
    assert found["explanation"][1]["expected"] is None
    assert found["again"].endswith("--row 0 --out explanation.parquet --method integrated_gradients --baseline mean")


def test_a_row_that_nobody_explained_has_a_pack_too(case):
    store, run = case

    found = case_report.gather(store, run, "1", None)

    page = case_report.to_html(found)
    assert "Not explained." in page
    assert "There is no verdict yet." in page
    assert found["score"]["p_value"] is None
    assert "the smallest possible p is 0.01." in page
    found["calibration"]["smallest_p"] = None
    assert "they are too few for p-values." in case_report.to_html(found)


def test_text_of_the_user_is_escaped_and_nothing_is_fetched(case):
    store, run = case
    found = case_report.gather(store, run, "0", None, {"sentence": EVIL})

    page = case_report.to_html(found, {EVIL: np.zeros((900, 20, 3), np.uint8)})

    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 4
    assert not re.search(r"""(?:src|href)=["'](?!data:image/png;base64,)""", page)
    assert "http" not in page
    assert 'style="left:11.1%;width:88.9%"' in page  # 8 of -1 .. 8
    assert 'style="left:0.0%;width:11.1%"' in page


def test_channels_are_drawn_with_what_was_expected(case):
    store, run = case
    found = case_report.gather(store, run, "0", None)
    speed = {"part": "speed", "channel": "speed", "attribution": 1.0}
    found["explanation"] = [dict.fromkeys(("value", "expected", "expected_low", "expected_high")) | speed]
    window = pd.DataFrame(
        {"time": range(3), "load": 1.0, "speed": [0.0, np.nan, 10.0], "speed expected": [0.0, 5.0, 10.0]}
    )

    page = case_report.to_html(found, window=window)

    assert page.index("speed (0 to 10)") < page.index("load (1 to 1)")
    assert 'class="actual" points="0.0,95.0 1000.0,5.0"' in page
    assert 'class="expected" points="0.0,95.0 500.0,50.0 1000.0,5.0"' in page


def test_a_pack_tells_no_folder_of_this_machine(case, tmp_path):
    store, run = case
    facts = FACTS | {"settings": {"encoder": {"folder": str(tmp_path / "models" / "vit")}}}
    (store.folder(run) / "summary.json").write_text(json.dumps(facts))

    found = case_report.gather(store, run, "0", None)

    assert found["data"]["sources"] == ["data.csv"]
    assert found["detector"]["settings"] == {"encoder": {"folder": "vit"}}
    for written in (case_report.to_json(found), case_report.to_html(found)):
        assert str(tmp_path) not in written
        assert "$AD_HOME" in written


def test_the_command_explains_the_row_again(case, tmp_path, monkeypatch):
    store, run = case
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AD_HOME", str(store.home))
    command = [os.path.expandvars(word) for word in shlex.split(case_report.gather(store, run, "1", None)["again"])]

    CliRunner().invoke(app, command[command.index("explain") :], catch_exceptions=False)

    found = pd.read_parquet("explanation.parquet")
    assert set(found["row_id"]) == {"1"}
    assert set(found["part"]) == {"shop", "amount"}
    assert found["grade"].isin(GRADES).all()
