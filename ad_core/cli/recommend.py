"""The verb `recommend`: methods tried on synthetic anomalies, as a table on the terminal."""

from typing import TYPE_CHECKING, Annotated

import typer

from ad_core.cli.options import (
    AsJson,
    Assignments,
    DataOptions,
    Device,
    Seed,
    TrainingRowsChoice,
    TrainingRowsOption,
    with_data_options,
)
from ad_core.cli.terminal import TerminalReport

if TYPE_CHECKING:
    from ad_core.training.selection.recommendation import Figure, Recommendation


@with_data_options
def recommend(
    data: DataOptions,
    training_rows: TrainingRowsChoice = TrainingRowsOption.UNSURE,
    seeds: Annotated[int, typer.Option(min=1, help="Number of short trainings of each method.")] = 2,
    minutes: Annotated[float, typer.Option(min=0.01, help="Minutes after which no further training begins.")] = 10.0,
    method: Annotated[list[str] | None, typer.Option(help="Try only this method; repeatable.")] = None,
    seed: Seed = 0,
    device: Device = "auto",
    settings: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Compare methods on synthetic anomalies, without labels, and say how sure the comparison is.

    Settings of the section reader apply; those of one method can't, as many methods are tried.
    """
    from ad_core.errors import SettingsError
    from ad_core.settings import parse_assignments
    from ad_core.training.selection.recommend import recommend as find

    sections = parse_assignments(settings or ())
    if unused := [section for section in sections if section != "reader"]:
        raise SettingsError(
            f"recommend tries many methods and takes settings of the section reader only, not of "
            f"{' and '.join(unused)}. Leave them out, and set them in train."
        )
    dataset = data.open()
    with TerminalReport() as report:
        for notice in dataset.notices:
            report.say(notice)
        recommendation = find(
            dataset,
            training_rows=training_rows.value,
            seed=seed,
            device=device,
            only=tuple(method or ()),
            plan={"seeds": seeds, "minutes": minutes},
            reader=sections.get("reader"),
            report=report,
        )
    if as_json:
        typer.echo(recommendation.model_dump_json(indent=2))
    else:
        print_recommendation(recommendation)


def print_recommendation(recommendation: "Recommendation") -> None:
    """A line per method with its AUROC and interval per kind of synthetic anomaly, then the sentences."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(title="AUROC of synthetic anomalies against held-out normal items [95 % interval]")
    table.add_column("method", no_wrap=True)
    for kind in recommendation.kinds.values():
        table.add_column(kind["title"], justify="right")
    for name in ("mean", "seeds agree", "seconds"):
        table.add_column(name, justify="right")
    for line in recommendation.standings:
        agreement = "–" if line.agreement is None else f"{line.agreement:.2f}"
        figures = [_figure(line.by_kind[kind]) for kind in recommendation.kinds]
        table.add_row(line.method, *figures, _figure(line.mean), agreement, f"{line.seconds:.1f}")
    console.print(table)
    for kind in recommendation.kinds.values():
        console.print(f"{kind['title']}: {kind['says']}", highlight=False, markup=False)
    for name, reason in recommendation.failed.items():
        console.print(f"{name}: {reason}", highlight=False, markup=False)
    for sentence in (*recommendation.notices, *recommendation.sentences):
        console.print(sentence, highlight=False, markup=False)


def _figure(figure: "Figure") -> str:
    return f"{figure.auroc:.2f} [{figure.low:.2f}–{figure.high:.2f}]".replace("0.", ".")
