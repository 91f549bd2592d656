"""`ad_core.reader` until 0.3.0; see `ad_core.old_paths`."""

from ad_core.old_paths import moved, unchanged

NAMES = {
    **unchanged(
        "ad_core.plugins",
        "READERS",
        "Column",
        "Dataset",
        "Declared",
        "Reader",
        "Role",
        "Schema",
        "fingerprint_of",
        "row_ids",
    ),
    "Kind": "ad_core.plugins:ColumnKind",
    **unchanged("ad_core.data.dataset", "HASHED_AT_A_TIME"),
}
__getattr__ = moved("ad_core.reader", NAMES)
