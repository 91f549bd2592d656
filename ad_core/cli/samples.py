"""The verb `samples`: the data sets that ship with the product, and a copy of them in a folder of the user's."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from ad_core.cli.terminal import writable
from ad_core.errors import AdError


def samples(
    copy: Annotated[
        Path | None, typer.Option(help="Folder for a copy of all samples, such as sample_data; it must be new.")
    ] = None,
) -> None:
    """List the data sets that ship with the product, or copy them, so that paths in the documentation exist."""
    from ad_core.data import sample_datasets

    listed = sample_datasets.samples()
    if not listed:
        raise AdError(f"The samples are missing ({sample_datasets.FOLDER}). Install Anomaly Lens again.")
    if copy is not None:
        if copy.exists():
            raise AdError(f"{copy} exists already. Name a folder that does not exist yet.")
        with writable(copy):
            shutil.copytree(sample_datasets.FOLDER, copy, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
        typer.echo(f"{len(listed)} samples copied to {copy}")
        return
    for sample in listed:
        typer.echo(f"{sample.title} ({sample.modality}, {sample.rows:,} rows): {', '.join(map(str, sample.train))}")
