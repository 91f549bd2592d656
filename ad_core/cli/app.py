"""The command line: the same verbs as the app.

Exit codes: 0 done, 2 the user can mend it (one line on stderr), 1 a bug (with its trace).
"""

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ad_core.cli.evaluate import evaluate
from ad_core.cli.report import report
from ad_core.cli.threshold import threshold
from ad_core.cli.verdicts import verdicts_app
from ad_core.cli.what_if import counterfactual, whatif
from ad_core.errors import AdError

app = typer.Typer(
    help="Self-supervised anomaly detection for tables, images and sensor recordings.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


app.command()(threshold)


class Preset(StrEnum):
    """How much effort a training takes."""

    QUICK = "quick"
    STANDARD = "standard"
    THOROUGH = "thorough"


class TrainingRowsOption(StrEnum):
    """What is known of the training rows."""

    CLEAN = "clean"
    MIXED = "mixed"
    UNSURE = "unsure"


class BaselineOption(StrEnum):
    """What an item is compared with when it is explained."""

    NEAREST = "nearest"
    ZERO = "zero"
    MEAN = "mean"


Data = Annotated[list[Path], typer.Argument(metavar="DATA...", help="A file, several, or a folder or zip of images.")]
BundleFolder = Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder that `train --out` wrote.")]


@app.command()
def train(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder for the detector bundle.")],
    pretext: Annotated[str | None, typer.Option(help="Pretext task, reference or recipe; see `methods`.")] = None,
    preset: Annotated[Preset, typer.Option(help="Effort.")] = Preset.STANDARD,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    scorer: Annotated[str | None, typer.Option(help="How a pretext task is turned into a score.")] = None,
    id_column: Annotated[str | None, typer.Option("--id", help="Column that names the rows.")] = None,
    label: Annotated[str | None, typer.Option(help="Column with the truth; never trained on.")] = None,
    class_column: Annotated[str | None, typer.Option(help="Column with classes of normal rows.")] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Column to leave out; repeatable.")] = None,
    time: Annotated[str | None, typer.Option(help="Time column; makes it a sensor recording.")] = None,
    entity: Annotated[str | None, typer.Option(help="Column that tells recordings apart.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="COLUMN=VALUE: only such rows teach; repeatable.")] = None,
    by_level: Annotated[list[str] | None, typer.Option(help="Channel whose level matters; repeatable.")] = None,
    by_shape: Annotated[
        list[str] | None,
        typer.Option(help="Channel of which only the course matters, as its level drifts; repeatable."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FROM..TO[@ENTITY]", help="Times of a recording that don't teach, such as downtime; repeatable."
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    training_rows: Annotated[
        TrainingRowsOption, typer.Option(help="What is known of the training rows.")
    ] = TrainingRowsOption.UNSURE,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="A setting; repeatable.")
    ] = None,
) -> None:
    """Train a detector and write it as a bundle."""
    from ad_core import pipeline
    from ad_core.data.recordings.exclusion import parse_range
    from ad_core.settings import parse_assignments

    dataset = pipeline.open_dataset(
        data,
        label=label,
        id=id_column,
        class_column=class_column,
        time=time,
        entity=entity,
        ignore=ignore or (),
        only=only or (),
        judged_by={**dict.fromkeys(by_level or (), "level"), **dict.fromkeys(by_shape or (), "shape")},
        exclude=[parse_range(text) for text in exclude or ()],
    )
    choice = pipeline.Choice(
        pretext=pretext,
        scorer=scorer,
        preset=preset.value,
        seed=seed,
        device=device,
        training_rows=training_rows.value,
        settings=parse_assignments(settings or ()),
    )
    with _Terminal() as report:
        report.stage("load")
        for notice in dataset.notices:
            report.say(notice)
        trained = pipeline.train_all(dataset, choice, report)
    if os.environ.get("RANK", "0") != "0":  # of several processes, all of which hold the same detector, one writes
        return
    trained.detector.save(out)
    facts, taught = trained.detector.facts, len(trained.split.fit)
    typer.echo(
        f"{facts['method']} trained on {taught} items of {dataset.name} ({len(dataset)} rows); detector in {out}"
    )


@app.command()
def score(
    bundle: BundleFolder,
    data: Data,
    out: Annotated[Path, typer.Option(help="Parquet file for the scores.")],
    maps: Annotated[Path | None, typer.Option(help="Folder for one float32 .npy anomaly map per image.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
) -> None:
    """Score new data with a saved detector: one line per input row, in input order, with the alerts in `alert`."""
    import numpy as np

    from ad_core import pipeline
    from ad_core.explain.anomaly_maps import anomaly_maps
    from ad_core.training.fit import choose_device

    detector = pipeline.load_detector(bundle).to(choose_device(device))
    dataset = pipeline.open_like(detector, data)
    with _Terminal() as report:
        for sentence in dataset.notices:
            report.say(sentence)
        report.stage("score")
        scores = detector.score(dataset, report)
        found = detector.alerts(scores, dataset)
        scores["alert"] = found.of_rows
        report.say(f"{detector.rule_in_words()} {found.sentence}")
        _parquet(scores, out)
        if maps is not None:
            for row_id, anomaly_map in anomaly_maps(detector, dataset, report):
                target = maps / f"{row_id}.npy"
                target.parent.mkdir(parents=True, exist_ok=True)
                np.save(target, anomaly_map, allow_pickle=False)
    typer.echo(f"{scores['score'].notna().sum()} of {len(scores)} rows scored; {out}")


@app.command()
def explain(
    bundle: BundleFolder,
    data: Data,
    out: Annotated[Path, typer.Option(help="Parquet file for the explanations.")],
    top: Annotated[
        int, typer.Option(min=1, help="How many of the highest scores; for sensors, of the highest events.")
    ] = 20,
    row: Annotated[list[str] | None, typer.Option(help="Explain this row instead of the highest; repeatable.")] = None,
    method: Annotated[
        str | None,
        typer.Option(
            help="integrated_gradients, gradient_shap, occlusion, feature_ablation, shapley_sampling or kernel_shap."
        ),
    ] = None,
    baseline: Annotated[BaselineOption, typer.Option(help="What each item is compared with.")] = BaselineOption.NEAREST,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
) -> None:
    """Say why the highest scores are high: the share of each part in the score."""
    from ad_core import pipeline
    from ad_core.explain.attribution import How
    from ad_core.explain.explain import explain_rows, explain_top
    from ad_core.training.fit import choose_device
    from ad_core.types import Modality

    detector = pipeline.load_detector(bundle).to(choose_device(device))
    dataset = pipeline.open_like(detector, data)
    with _Terminal() as report:
        report.stage("explain")
        how = How(method, baseline.value)
        found = (
            explain_rows(detector, dataset, row, how, report)
            if row
            else explain_top(detector, dataset, top=top, how=how, report=report)
        )
        if detector.modality is Modality.SENSOR and not row:  # the rule decides which events there are
            report.say(detector.rule_in_words())
    _parquet(found.parts.merge(found.checks[["row_id", "grade"]], on="row_id", how="left"), out)
    grades = found.checks["grade"].value_counts()
    told = ", ".join(f"{count} {grade}" for grade, count in grades.items())
    typer.echo(f"{found.parts['row_id'].nunique()} cases explained ({told}); {out}")


@app.command()
def methods(as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False) -> None:
    """List what can be trained, with sources and settings."""
    from ad_core.training.catalogue import methods as cards

    if as_json:
        typer.echo(json.dumps([card.model_dump(mode="json") for card in cards()], indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "kind", "works on", "title", "source")
    for card in cards():
        table.add_row(card.name, card.kind, ", ".join(card.modalities), card.title, card.source)
    Console().print(table)


@app.command()
def recommend(
    data: Data,
    training_rows: Annotated[
        TrainingRowsOption, typer.Option(help="What is known of the training rows.")
    ] = TrainingRowsOption.UNSURE,
    seeds: Annotated[int, typer.Option(min=1, help="Short trainings of each method.")] = 2,
    minutes: Annotated[float, typer.Option(min=0.01, help="After so long no further training begins.")] = 10.0,
    method: Annotated[list[str] | None, typer.Option(help="Try only this method; repeatable.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    id_column: Annotated[str | None, typer.Option("--id", help="Column that names the rows.")] = None,
    label: Annotated[str | None, typer.Option(help="Column with the truth; it is not looked at.")] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Column to leave out; repeatable.")] = None,
    time: Annotated[str | None, typer.Option(help="Time column; makes it a sensor recording.")] = None,
    entity: Annotated[str | None, typer.Option(help="Column that tells recordings apart.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="COLUMN=VALUE: only such rows teach; repeatable.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Find the pretext task that suits the data, without labels, on synthetic anomalies; and say how sure that is."""
    from ad_core import pipeline
    from ad_core.cli.recommend import print_recommendation
    from ad_core.training.selection.recommend import recommend as find

    dataset = pipeline.open_dataset(
        data, label=label, id=id_column, time=time, entity=entity, ignore=ignore or (), only=only or ()
    )
    with _Terminal() as report:
        found = find(
            dataset,
            training_rows=training_rows.value,
            seed=seed,
            device=device,
            only=tuple(method or ()),
            plan={"seeds": seeds, "minutes": minutes},
            report=report,
        )
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        print_recommendation(found)


@app.command("app")
def start_app(
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 8501,
    headless: Annotated[bool, typer.Option(help="Do not open a browser.")] = False,
) -> None:
    """Start the app in the browser."""
    script = Path(__file__).resolve().parents[2] / "app.py"
    if not script.exists():
        raise AdError(f"The app's files are not beside the package ({script}). Start it from a clone of the project.")
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(script),
        f"--server.port={port}",
        f"--server.headless={str(headless).lower()}",
    ]
    os.chdir(script.parent)
    os.execv(sys.executable, command)


app.command()(evaluate)
app.command()(report)
app.command()(whatif)
app.command()(counterfactual)
app.add_typer(verdicts_app, name="verdicts")


def main() -> None:
    """Entry point: errors that the user can mend become one line and exit code 2."""
    try:
        app()
    except AdError as error:
        print(f"Error: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def _parquet(table: Any, out: Path) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(out, index=False)
    except OSError as error:
        raise AdError(
            f"{out} can't be written: {error.strerror or error}. Choose another place, or make room."
        ) from None


class _Terminal:
    """Follows the work with a bar on a terminal; elsewhere it only prints the notices, to stderr."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, disable=not console.is_terminal)
        self._task = self._bar.add_task("load", total=1.0)

    def __enter__(self) -> "_Terminal":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def stage(self, name: str) -> None:
        self._bar.reset(self._task, description=name, total=1.0)

    def step(self, done: float, **facts: float) -> None:
        description = (
            "train" if not facts else "  ".join(f"{k} {v:.4g}" for k, v in facts.items() if isinstance(v, float))
        )
        self._bar.update(self._task, completed=done, description=description or None)

    def say(self, message: str) -> None:
        self._bar.console.print(message, markup=False, highlight=False, soft_wrap=True)

    def check(self) -> None: ...
