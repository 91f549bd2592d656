"""One rule is in force for a detector: the app, the shell and Python find the same alerts by it, before and after a
threshold is saved, for a table, an image set and a recording.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from ad_core import pipeline
from ad_core.alerts.rule import Rule, in_force_in_words
from ad_core.cli.app import app
from ad_core.detector.detector import Detector
from ad_core.storage import results, saved_thresholds
from ad_core.storage.run_alerts import alerts_of
from ad_core.storage.store import Store

DATA = {
    "table": ("trained_on_payments", "payments_file"),
    "image": ("trained_on_plates", "plates_folder"),
    "sensor": ("trained_on_recording", "recording_file"),
}
SAVED = Rule(kind="budget", value=4)


@dataclass
class Installation:
    """A store with one run, and the file that it scored."""

    store: Store
    run_id: str
    source: Path
    out: Path

    @property
    def bundle(self) -> Path:
        return self.store.folder(self.run_id) / "bundle"

    def in_app(self) -> tuple[Rule, set[str]]:
        found = alerts_of(self.store, self.run_id)
        return found.rule, set(results.ranked(self.store, self.run_id).loc[found.of_rows, "row_id"])

    def in_python(self) -> tuple[Rule, set[str]]:
        detector = Detector.load(self.bundle)
        dataset = pipeline.open_like(detector, [self.source])
        scores = detector.score(dataset)
        found = detector.alerts(scores, dataset)
        return found.rule, set(scores.loc[found.of_rows, "row_id"])

    def in_shell(self) -> tuple[str, set[str]]:
        command = ["score", str(self.bundle), str(self.source), "--out", str(self.out)]
        finished = CliRunner().invoke(app, command, catch_exceptions=False)
        scores = pd.read_parquet(self.out)
        return finished.stderr, set(scores.loc[scores["alert"], "row_id"])


@pytest.fixture(params=list(DATA))
def installation(request, tmp_path) -> Installation:
    trained, source = (request.getfixturevalue(name) for name in DATA[request.param])
    store = Store.open(tmp_path / "home")
    data = store.add_dataset("data", request.param, [source], {}, len(trained.scores), "f", {}).id
    run = store.add_run(data, "train", {}, "first").id
    folder = store.folder(run)
    trained.detector.save(folder / "bundle")
    detector = Detector.load(folder / "bundle")
    dataset = pipeline.open_like(detector, [source])
    results.publish(folder, "scores", detector.marked(detector.score(dataset), dataset))
    facts = {"calibration": detector.calibration.facts()}
    (folder / "summary.json").write_text(json.dumps(facts), encoding="utf-8")
    return Installation(store, run, Path(source), tmp_path / "scores.parquet")


def test_app_shell_and_python_go_by_one_rule_before_and_after_a_threshold_is_saved(installation):
    default, alerts = installation.in_app()
    assert default.kind in ("p", "percentile")
    assert installation.in_python() == (default, alerts)
    said, in_file = installation.in_shell()
    assert in_force_in_words(default, is_saved=False) in said
    assert in_file == alerts

    saved_thresholds.save(installation.store, installation.run_id, SAVED, name="four", reason="", author="Ada")

    rule, alerts = installation.in_app()
    assert rule == SAVED
    assert 0 < len(alerts) <= 4
    assert installation.in_python() == (SAVED, alerts)
    said, in_file = installation.in_shell()
    assert in_force_in_words(SAVED, is_saved=True) in said
    assert in_file == alerts


@pytest.mark.parametrize("installation", ["table"], indirect=True)
@pytest.mark.parametrize("saved", [None, SAVED])
def test_whatif_and_evaluate_name_the_same_rule_and_find_the_same_alerts(installation, saved):
    if saved is not None:
        saved_thresholds.save(installation.store, installation.run_id, saved, name="four", reason="", author="Ada")
    rule, alerts = installation.in_app()
    bundle, source = str(installation.bundle), str(installation.source)
    ranked = results.ranked(installation.store, installation.run_id)["row_id"]

    for row_id in (next(r for r in ranked if r in alerts), next(r for r in ranked if r not in alerts)):
        command = ["whatif", bundle, source, "--row", row_id, "--set", "hour=12"]
        finished = CliRunner().invoke(app, command, catch_exceptions=False)
        assert in_force_in_words(rule, is_saved=saved is not None) in finished.stderr
        as_it_is = finished.stdout.splitlines()[0]
        assert as_it_is.endswith(", an alert" if row_id in alerts else ", no alert")

    finished = CliRunner().invoke(app, ["evaluate", bundle, source, "--json"], catch_exceptions=False)
    judged = json.loads(finished.stdout)["alerts"]
    assert (judged["rule"], judged["saved"], judged["count"]) == (rule.model_dump(), saved is not None, len(alerts))
