"""Events of a recording: alerts that follow each other closely are one event.

Which time stamps are alerts is decided by the rule in force (`rule.rule_in_force`). Within a recording and in order of
time, two alerts belong to the same event when at most `merge_gap` scored time stamps that are no alerts lie between
them. Time stamps without a score neither end nor lengthen an event. An event lasts from its first to its last alert;
its peak is its first alert with the highest score.
"""

import numpy as np
import pandas as pd

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
LED_BY = ("leading", "leads", "leading_sd", "leading_p")
"""Columns on the channels that led an event: the first one, the first three in words, and of the first its size and its
test against chance. Older tables lack the last two.
"""


def events(rows: pd.DataFrame, alert: np.ndarray, merge_gap: int = 0, leading: pd.Series | None = None) -> pd.DataFrame:
    """Join alerts to events.

    Args:
        rows: one line per time stamp with `row_id`, `time` (dates or numbers), `score` and optionally `entity` and
            `excluded`; in any order.
        alert: (rows,) bool, as `threshold.apply` gives it.
        merge_gap: maximum number of scored rows without an alert between two alerts of one event.
        leading: the channel that stands out in each row, parallel to `rows`; events then name the one at their peak.

    Returns:
        One line per event, highest peak first: `entity` (where there is one), `start`, `peak`, `end` (times),
        `row_id_start`, `row_id_peak`, `row_id_end`, `peak_score`, `duration` [s, or the unit of numeric times],
        `n_rows` (scored rows from start to end), `n_alarms` (alerts), and where they are given `leading` and
        `excluded` (whether the peak is).

    Raises:
        ValueError: `merge_gap` is negative, or `alert` is not parallel to the rows.
    """
    if merge_gap < 0:
        raise ValueError(f"merge_gap counts rows and can't be negative, got {merge_gap}")
    if len(alert) != len(rows):
        raise ValueError(f"alert needs one value per row, got {len(alert)} for {len(rows)} rows")
    table = rows[[c for c in ("entity", "row_id", "time", "score", "excluded") if c in rows]].reset_index(drop=True)
    table["alert"] = np.asarray(alert, dtype=bool)
    if leading is not None:
        table["leading"] = leading.to_numpy()
    table = table[table["score"].notna() & table["time"].notna()]
    entity = pd.factorize(table["entity"])[0] if "entity" in table else np.zeros(len(table), dtype=np.int64)
    order = np.lexsort((np.arange(len(table)), table["time"].to_numpy(), entity))
    table, entity = table.iloc[order], entity[order]
    at = np.flatnonzero(table["alert"].to_numpy())  # positions of alerts among the scored rows
    new = np.ones(len(at), dtype=bool)
    new[1:] = (np.diff(at) > merge_gap + 1) | (np.diff(entity[at]) != 0)
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(at))[: len(first)] - 1
    return _described(table, at, np.cumsum(new) - 1, first, last)


def with_leads(found: pd.DataFrame, known: pd.DataFrame | None) -> pd.DataFrame:
    """Events with the channels that led, as far as those of an event with the same peak are known.

    Args:
        found: as `events` gives them.
        known: earlier events with the columns LED_BY; None = there are none.

    Returns:
        `found`, with those of LED_BY that `known` has; missing for peaks that are not among the known ones.
    """
    if known is None:
        return found
    by_peak = known.drop_duplicates("row_id_peak").set_index("row_id_peak")
    return found.assign(**{name: found["row_id_peak"].map(by_peak[name]) for name in LED_BY if name in by_peak})


def _described(
    table: pd.DataFrame, at: np.ndarray, event: np.ndarray, first: np.ndarray, last: np.ndarray
) -> pd.DataFrame:
    """One line per event from the positions of its alerts."""
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
    at_peak = [name for name in ("leading", "excluded") if name in table]
    found |= {name: table[name].iloc[peak].to_numpy() for name in at_peak}
    result = pd.DataFrame(found)[[c for c in (*COLUMNS, *at_peak) if c in found]]
    return result.sort_values("peak_score", ascending=False, kind="stable", ignore_index=True)
