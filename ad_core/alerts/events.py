"""Events of a recording: alarms that follow each other closely are one thing that happened.

A row is an alarm when its score reaches the threshold. Within an entity and in order of time, two alarms belong to the
same event when at most `merge_gap` scored rows without an alarm lie between them. Rows without a score neither end
nor lengthen an event. An event lasts from its first to its last alarm; its peak is its first row with the highest
score.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from ad_core.alerts.calibration import Calibration

ALERT_P, ALERT_PERCENTILE = 0.01, 99.0
"""A time stamp belongs to an event from this p-value on; where the calibration can't reach it, from this percentile on.
"""

COLUMNS = (
    "entity",
    "start",
    "peak",
    "end",
    "row_id_start",
    "row_id_peak",
    "row_id_end",
    "peak_score",
    "duration",
    "n_rows",
    "n_alarms",
)


def alarm_threshold(calibration: "Calibration") -> tuple[float, str]:
    """The score from which a time stamp is an alarm, and the p-value or percentile behind it in words."""
    threshold = calibration.threshold(ALERT_P)
    if np.isfinite(threshold):
        return threshold, f"p ≤ {ALERT_P:g}"
    beyond = f"above percentile {ALERT_PERCENTILE:g} of the calibration rows"
    return float(np.percentile(calibration.scores, ALERT_PERCENTILE)), beyond


def events(rows: pd.DataFrame, threshold: float, merge_gap: int = 0, leading: pd.Series | None = None) -> pd.DataFrame:
    """Join alarms to events.

    Args:
        rows: one line per row with `row_id`, `time` (dates or numbers), `score` and optionally `entity`; in any order.
        threshold: scores from here on are alarms.
        merge_gap: so many scored rows without an alarm may lie between two alarms of one event.
        leading: the channel that stands out in each row, parallel to `rows`; events then name the one at their peak.

    Returns:
        One line per event, highest peak first: `entity` (where there is one), `start`, `peak`, `end` (times),
        `row_id_start`, `row_id_peak`, `row_id_end`, `peak_score`, `duration` [s, or the unit of numeric times],
        `n_rows` (scored rows from start to end), `n_alarms` and, if given, `leading`.

    Raises:
        ValueError: `merge_gap` is negative.
    """
    if merge_gap < 0:
        raise ValueError(f"merge_gap counts rows and can't be negative, got {merge_gap}")
    table = rows[[c for c in ("entity", "row_id", "time", "score") if c in rows]].reset_index(drop=True)
    if leading is not None:
        table["leading"] = leading.to_numpy()
    table = table[table["score"].notna() & table["time"].notna()]
    entity = pd.factorize(table["entity"])[0] if "entity" in table else np.zeros(len(table), dtype=np.int64)
    order = np.lexsort((np.arange(len(table)), table["time"].to_numpy(), entity))
    table, entity = table.iloc[order], entity[order]
    at = np.flatnonzero(table["score"].to_numpy() >= threshold)  # positions of alarms among the scored rows
    new = np.ones(len(at), dtype=bool)
    new[1:] = (np.diff(at) > merge_gap + 1) | (np.diff(entity[at]) != 0)
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(at))[: len(first)] - 1
    return _described(table, at, np.cumsum(new) - 1, first, last)


def _described(
    table: pd.DataFrame, at: np.ndarray, event: np.ndarray, first: np.ndarray, last: np.ndarray
) -> pd.DataFrame:
    """One line per event from the positions of its alarms."""
    scores = table["score"].to_numpy(dtype=np.float64)
    by_height = np.lexsort((at, -scores[at], event))
    peak = at[by_height[np.unique(event[by_height], return_index=True)[1]]]
    start, end = at[first], at[last]
    found = {
        name: table["time"].iloc[where].reset_index(drop=True)
        for name, where in (("start", start), ("peak", peak), ("end", end))
    }
    found |= {
        f"row_id_{name}": table["row_id"].iloc[where].to_numpy()
        for name, where in (("start", start), ("peak", peak), ("end", end))
    }
    if "entity" in table:
        found["entity"] = table["entity"].iloc[start].to_numpy()
    lasts = found["end"] - found["start"]
    found["duration"] = (
        lasts.dt.total_seconds() if pd.api.types.is_timedelta64_dtype(lasts) else lasts.astype("float64")
    )
    found["peak_score"], found["n_rows"], found["n_alarms"] = (
        scores[peak],
        end - start + 1,
        np.bincount(event, minlength=len(first)),
    )
    if "leading" in table:
        found["leading"] = table["leading"].iloc[peak].to_numpy()
    result = pd.DataFrame(found)[[c for c in (*COLUMNS, "leading") if c in found]]
    return result.sort_values("peak_score", ascending=False, kind="stable", ignore_index=True)
