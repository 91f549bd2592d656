"""How often an alert survived the trainings of `ad_core.jobs.sensitivity`, read from the table that they left."""

import pandas as pd

RANK = "rank_without_"


def column(share: float) -> str:
    """`rank_without_1` of 0.01."""
    return f"{RANK}{100 * share:g}"


def stable(found: pd.DataFrame, alerts: int) -> pd.Series:
    """(rows,) how often each row was among so many of the most unusual ones.

    Args:
        found: as `sensitivity` gives it.
        alerts: how many rows are alerts at the threshold in force.
    """
    columns = [name for name in found if name.startswith(RANK)]
    return (found[columns] <= alerts).sum(axis=1)
