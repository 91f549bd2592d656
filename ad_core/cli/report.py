"""The verb `report`: a whole run of the app as one file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ad_core.cli.terminal import writable
from ad_core.errors import AdError

if TYPE_CHECKING:
    from ad_core.data.dataset import Dataset
    from ad_core.storage.store import Store


def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Id of a run in the app's folder, which AD_HOME names.")],
    out: Annotated[Path, typer.Option(help="File for the report, .html or .json.")],
) -> None:
    """Write a run as one file: global feature importance, groups of alerts, the highest alerts, data and settings."""
    from ad_core.review.reports import run_report
    from ad_core.storage.store import Store

    if out.suffix.lower() not in (".html", ".json"):
        raise AdError(f"A report is written as .html or .json, not as {out.suffix or out.name!r}. Name such a file.")
    store = Store.open()
    facts, shown = run_report.gather(store, run, opened(store, run))
    content = run_report.to_json(facts) if out.suffix.lower() == ".json" else run_report.to_html(facts, shown)
    with writable(out):
        out.write_text(content, encoding="utf-8")
    typer.echo(f"{facts['counts']['alerts']} alerts of {facts['counts']['scored']} scored rows; report in {out}")


def opened(store: "Store", run_id: str) -> "Dataset | None":
    """The rows that a run scored; None, with a message, where their files are gone or can't be read any more."""
    from ad_core.data.opening import open_as
    from ad_core.storage import results

    training = results.detector_run(store, run_id)
    record = store.dataset(store.run(run_id).dataset_id)
    declared = results.facts(store, training.id).get("declared") or {}
    try:
        return open_as(declared, list(record.sources), record.declared)
    except AdError as error:
        typer.echo(f"The data can't be opened any more, so pictures and rules are left out: {error}", err=True)
        return None
