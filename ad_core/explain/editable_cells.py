"""The allowed values of editable cells of a table, read from a bundle without loading its model."""

from pathlib import Path

import pandas as pd

from ad_core.data.readers.table import Table
from ad_core.data.tables.allowed_values import Allowed, allowed_in
from ad_core.errors import DataError
from ad_core.storage import bundle


def editable_in_bundle(folder: Path, data: pd.DataFrame) -> dict[str, Allowed]:
    """The allowed values of each column that a detector uses, by name.

    Args:
        folder: bundle of a detector for tables.
        data: the user's rows.

    Raises:
        BundleError: the folder is no bundle, or damaged.
        DataError: it holds no detector for tables, or the data lack a column.
    """
    facts = bundle.part(folder, "reader")
    if not facts or facts["name"] != "table":
        raise DataError("Cells can be changed in tables only; this detector is for another kind of data.")
    reader = Table(Table.Settings.parse(facts["settings"], "reader"))
    reader.restore(facts["facts"], {})
    return allowed_in(reader.codes, data)
