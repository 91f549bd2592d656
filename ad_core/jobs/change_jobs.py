"""Jobs about changed rows: the scores of edited rows, and counterfactuals."""

import json
from typing import TYPE_CHECKING, Any

from ad_core.alerts.boundary import alert_boundary
from ad_core.alerts.rule import Rule
from ad_core.explain.counterfactual.find import counterfactual
from ad_core.explain.what_if import what_if
from ad_core.jobs.inputs import of_parent
from ad_core.progress import Report
from ad_core.storage import results

if TYPE_CHECKING:
    from ad_core.detector.detector import Detector
    from ad_core.storage.store import RunRecord, Store


def what_if_job(store: "Store", run: "RunRecord", report: Report) -> dict[str, Any]:
    """Score a row of the parent with other values; the config holds `row_id`, `tries` (column -> value) and `rule`."""
    report.stage("load")
    scored, detector, dataset = of_parent(store, run)
    report.stage("score")
    begin = _begin(store, scored.id, run.config, detector)
    table = what_if(detector, dataset, run.config["row_id"], run.config["tries"], begin)
    lines = table.astype("object").where(table.notna(), None).to_dict("records")
    return {"tries": lines}


def counterfactual_job(store: "Store", run: "RunRecord", report: Report) -> dict[str, Any]:
    """Find the smallest change that makes a row of the parent normal, and add it to the parent's results.

    The config holds `row_id`, `fixed` (features that must not change) and `rule`, the alert rule in force.
    """
    report.stage("load")
    scored, detector, dataset = of_parent(store, run)
    row_id = run.config["row_id"]
    report.stage("search")
    begin = _begin(store, scored.id, run.config, detector)
    answer = counterfactual(detector, dataset, row_id, begin, report, run.config.get("fixed", ()))
    rule = Rule.parse(run.config["rule"], "threshold").in_words()
    facts = {**json.loads(answer.facts.model_dump_json()), "rule": rule}
    results.keep_counterfactual(store.folder(scored.id), row_id, facts, answer.picture, answer.window)
    return {"row_id": row_id, "found": answer.facts.found}


def _begin(store: "Store", scored_id: str, config: dict[str, Any], detector: "Detector") -> float:
    rule, rows = Rule.parse(config["rule"], "threshold"), results.ranked(store, scored_id)
    return alert_boundary(rule, rows, config["row_id"], detector.calibration, detector.calibration_rows)
