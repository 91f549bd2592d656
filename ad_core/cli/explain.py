"""The verb `explain`: attributions of the highest scores."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ad_core.cli.options import AllowMissing, BundleFolder, Device, Sheet, Sources
from ad_core.cli.terminal import TerminalReport, write_parquet


class BaselineOption(StrEnum):
    """What an item is compared with when it is explained."""

    NEAREST = "nearest"
    ZERO = "zero"
    MEAN = "mean"


def explain(
    bundle: BundleFolder,
    data: Sources,
    out: Annotated[Path, typer.Option(help="Parquet file for the explanations.")],
    top: Annotated[
        int, typer.Option(min=1, help="Number of highest scores to explain; of a recording, of highest events.")
    ] = 20,
    row: Annotated[
        list[str] | None, typer.Option(help="Id of a row to explain instead of the highest; repeatable.")
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            help="Attribution method: integrated_gradients, gradient_shap, occlusion, feature_ablation, "
            "shapley_sampling or kernel_shap."
        ),
    ] = None,
    baseline: Annotated[
        BaselineOption, typer.Option(help="Baseline: the nearest normal item, zeros, or the mean normal item.")
    ] = BaselineOption.NEAREST,
    allow_missing: AllowMissing = False,
    sheet: Sheet = None,
    device: Device = "auto",
) -> None:
    """Explain the highest scores: how much each column, channel or region contributes."""
    from ad_core import pipeline
    from ad_core.explain.attribution import How
    from ad_core.explain.explain import explain_rows, explain_top
    from ad_core.explain.faithfulness import SCORES
    from ad_core.training.fit import choose_device
    from ad_core.types import Modality

    detector = pipeline.load_detector(bundle).to(choose_device(device))
    dataset = pipeline.open_like(detector, data, {"sheet": sheet}, allow_missing=allow_missing)
    with TerminalReport() as report:
        for sentence in (*dataset.notices, *detector.reader.match(dataset)):
            report.say(sentence)
        if detector.modality is Modality.SENSOR and not row:  # the rule decides which events there are
            report.say(detector.rule_in_words())
        report.stage("explain")
        how = How(method, baseline.value)
        explanations = (
            explain_rows(detector, dataset, row, how, report)
            if row
            else explain_top(detector, dataset, top=top, how=how, report=report)
        )
    table = explanations.parts.merge(explanations.checks[["row_id", "grade", *SCORES]], on="row_id", how="left")
    write_parquet(table, out)
    grades = explanations.checks["grade"].value_counts()
    summary = ", ".join(f"{count} {grade}" for grade, count in grades.items())
    typer.echo(f"{explanations.parts['row_id'].nunique()} cases explained ({summary}); {out}")
