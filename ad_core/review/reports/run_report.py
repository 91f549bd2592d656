"""Report of a whole run as one file: data, alerts, explanations and their checks, provenance, and how to repeat it.

The HTML file is self-contained: it loads no script, font or image. The JSON file holds the same facts. All text from
the user's data is escaped.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ad_core.alerts.threshold import Alerts
from ad_core.data.dataset import Dataset
from ad_core.evaluation.precision import precision
from ad_core.explain.clusters import alert_groups, surrogate_rule
from ad_core.explain.global_importance import GlobalImportance, global_importance, ranking
from ad_core.explain.heat_scale import HeatScale
from ad_core.review.reports.run_report_cases import Shown, cases_of
from ad_core.review.reports.self_contained import bars_of, inline_image, plain, signals_of, template
from ad_core.storage import results, verdicts
from ad_core.storage.provenance import origin
from ad_core.storage.run_alerts import alerts_of
from ad_core.storage.run_events import events_of
from ad_core.storage.shown_paths import command_in_home, short_sources

if TYPE_CHECKING:
    from ad_core.storage.store import Store

PARTS, GROUPS = 12, 12
"""Maximum number of features and of groups in the lists."""

SIDE, CHANNELS = 260, 3
"""Maximum side of a case's image [pixels], and maximum number of channels that are drawn of a recording."""

MEASURES = ("auroc", "average_precision", "vus_pr", "event_recall")


def gather(
    store: "Store", run_id: str, dataset: Dataset | None = None, alerts: Alerts | None = None
) -> tuple[dict[str, Any], dict[str, Shown]]:
    """All facts about a run, JSON-able, and the figures of its highest alerts.

    Args:
        dataset: the rows that the run scored; None = they can't be opened any more, so groups have no rules and images
            no pictures.
        alerts: those that are looked at; None = those of the rule in force.

    Returns:
        The facts, and the figures of `facts["cases"]` by row id.

    Raises:
        StoreError: the run does not exist or has no scores yet.
        BundleError: its detector is gone or damaged.
    """
    run, rows, folder = store.run(run_id), results.ranked(store, run_id), store.folder(run_id)
    modality, own = store.dataset(run.dataset_id).modality, results.facts(store, run_id)
    found = alerts or alerts_of(store, run_id)
    events = events_of(store, run_id, found, rows)
    chosen = rows.loc[found.of_rows, "row_id"] if events is None else events["row_id_peak"]
    newest = verdicts.current(store, run.dataset_id).set_index("row_id")["verdict"]
    parts, checks = (results.table(folder, name) for name in ("explanations", "checks"))
    scale = HeatScale.from_facts(results.facts(store, results.detector_run(store, run_id).id))
    cases, shown = cases_of(folder, rows, chosen, events, newest, dataset, scale)
    facts: dict[str, Any] = {
        **origin(store, run_id),
        "modality": modality,
        "counts": _counts(rows, found, events, parts, chosen),
        "threshold": _threshold(found),
        "drift": (own.get("drift") or {}).get("sentence"),
        "evaluation": _evaluation(own),
        "agreement": _agreement(results.table(folder, "references"), rows, found.of_rows),
        "drivers": _global_importance(global_importance(parts, checks, chosen)),
        "groups": [] if modality == "image" or parts is None else _groups(parts, chosen, dataset),
        "precision": _precision(newest, chosen),
        "cases": cases,
        "again": commands(store, run_id),
        "made": datetime.now(UTC).isoformat(" ", "seconds"),
    }
    return plain(facts), shown


def commands(store: "Store", run_id: str) -> list[str]:
    """The commands that score the same data again, and write this report again, where the data lie."""
    record, training = store.dataset(store.run(run_id).dataset_id), results.detector_run(store, run_id)
    bundle, data = str(store.folder(training.id) / "bundle"), short_sources(record.sources)
    score = command_in_home("score", bundle, *data, "--out", "scores.parquet", home=store.home)
    return [score, command_in_home("report", run_id, "--out", "report.html", home=store.home)]


def to_json(facts: Mapping[str, Any]) -> str:
    """The facts as a JSON file."""
    return json.dumps(facts, indent=2, ensure_ascii=False)


def to_html(facts: Mapping[str, Any], shown: Mapping[str, Shown]) -> str:
    """The run as one HTML file; both arguments as `gather` returns them."""
    figures = {
        row_id: {
            "picture": None if one.picture is None else inline_image(one.picture, SIDE),
            "signals": [] if one.window is None else signals_of(one.window, one.parts, CHANNELS),
            "bars": bars_of(one.parts),
        }
        for row_id, one in shown.items()
    }
    widest = max((max(line["share"], line["high"] or 0) for line in facts["drivers"]["ranking"]), default=1.0) or 1.0
    return str(template("report.html").render(r=facts, figures=figures, widest=widest))


def _counts(
    rows: pd.DataFrame, found: Alerts, events: pd.DataFrame | None, parts: pd.DataFrame | None, chosen: pd.Series
) -> dict[str, Any]:
    explained = 0 if parts is None else int(chosen.isin(parts["row_id"]).sum())
    return {
        "rows": len(rows),
        "scored": int(rows["score"].notna().sum()),
        "alerts": found.count,
        "events": None if events is None else len(events),
        "explained": explained,
    }


def _threshold(found: Alerts) -> dict[str, Any]:
    return {
        "rule": found.rule.model_dump(mode="json"),
        "in_words": found.rule.in_words(),
        "sentence": found.sentence,
        "guaranteed": found.guarantee.holds,
        "controls": found.guarantee.kind,
        "rate": found.guarantee.rate,
        "expected_false": found.guarantee.expected,
        "score": found.score,
    }


def _evaluation(own: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Metrics by labels, if there are any: a line for the method and for each classical detector."""
    found = {name: values for name, values in (own.get("evaluation") or {}).items() if values}
    if not any(values.get(measure) is not None for values in found.values() for measure in MEASURES):
        return []  # labels of one class alone give no metrics
    return [
        {"detector": own.get("method") if name == "method" else name.replace("_", " "), "own": name == "method"}
        | {measure: values.get(measure) for measure in MEASURES}
        for name, values in found.items()
    ]


def _agreement(references: pd.DataFrame | None, rows: pd.DataFrame, of_rows: np.ndarray) -> list[dict[str, Any]]:
    """Of k alerts, the number that are also among the k highest scores of each classical detector."""
    alerts = int(of_rows.sum())
    if references is None or not alerts:
        return []
    lines = []
    for name in references.columns.drop("row_id"):
        highest = references.nlargest(alerts, name)["row_id"]
        shared = int(rows.loc[of_rows, "row_id"].isin(highest).sum())
        lines.append({"detector": name.replace("_", " "), "shared": shared, "of": alerts})
    return sorted(lines, key=lambda line: -int(line["shared"]))


def _global_importance(importance: GlobalImportance) -> dict[str, Any]:
    lines = [] if importance.shares.empty else ranking(importance).head(PARTS).to_dict("records")
    return {"counted": len(importance.shares), "left_out": importance.left_out, "ranking": lines}


def _groups(parts: pd.DataFrame, chosen: pd.Series, dataset: Dataset | None) -> list[dict[str, Any]]:
    """Groups of alerts with the same explanation; for tables also the surrogate rule of each group."""
    lines = []
    for group in alert_groups(parts[parts["row_id"].isin(chosen)])[:GROUPS]:
        rule = None
        if dataset is not None and dataset.modality == "table":
            columns = [c for c in dataset.schema.scored if c in dataset.data and dataset.data[c].notna().any()]
            rule = surrogate_rule(dataset.data[columns], dataset.rows["row_id"].isin(group.row_ids).to_numpy())
        lines.append(
            {
                "name": group.name,
                "size": len(group.row_ids),
                "rows": list(group.row_ids),
                "rule": None if rule is None else rule.text,
                "precision": None if rule is None else rule.precision,
                "coverage": None if rule is None else rule.coverage,
            }
        )
    return lines


def _precision(newest: pd.Series, chosen: pd.Series) -> dict[str, Any]:
    found = precision(newest[newest.index.isin(chosen)])
    return {
        "share": found.share,
        "hits": found.hits,
        "judged": found.judged,
        "low": found.low,
        "high": found.high,
        "apart": found.apart,
    }
