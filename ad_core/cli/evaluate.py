"""The verb `evaluate`: a saved detector on labelled data."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ad_core.cli.options import AllowMissing, AsJson, BundleFolder, Device, Sheet
from ad_core.cli.terminal import say_differences

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ad_core.alerts.threshold import Alerts
    from ad_core.data.dataset import Dataset


def evaluate(
    bundle: BundleFolder,
    data: Annotated[list[Path], typer.Argument(metavar="DATA...", help="Labelled data.")],
    label: Annotated[str | None, typer.Option(help="Column with the true labels; as in training if left out.")] = None,
    segment: Annotated[str | None, typer.Option(help="Also measure each value of this column by itself.")] = None,
    masks: Annotated[
        Path | None,
        typer.Option(
            help="Images: folder or zip with masks of the defects, named after the images: <kind>/<image>_mask.png."
        ),
    ] = None,
    allow_missing: AllowMissing = False,
    as_json: AsJson = False,
    sheet: Sheet = None,
    device: Device = "auto",
) -> None:
    """Evaluate a detector by labels: AUROC and average precision, its alerts, and whether its guarantees held."""
    from ad_core import pipeline
    from ad_core.data.dataset import Role
    from ad_core.data.tables.labels import label_values
    from ad_core.devices import choose_device
    from ad_core.errors import DataError
    from ad_core.evaluation.found_masks import labels_by_masks
    from ad_core.evaluation.mask_metrics import mask_metrics
    from ad_core.explain.anomaly_maps import anomaly_maps
    from ad_core.progress import Silent

    detector = pipeline.load_detector(bundle).to(choose_device(device))
    also = {"label": label, "sheet": sheet}
    dataset = pipeline.open_like(detector, data, also, allow_missing=allow_missing)
    if masks is not None and "label" not in dataset.rows:
        dataset.rows["label"] = labels_by_masks(masks, dataset.rows["row_id"].tolist())
    if "label" not in dataset.rows and (column := dataset.schema.one(Role.LABEL)) in dataset.data:
        label_values(dataset.data[column], str(column))  # says why it can't be read
    if "label" not in dataset.rows:
        raise DataError("These data have no label column. Name the column with the true labels: --label COLUMN.")
    if segment is not None and segment not in dataset.data:
        raise DataError(f"There is no column {segment!r}. There is: {', '.join(map(str, dataset.data.columns))}.")
    say_differences(detector, dataset)
    scores = detector.score(dataset)
    scores = detector.marked(scores, dataset)
    fresh = (scores["used_for"] == "").to_numpy()
    if fresh.any():
        compared = detector.compared(scores, dataset)
        scores["withdrawn"] = compared.withdrawn
    report = card(dataset, scores, segment, fresh)
    if fresh.any():
        report["drift"] = {"state": compared.state, "sentence": compared.sentence}
    report["alerts"] = of_alerts(dataset, detector.alerts(scores, dataset), is_saved=detector.threshold is not None)
    if masks is not None:
        known = dict(zip(dataset.rows["row_id"], dataset.rows["label"].astype(float), strict=True))
        report["masks"] = mask_metrics(anomaly_maps(detector, dataset, Silent()), masks, known).facts()
    typer.echo(json.dumps(report, indent=2) if as_json else _in_words(report))


def card(dataset: "Dataset", scores: "pd.DataFrame", segment: str | None, fresh: "np.ndarray") -> dict[str, Any]:
    """Everything that is measured, JSON-able: `figures`, `guarantees`, `precision`, `segments`, `more_labels`, and
    `indistinguishable`: the number of anomalies that equal a normal row.

    Args:
        scores: with `withdrawn` where the drift check was made: the other rows test the guarantees.
        fresh: (rows,) bool: rows that the detector was neither trained nor calibrated on.
    """
    import numpy as np

    from ad_core.evaluation import report_card
    from ad_core.evaluation.indistinguishable import equal_to_normal
    from ad_core.evaluation.of_run import run_metrics

    labels = dataset.rows["label"].to_numpy(dtype=np.float64, na_value=np.nan)
    labelled_scores = scores.assign(label=labels)
    figures = run_metrics(dataset, labelled_scores, None)["method"]
    values = scores["score"].to_numpy(dtype=np.float64)
    withdrawn = (scores["withdrawn"] != "").to_numpy() & fresh if "withdrawn" in scores else np.zeros_like(fresh)
    all_withdrawn = bool(fresh.any() and not (fresh & ~withdrawn).any())
    fresh = fresh if all_withdrawn else fresh & ~withdrawn
    tables = {
        "guarantees": report_card.guarantees_table(labels[fresh], scores["p_value"].to_numpy(dtype=np.float64)[fresh]),
        "precision": report_card.precision_table(labels, values),
    }
    if segment is not None:
        tables["segments"] = report_card.by_segment(labels, values, dataset.data[segment])
    plain = {name: json.loads(table.to_json(orient="records")) for name, table in tables.items()}
    plain |= {"withdrawn_rows": int(withdrawn.sum()), "all_withdrawn": all_withdrawn}
    return {
        "figures": figures,
        **plain,
        "more_labels": report_card.more_labels_in_words(figures),
        "indistinguishable": equal_to_normal(dataset, labels),
    }


def of_alerts(dataset: "Dataset", alerts: "Alerts", *, is_saved: bool) -> dict[str, Any]:
    """The alerts by the rule in force, JSON-able: `rule`, `saved`, `in_words`, `guarantee`, `count`, `precision` and
    `recall` by the labels (None where there is nothing to divide by), and of recordings `events` in words.
    """
    import numpy as np

    from ad_core.alerts.rule import in_force_in_words
    from ad_core.data.recordings.rows import clock_times
    from ad_core.evaluation.event_metrics import event_metrics
    from ad_core.types import Modality

    labels = dataset.rows["label"].to_numpy(dtype=np.float64, na_value=np.nan)
    anomalies, right = labels > 0, int((alerts.of_rows & (labels > 0)).sum())
    judged = int((alerts.of_rows & ~np.isnan(labels)).sum())
    found = {
        "rule": alerts.rule.model_dump(mode="json"),
        "saved": is_saved,
        "in_words": in_force_in_words(alerts.rule, is_saved=is_saved),
        "guarantee": alerts.sentence,
        "count": alerts.count,
        "precision": right / judged if judged else None,
        "recall": right / int(anomalies.sum()) if anomalies.any() else None,
    }
    if dataset.modality is Modality.SENSOR:
        time = clock_times(dataset.rows, dataset.schema)
        events = event_metrics(labels, alerts.of_rows, dataset.rows.get("entity"), time)
        found["events"] = events.in_words()
    return found


def _alerts(count: int) -> str:
    return f"{count:,} alert{'' if count == 1 else 's'}"


def _in_words(report: dict[str, Any]) -> str:
    from ad_core.evaluation.indistinguishable import equal_in_words

    figures = report["figures"]
    lines = [f"{figures['positives']:,} labelled anomalies among {figures['n']:,} rows. {figures['note']}".strip()]
    if report["indistinguishable"]:
        lines.append(equal_in_words(report["indistinguishable"], figures["positives"]))
    for name in ("vus_pr", "event_recall", "average_precision", "auroc"):
        if figures.get(name) is not None:
            interval = (
                f" [{figures[f'{name}_low']:.3f}, {figures[f'{name}_high']:.3f}]" if f"{name}_low" in figures else ""
            )
            lines.append(f"{name.replace('_', ' ')}: {figures[name]:.3f}{interval}")
    if found := report.get("masks"):
        lines.append(f"pixel AUROC {found['pixel_auroc']:.3f}, AUPRO {found['aupro']:.3f} by {found['masks']} masks")
        lines += found["notes"]
    alerts = report["alerts"]
    shares = [f"{name} {alerts[name]:.3f}" for name in ("precision", "recall") if alerts[name] is not None]
    lines += [alerts["in_words"], ", ".join([_alerts(alerts["count"]), *shares])]
    if "events" in alerts:
        lines.append(alerts["events"])
    for line in report["precision"]:
        lines.append(
            f"right among the highest {line['k']}: {line['precision']:.2f} [{line['low']:.2f}, {line['high']:.2f}]"
        )
    if "drift" in report and report["drift"]["state"] != "same":
        lines.append(report["drift"]["sentence"])
    if report["all_withdrawn"]:
        lines.append("So nothing is guaranteed for this file; these are the rates that came true:")
    elif report["withdrawn_rows"]:
        lines.append(f"The guarantees are tested without the {report['withdrawn_rows']:,} rows that it withdraws.")
    for line in report["guarantees"]:
        if line["realised"] is None:
            lines.append(f"{line['guarantee']} guaranteed {line['guaranteed']:g}: not tested, there is no alert")
        else:
            verdict = "not guaranteed" if report["all_withdrawn"] else "held" if line["held"] else "BROKEN"
            lines.append(
                f"{line['guarantee']} guaranteed {line['guaranteed']:g}: {line['realised']:.3f} "
                f"[{line['low']:.3f}, {line['high']:.3f}] of {_alerts(line['alerts'])}, {verdict}"
            )
    for line in report.get("segments", []):
        area = f"AUROC {line['auroc']:.3f}" if line["auroc"] is not None else "too few labels"
        lines.append(f"{line['segment']}: {line['positives']} of {line['n']}, {area}")
    return "\n".join([*lines, report["more_labels"]]).strip()
