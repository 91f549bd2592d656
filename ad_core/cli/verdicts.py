"""The verbs `verdicts export` and `verdicts import`: verdicts on rows, from the app's store to a file and back."""

from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer

from ad_core.cli.terminal import writable
from ad_core.errors import AdError

verdicts_app = typer.Typer(
    help="Export and import verdicts on rows, in the app's folder that AD_HOME names.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Which = Annotated[str, typer.Argument(metavar="RUN_OR_DATASET", help="Id of a run or of a data set.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A .csv, .parquet or .jsonl file.")]


@verdicts_app.command("export")
def export_verdicts(
    which: Which,
    file: File,
    newest: Annotated[bool, typer.Option(help="Only the newest verdict on each row, not the whole history.")] = False,
) -> None:
    """Write the verdicts on a data set to a file."""
    from ad_core.review import verdict_files
    from ad_core.storage import verdicts
    from ad_core.storage.store import Store

    store = Store.open()
    dataset_id = verdict_files.dataset_of(store, which)
    lines = (verdicts.current if newest else verdicts.history)(store, dataset_id)
    content = verdict_files.to_file(lines, file.suffix.lower().removeprefix("."))
    with writable(file):
        file.write_bytes(content)
    typer.echo(f"{len(lines)} verdicts on {lines['row_id'].nunique()} rows; {file}")


@verdicts_app.command("import")
def import_verdicts(
    which: Which,
    file: File,
    author: Annotated[
        str | None, typer.Option(help="Author of verdicts that name none; default is the user of this machine.")
    ] = None,
) -> None:
    """Add the verdicts in a file to a data set; those that it has already are skipped."""
    from ad_core.review import verdict_files
    from ad_core.storage.store import Store

    store = Store.open()
    dataset_id = verdict_files.dataset_of(store, which)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise AdError(f"{file} can't be read: {error.strerror or error}. Check its name.") from None
    table = verdict_files.from_file(content, file.name)
    taken = verdict_files.import_verdicts(store, dataset_id, table, author or getuser())
    typer.echo(taken.in_words())
