"""The verb `score`: anomaly scores and alerts of new data."""

from pathlib import Path
from typing import Annotated

import typer

from ad_core.cli.options import AllowMissing, BundleFolder, Device, Sheet, Sources
from ad_core.cli.terminal import TerminalReport, write_parquet


def score(
    bundle: BundleFolder,
    data: Sources,
    out: Annotated[Path, typer.Option(help="Parquet file for the scores.")],
    maps: Annotated[Path | None, typer.Option(help="Folder for one float32 .npy anomaly map per image.")] = None,
    allow_missing: AllowMissing = False,
    sheet: Sheet = None,
    device: Device = "auto",
) -> None:
    """Score new data with a saved detector: one line per input row, in input order, with the alerts in `alert` and in
    `withdrawn` why no error rate is guaranteed for a row, where that is so."""
    import numpy as np

    from ad_core import pipeline
    from ad_core.alerts.calibration_check import check_calibration, held_back
    from ad_core.explain.anomaly_maps import anomaly_maps
    from ad_core.training.fit import choose_device

    detector = pipeline.load_detector(bundle).to(choose_device(device))
    dataset = pipeline.open_like(detector, data, {"sheet": sheet}, allow_missing=allow_missing)
    with TerminalReport() as report:
        for sentence in dataset.notices:
            report.say(sentence)
        report.stage("score")
        scores = detector.score(dataset, report)
        compared = detector.compared(scores, dataset)
        rows = detector.marked(scores, dataset).assign(withdrawn=compared.withdrawn)
        alerts = detector.alerts(rows, dataset)
        scores["alert"], scores["withdrawn"] = alerts.of_rows, compared.withdrawn
        if compared.state != "same":
            report.say(compared.sentence)
        report.say(f"{detector.rule_in_words()} {alerts.sentence}")
        judged = (detector.rule, rows, detector.calibration)
        if doubt := check_calibration(*judged) or held_back(*judged):
            report.say(doubt.in_words())
        write_parquet(scores, out)
        if maps is not None:
            for row_id, anomaly_map in anomaly_maps(detector, dataset, report):
                target = maps / f"{row_id}.npy"
                target.parent.mkdir(parents=True, exist_ok=True)
                np.save(target, anomaly_map, allow_pickle=False)
    found = f"{alerts.count} alert{'' if alerts.count == 1 else 's'}"
    typer.echo(f"{scores['score'].notna().sum()} of {len(scores)} rows scored, {found}; {out}")
