"""Options that several verbs share, each declared once.

Typer reads options from a function's parameters. `with_data_options` lets a verb take one `DataOptions` instead and
hands its fields to Typer, so that two verbs can't come to read the same files differently.
"""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from ad_core.data.dataset import Dataset


class TrainingRowsOption(StrEnum):
    """What is known of the training rows."""

    CLEAN = "clean"
    MIXED = "mixed"
    UNSURE = "unsure"


Sources = Annotated[
    list[Path], typer.Argument(metavar="DATA...", help="A file, several, or a folder or zip of images.")
]
BundleFolder = Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder that `train --out` wrote.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of all random numbers.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TrainingRowsChoice = Annotated[
    TrainingRowsOption,
    typer.Option(help="Whether the training rows are free of anomalies (clean), may hold some (mixed), or unsure."),
]
AllowMissing = Annotated[
    bool,
    typer.Option(
        "--allow-missing",
        help="Score data that lack columns of the training data, or hold nothing in them: those are filled in from "
        "similar training rows, and only the others are scored.",
    ),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="A setting, such as training.max_epochs=5; repeatable."),
]

PANEL = "Data"
"""Heading of the data options in a verb's help."""
Sheet = Annotated[
    str | None,
    typer.Option(help="Sheet of a workbook; the first filled one if left out.", rich_help_panel=PANEL),
]


def _option(*names: str, **more: Any) -> Any:
    return typer.Option(*names, rich_help_panel=PANEL, **more)


@dataclass(frozen=True)
class DataOptions:
    """Everything that the command line can say of training data."""

    sources: Sources
    id_column: Annotated[str | None, _option("--id", help="Column that names the rows.")] = None
    label: Annotated[str | None, _option(help="Column with the true labels; never trained on.")] = None
    class_column: Annotated[str | None, _option(help="Column with the classes of normal rows.")] = None
    ignore: Annotated[list[str] | None, _option(help="Column to leave out; repeatable.")] = None
    use: Annotated[
        list[str] | None,
        _option(help="Column to train on although it would be left out or may hold true labels; repeatable."),
    ] = None
    category: Annotated[
        list[str] | None,
        _option(help="Column to train on as a category, such as an id of a machine; repeatable."),
    ] = None
    watch: Annotated[
        list[str] | None,
        _option(help="Column that is not learnt from, but in which a new value is an alarm; repeatable."),
    ] = None
    time: Annotated[str | None, _option(help="Time column; the data are then a sensor recording.")] = None
    entity: Annotated[str | None, _option(help="Column that tells several recordings in one file apart.")] = None
    only: Annotated[
        list[str] | None,
        _option(metavar="COLUMN=VALUE", help="Train only on rows with this value; all are scored; repeatable."),
    ] = None
    exclude: Annotated[
        list[str] | None,
        _option(
            metavar="FROM..TO[@ENTITY]",
            help="Time range of a recording that is not trained on, such as downtime; repeatable.",
        ),
    ] = None
    folder: Annotated[
        list[str] | None,
        _option(
            metavar="NAME=USE",
            help="Images: what a folder is, where its name says something else: train, normal, anomaly, unknown (only "
            "scored) or mask (left out); * = all folders; repeatable.",
        ),
    ] = None
    by_level: Annotated[
        list[str] | None, _option(help="Channel whose level matters: one that drifts is an anomaly; repeatable.")
    ] = None
    by_shape: Annotated[
        list[str] | None,
        _option(help="Channel of which only the shape matters, as its level drifts in normal use; repeatable."),
    ] = None

    sheet: Sheet = None
    header: Annotated[
        int | None,
        _option(min=0, help="Line of the column names, 1 = the first, 0 = there is none; guessed if left out."),
    ] = None
    every_line: Annotated[
        bool,
        _option("--every-line", help="Take every line below the header as a row, also units, totals and footers."),
    ] = False

    def open(self) -> "Dataset":
        """The data, opened as these options say.

        Raises:
            DataError: they can't be read or used, or a column may hold true labels.
        """
        from ad_core import pipeline
        from ad_core.data.dataset import ColumnKind
        from ad_core.data.label_questions import refuse_undecided
        from ad_core.data.recordings.exclusion import parse_range

        level, shape = set(self.by_level or ()), set(self.by_shape or ())
        dataset = pipeline.open_dataset(
            self.sources,
            id=self.id_column,
            label=self.label,
            class_column=self.class_column,
            ignore=self.ignore or (),
            use=(*(self.use or ()), *(self.category or ())),
            kinds=dict.fromkeys(self.category or (), ColumnKind.CATEGORY),
            watch=self.watch or (),
            time=self.time,
            entity=self.entity,
            only=self.only or (),
            folders=dict(_named_use(text) for text in self.folder or ()),
            exclude=[parse_range(text) for text in self.exclude or ()],
            sheet=self.sheet,
            header=self.header,
            every_line=self.every_line,
            judged_by={
                channel: "both" if channel in level & shape else "level" if channel in level else "shape"
                for channel in (*(self.by_level or ()), *(self.by_shape or ()))
            },
        )
        refuse_undecided(dataset, "shell")
        return dataset


def _named_use(text: str) -> tuple[str, str]:
    from ad_core.errors import DataError

    name, equals, use = text.rpartition("=")
    if not equals:
        raise DataError(f"--folder {text!r} does not say what the folder is. Write NAME=USE, such as scratch=anomaly.")
    return name.strip(), use.strip()


def with_data_options(verb: Callable[..., None]) -> Callable[..., None]:
    """Show Typer the fields of `DataOptions` in place of the verb's parameter `data`, and hand them over as one."""
    hints = get_type_hints(DataOptions, include_extras=True)
    options = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(DataOptions)
    ]
    own = inspect.signature(verb, eval_str=True).parameters.values()
    others = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own if p.name != "data"]

    @wraps(verb)
    def expanded(**values: Any) -> None:
        data = DataOptions(**{option.name: values.pop(option.name) for option in options})
        verb(data=data, **values)

    expanded.__signature__ = inspect.Signature([*others, *options])  # type: ignore[attr-defined]
    expanded.__annotations__ = {parameter.name: parameter.annotation for parameter in (*others, *options)}
    return expanded
