"""Stability of alerts over the trainings of `ad_core.jobs.sensitivity`, read from the table of their ranks."""

import pandas as pd

RANK = "rank_without_"


def column(share: float) -> str:
    """`rank_without_1` for the share 0.01."""
    return f"{RANK}{100 * share:g}"


def stable(table: pd.DataFrame, alerts: int) -> pd.Series:
    """(rows,) number of trainings in which each row was among the `alerts` highest scores.

    Args:
        table: as `sensitivity` returns it.
        alerts: number of alerts at the threshold in force.
    """
    columns = [name for name in table if name.startswith(RANK)]
    return (table[columns] <= alerts).sum(axis=1)
