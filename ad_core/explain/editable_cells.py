"""Which cells of a table may be edited, and to what, read from a bundle without loading its model."""

from pathlib import Path

import pandas as pd

from ad_core.data.readers.table import Table
from ad_core.data.tables.allowed_values import Allowed, allowed_in
from ad_core.errors import DataError
from ad_core.storage import bundle


def editable_in_bundle(folder: Path, data: pd.DataFrame) -> dict[str, Allowed]:
    """What may stand in each column that a detector uses, by name.

    Args:
        folder: of the bundle of a detector of tables.
        data: rows as the user has them.

    Raises:
        BundleError: the folder is no bundle, or damaged.
        DataError: it holds no detector of tables, or the data have lost a column since the training.
    """
    facts = bundle.part(folder, "reader")
    if not facts or facts["name"] != "table":
        raise DataError("Cells can be changed in tables only; this detector is of another kind of data.")
    reader = Table(Table.Settings.parse(facts["settings"], "reader"))
    reader.restore(facts["facts"], {})
    return allowed_in(reader.codes, data)
