"""The report of a run: complete, escaped, self-contained, and the same from the command line."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from ad_core import pipeline
from ad_core.alerts.threshold import Rule
from ad_core.cli.app import app
from ad_core.progress import Silent
from ad_core.review.reports import run_report
from ad_core.review.reports.run_report_cases import cases_of
from ad_core.review.reports.self_contained import signals_of
from ad_core.storage import results, verdicts
from ad_core.storage.result_files import remove
from ad_core.storage.run_alerts import alerts_of
from ad_core.storage.store import Store

EVIL = "<script>alert(1)</script>"


def graded(row_ids: list[str], grade: str) -> list[dict]:
    numbers = {"named": 1.0, "drop": 0.9, "drop_random": 0.1, "p": 0.05, "agreement": 1.0, "stability": 1.0, "gap": 0.0}
    same = {"second_method": "feature_ablation", "method": "integrated_gradients", "baseline": "nearest"}
    return [{"row_id": row, "grade": grade, **numbers, **same} for row in row_ids]


@pytest.fixture
def run(tmp_path: Path) -> tuple[Store, str]:
    """A run on a table with a script in a column's name and in a cell; six alerts alike, one that failed its check."""
    random = np.random.default_rng(0)
    data = pd.DataFrame({"id": [f"r{i}" for i in range(100)], EVIL: random.normal(size=100)})
    data["shop"], data["load"] = ["a", "b"] * 50, random.normal(size=100)
    data.loc[:6, EVIL], data.loc[0, "shop"] = 9.0, EVIL
    data.to_csv(tmp_path / "data.csv", index=False)
    store = Store.open(tmp_path / "home")
    record = store.add_dataset("payments", "table", [tmp_path / "data.csv"], {"id": "id"}, 100, "f1", {})
    run = store.add_run(record.id, "train", {}, EVIL)
    folder = store.folder(run.id)
    trained = pipeline.train_all(
        pipeline.open_dataset(tmp_path / "data.csv", id="id"),
        pipeline.Choice(pretext="mahalanobis", seed=3),
        Silent(),
    )
    trained.detector.save(folder / "bundle")
    facts = {**trained.detector.info.to_facts(), "calibration": trained.detector.calibration.facts()}
    facts["evaluation"] = {"method": {"auroc": 0.93, "average_precision": 0.5}, "isolation_forest": {"auroc": 0.8}}
    (folder / "summary.json").write_text(json.dumps(facts))
    results.publish(folder, "scores", trained.scores)
    results.publish(folder, "references", trained.references[["row_id", "isolation_forest"]])
    top = trained.scores.nlargest(7, "score")["row_id"].tolist()
    lines = [
        {"row_id": row, "part": part, "value": EVIL if part == "shop" else "9", "expected": "0", "attribution": share}
        for row in top
        for part, share in ((EVIL, 8.0), ("shop", 1.0), ("load", -1.0))
    ]
    results.publish(folder, "explanations", pd.DataFrame(lines).assign(method="integrated_gradients", delta=0.0))
    results.publish(folder, "checks", pd.DataFrame(graded(top[:6], "supported") + graded(top[6:], "not supported")))
    verdicts.give(store, run.id, top[:2], "anomaly", author="Ada", note=EVIL)
    verdicts.give(store, run.id, top[2:3], "normal", author="Ada")
    return store, run.id


def test_everything_that_a_reader_asks_for_is_there(run):
    store, run_id = run
    dataset = pipeline.open_dataset(Path(store.datasets()[0].sources[0]), id="id")
    budget = alerts_of(store, run_id, Rule(kind="budget", value=7))

    facts, shown = run_report.gather(store, run_id, dataset, budget)

    assert json.loads(run_report.to_json(facts)) == facts
    assert facts["counts"] == {"rows": 100, "scored": 100, "alerts": 7, "events": None, "explained": 7}
    assert facts["threshold"]["in_words"] == "at most 7 alerts"
    assert facts["drivers"]["counted"] == 6
    assert facts["drivers"]["left_out"] == {"not supported": 1}
    assert facts["drivers"]["ranking"][0] == pytest.approx(
        {"part": EVIL, "share": 0.8, "low": 0.8, "high": 0.8, "first": 6}
    )
    assert [group["size"] for group in facts["groups"]] == [7]
    assert facts["groups"][0]["rule"].startswith(f"{EVIL} > ")
    assert (facts["precision"]["hits"], facts["precision"]["judged"]) == (2, 3)
    assert facts["evaluation"][1]["detector"] == "isolation forest"
    assert facts["agreement"][0]["of"] == 7
    assert [case["verdict"] for case in facts["cases"][:4]] == ["anomaly", "anomaly", "normal", None]
    assert facts["cases"][6]["grade"] == "not supported"
    assert re.fullmatch(r"[0-9a-f]{64}", facts["detector"]["identity"])
    assert facts["again"][1] == f"python -m ad_core report {run_id} --out report.html"
    assert set(shown) == {case["row"] for case in facts["cases"]}


def test_a_report_tells_no_folder_of_this_machine(run, tmp_path):
    store, run_id = run

    facts, shown = run_report.gather(store, run_id, None, alerts_of(store, run_id, Rule(kind="budget", value=7)))

    assert facts["data"]["sources"] == [Path(store.datasets()[0].sources[0]).name]
    for written in (run_report.to_json(facts), run_report.to_html(facts, shown)):
        assert str(tmp_path) not in written
    assert facts["again"][0].startswith('python -m ad_core score "$AD_HOME"/runs/')


def test_text_of_the_user_is_escaped_and_nothing_is_fetched(run):
    store, run_id = run
    facts, shown = run_report.gather(store, run_id, None, alerts_of(store, run_id, Rule(kind="budget", value=7)))

    page = run_report.to_html(facts, shown)

    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 10
    assert "http" not in page
    assert not re.search(r"""(?:src|href)=["'](?!data:image/png;base64,)""", page)
    assert "precision 67 % (95 % interval 21 % to 94 %" in page
    assert page.count('class="doubtful"') == 1


def test_a_run_with_nothing_to_tell_says_so_in_sentences(run):
    store, run_id = run
    for name in ("explanations", "checks"):
        remove(store.folder(run_id) / f"{name}.parquet")

    none = run_report.gather(store, run_id, None, alerts_of(store, run_id, Rule(kind="score", value=1e9)))
    one = run_report.gather(store, run_id, None, alerts_of(store, run_id, Rule(kind="budget", value=1)))

    page = run_report.to_html(*none)
    assert "There are none." in page
    assert "so the precision is unknown" in page
    page = run_report.to_html(*one)
    assert "No explanation of an alert has passed its check: 1 not explained." in page
    assert "Not explained." in page


def test_the_command_line_writes_the_same_facts_and_names_what_is_wrong(run, tmp_path, monkeypatch):
    store, run_id = run
    monkeypatch.setenv("AD_HOME", str(store.home))
    monkeypatch.delenv("AD_DATABASE_URL", raising=False)
    call = CliRunner()

    done = call.invoke(app, ["report", run_id, "--out", str(tmp_path / "r.json")], catch_exceptions=False)
    wrong = call.invoke(app, ["report", run_id, "--out", str(tmp_path / "r.pdf")])
    missing = call.invoke(app, ["report", "nothing", "--out", str(tmp_path / "r.html")])

    written = json.loads((tmp_path / "r.json").read_text())
    dataset = pipeline.open_dataset(Path(store.datasets()[0].sources[0]), id="id")
    expected, _ = run_report.gather(store, run_id, dataset)
    assert done.exit_code == 0
    assert written | {"made": ""} == expected | {"made": ""}
    assert "not as '.pdf'" in str(wrong.exception)
    assert "nothing" in str(missing.exception)


def test_images_are_shown_with_their_map_and_recordings_with_their_signals(tmp_path):
    for i in range(3):
        Image.fromarray(np.full((30, 40, 3), 120, np.uint8)).save(tmp_path / f"p{i}.png")
    store = Store.open(tmp_path / "home")
    record = store.add_dataset("plates", "image", [tmp_path], {}, 3, "f", {})
    run = store.add_run(record.id, "train", {}, "plates")
    folder = store.folder(run.id)
    scores = pd.DataFrame(
        {"row_id": ["p0.png", "p1.png", "p2.png"], "score": [3.0, 2.0, 1.0], "percentile": 50.0, "p_value": 0.01}
    ).assign(note="")
    results.publish(folder, "scores", scores)
    heat = np.zeros((30, 40), np.float32)
    heat[:10, :10] = 1
    (folder / "maps").mkdir()
    np.save(folder / "maps" / f"{results.safe_name('p0.png')}.npy", heat)
    dataset = pipeline.open_dataset(tmp_path, ignore=())
    _, shown = cases_of(folder, scores, scores["row_id"], None, pd.Series(dtype=object), dataset)

    picture = shown["p0.png"].picture
    assert picture.shape == (30, 40, 3)
    assert (picture[20, 30] == 120).all()
    assert picture[2, 2, 0] > picture[2, 2, 2] + 50  # hot places are orange
    assert (shown["p1.png"].picture == 120).all()  # no map is stored
    window = pd.DataFrame({"time": range(3), "load": [0.0, 1.0, 2.0], "heat": 1.0})
    assert [line["channel"] for line in signals_of(window, [{"channel": "heat"}], 1)] == ["heat"]
