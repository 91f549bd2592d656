"""The verb `train`: a detector bundle from training data."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ad_core.cli.options import (
    Assignments,
    DataOptions,
    Device,
    Seed,
    TrainingRowsChoice,
    TrainingRowsOption,
    with_data_options,
)
from ad_core.cli.terminal import TerminalReport


class Preset(StrEnum):
    """How long a pretext task is trained."""

    QUICK = "quick"
    STANDARD = "standard"
    THOROUGH = "thorough"


@with_data_options
def train(
    data: DataOptions,
    out: Annotated[Path, typer.Option(help="Folder for the detector bundle.")],
    pretext: Annotated[
        str | None,
        typer.Option(help="Recipe, pretext task or classical detector, see `methods`; balanced if left out."),
    ] = None,
    preset: Annotated[Preset, typer.Option(help="How long a pretext task is trained.")] = Preset.STANDARD,
    seed: Seed = 0,
    scorer: Annotated[
        str | None, typer.Option(help="Scorer of a pretext task, see `methods`; its own score if left out.")
    ] = None,
    device: Device = "auto",
    training_rows: TrainingRowsChoice = TrainingRowsOption.UNSURE,
    trim_calibration: Annotated[
        bool | None,
        typer.Option(
            help="Leave calibration rows that are taken for anomalies out of the calibration; if left out, where the "
            "training rows are mixed."
        ),
    ] = None,
    settings: Assignments = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Say what is done with each column.")] = False,
) -> None:
    """Train a detector and write it as a bundle."""
    from ad_core import pipeline
    from ad_core.settings import parse_assignments

    dataset = data.open()
    choice = pipeline.Choice(
        pretext=pretext,
        scorer=scorer,
        preset=preset.value,
        seed=seed,
        device=device,
        training_rows=training_rows.value,
        trim_calibration=trim_calibration,
        settings=parse_assignments(settings or ()),
    )
    with TerminalReport() as report:
        report.stage("load")
        for notice in (*dataset.notices, *(dataset.report().lines if verbose else ())):
            report.say(notice)
        trained = pipeline.train_all(dataset, choice, report)
    if os.environ.get("RANK", "0") != "0":  # of several processes, all of which hold the same detector, one writes
        return
    trained.detector.save(out)
    method, fitted = trained.detector.info.method, len(trained.split.fit)
    typer.echo(f"{method} trained on {fitted} items of {dataset.name} ({len(dataset)} rows); detector in {out}")
