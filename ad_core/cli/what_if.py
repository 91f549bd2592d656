"""The verbs `whatif` and `counterfactual`: a row with other values, and the smallest change that makes it normal."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ad_core.cli.options import AllowMissing, AsJson, BundleFolder, Device, Sheet
from ad_core.cli.terminal import say_differences
from ad_core.errors import SettingsError

if TYPE_CHECKING:
    from ad_core.data.dataset import Dataset
    from ad_core.detector.detector import Detector

Data = Annotated[list[Path], typer.Argument(metavar="DATA...", help="The data that hold the row.")]
Row = Annotated[str, typer.Option(help="Id of the row.")]


def whatif(
    bundle: BundleFolder,
    data: Data,
    row: Row,
    assignments: Annotated[list[str], typer.Option("--set", metavar="COLUMN=VALUE", help="A new value; repeatable.")],
    allow_missing: AllowMissing = False,
    as_json: AsJson = False,
    sheet: Sheet = None,
    device: Device = "auto",
) -> None:
    """Score a row of a table with other values in some cells, beside what it scores as it is."""
    from ad_core import pipeline
    from ad_core.devices import choose_device
    from ad_core.explain.what_if import editable, what_if
    from ad_core.types import Modality

    detector = pipeline.load_detector(bundle).to(choose_device(device))
    dataset = pipeline.open_like(detector, data, {"sheet": sheet}, allow_missing=allow_missing)
    if detector.modality is Modality.TABLE:
        say_differences(detector, dataset)
    editable(detector, dataset)  # images and recordings are told before anything is scored
    changes = dict(_parted(text) for text in assignments)
    found = what_if(detector, dataset, row, [changes], boundary(detector, dataset, row))
    typer.echo(detector.rule_in_words(), err=True)
    if as_json:
        typer.echo(found.to_json(orient="records", indent=2, force_ascii=False))
        return
    for line in found.to_dict("records"):
        alert = "an alert" if line["alert"] else "no alert"
        text = f"score {line['score']:.4g}, percentile {line['percentile']:.4g}, p {line['p_value']:.3g}, {alert}"
        note = "" if not line["note"] else line["note"] if line["score"] != line["score"] else f"{text}. {line['note']}"
        typer.echo(f"{line['try']}: {note or text}")


def counterfactual(
    bundle: BundleFolder,
    data: Data,
    row: Row,
    fixed: Annotated[list[str] | None, typer.Option(help="Column or channel that must stay; repeatable.")] = None,
    allow_missing: AllowMissing = False,
    as_json: AsJson = False,
    sheet: Sheet = None,
    device: Device = "auto",
) -> None:
    """Find the smallest change of at most three parts that makes a row normal, or say that there is none."""
    from ad_core import pipeline
    from ad_core.devices import choose_device
    from ad_core.explain.counterfactual.find import counterfactual as find
    from ad_core.progress import Silent

    detector = pipeline.load_detector(bundle).to(choose_device(device))
    dataset = pipeline.open_like(detector, data, {"sheet": sheet}, allow_missing=allow_missing)
    say_differences(detector, dataset)
    answer = find(detector, dataset, row, boundary(detector, dataset, row), Silent(), tuple(fixed or ())).facts
    typer.echo(detector.rule_in_words(), err=True)
    if as_json:
        typer.echo(json.dumps(json.loads(answer.model_dump_json()), indent=2, ensure_ascii=False))
        return
    for sentence in (answer.sentence, *(f"or {other['sentence']}" for other in answer.others)):
        typer.echo(sentence)


def boundary(detector: "Detector", dataset: "Dataset", row_id: str) -> float:
    """The lowest score at which a row is an alert by the rule in force."""
    from ad_core.alerts.boundary import TOGETHER, alert_boundary
    from ad_core.explain.what_if import only_row, position
    from ad_core.types import Modality

    rule, at = detector.rule, position(dataset, row_id)
    alone = rule.kind not in TOGETHER and detector.modality is not Modality.SENSOR
    scored = only_row(dataset, at) if alone else dataset
    scores = detector.marked(detector.score(scored), scored)
    return alert_boundary(rule, scores, row_id, detector.calibration, detector.calibration_rows)


def _parted(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise SettingsError(f"{text!r} is no assignment. Write COLUMN=VALUE, such as --set 'amount=12.5'.")
    return name.strip(), value.strip()
