"""Explanations as a table of cases and parts, and the shares that raise scores."""

import pandas as pd


def by_part(parts: pd.DataFrame) -> pd.DataFrame:
    """(case, part) sums of attributions: of columns, or of channels of recordings.

    Args:
        parts: `row_id`, `part` (or `channel`, which then counts) and `attribution`, as in `Explained.parts`.
    """
    of = "channel" if "channel" in parts and parts["channel"].notna().all() else "part"
    return parts.pivot_table(
        index="row_id", columns=of, values="attribution", aggfunc="sum", fill_value=0.0, sort=False
    )


def raising_shares(table: pd.DataFrame) -> pd.DataFrame:
    """(case, part) >= 0, every line adds up to 1: shares of positive attributions; cases without any are left out."""
    raising = table.clip(lower=0)
    total = raising.sum(axis=1)
    return raising[total > 0].div(total[total > 0], axis=0)
