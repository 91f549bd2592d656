"""Events of a recording: segments whose scores are alerts, and which channels led."""

from typing import Any

import numpy as np
import pandas as pd

from ad_core.data.item_set import ItemSet
from ad_core.detector.detector import Detector
from ad_core.detector.leading_channels import in_words_of, leads

LED = 20
"""For so many of the highest events it is looked up which channels led."""


def event_rule(detector: Detector, item_set: ItemSet) -> dict[str, Any]:
    """What makes an event of a recording: `threshold`, `by` (the p-value or percentile behind it), `merge_gap` [rows]
    and `merge_windows`, the setting that it follows from.
    """
    from ad_core.alerts.events import alarm_threshold

    threshold, by = alarm_threshold(detector.calibration)
    gap = detector.reader.events_gap(item_set)
    return {"threshold": threshold, "by": by, "merge_gap": gap.rows, "merge_windows": gap.windows}


def find_events(detector: Detector, scores: pd.DataFrame, item_set: ItemSet, led: int = LED) -> pd.DataFrame:
    """Stretches of a recording whose time stamps are alerts, see `event_rule` and `events.events`.

    Args:
        led: for so many of the highest it is looked up which channels led.

    Returns:
        Also `excluded` (whether the peak is), where times were excluded; and where the model says which channel
        surprises it, for the highest events, `leading` (the channel that led) and `leads` (the first three, and how
        long before the peak).
    """
    from ad_core.alerts.events import events

    rule = event_rule(detector, item_set)
    found = events(scores, rule["threshold"], merge_gap=rule["merge_gap"])
    if "excluded" in scores:
        found["excluded"] = found["row_id_peak"].map(scores.set_index("row_id")["excluded"]).astype(bool)
    if detector.part_levels is None or not led:
        return found
    row = pd.Series(np.arange(len(item_set.rows)), index=item_set.rows["row_id"].to_numpy())
    sample = item_set.rows["sample"].to_numpy()
    is_clock = detector.reader.has_clock
    names: list[str | None] = [None] * len(found)
    texts: list[str | None] = [None] * len(found)
    for i, event in enumerate(found.head(led).itertuples()):
        start, peak = int(row[event.row_id_start]), int(row[event.row_id_peak])
        first = leads(detector.model, item_set, detector.part_levels, (sample[start], sample[peak]), detector.device)
        if first:
            names[i], texts[i] = first[0].channel, in_words_of(first, item_set, peak, is_clock=is_clock)
    return found.assign(leading=pd.Series(names, dtype="str"), leads=pd.Series(texts, dtype="str"))
