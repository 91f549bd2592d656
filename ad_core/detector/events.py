"""Events of a recording: time stamps that are alerts under the rule in force, merged, and which channels led."""

from typing import Any

import numpy as np
import pandas as pd

from ad_core.alerts.events import events
from ad_core.alerts.rule import Rule
from ad_core.alerts.threshold import Alerts
from ad_core.data.item_set import ItemSet
from ad_core.detector.detector import Detector
from ad_core.detector.leading_channels import in_words_of, leads

LED = 20
"""Number of highest events for which it is looked up which channels led."""


def event_rule(detector: Detector, item_set: ItemSet, rule: Rule) -> dict[str, Any]:
    """What makes an event of a recording, JSON-able: the `rule` that decides which time stamps are alerts, `merge_gap`
    [rows], and `merge_windows`, the setting that the gap follows from.
    """
    gap = detector.reader.events_gap(item_set)
    return {"rule": rule.model_dump(mode="json"), "merge_gap": gap.rows, "merge_windows": gap.windows}


def find_events(
    detector: Detector, scores: pd.DataFrame, item_set: ItemSet, alerts: Alerts, led: int = LED
) -> pd.DataFrame:
    """The events of a recording; see `alerts.events.events`.

    Args:
        alerts: which of the scored rows are alerts, such as `Detector.alerts` gives.
        led: number of highest events for which it is looked up which channels led.

    Returns:
        Columns of `alerts.events.events`. Where the model has scores per channel, also `leading` (the one that led),
        `leads` (the first three, how long before the peak, and how far), and of the first `leading_sd` and `leading_p`
        (see `Lead`), filled for the highest events. Where no channel passes the test, `leads` says so.
    """
    found = events(scores, alerts.of_rows, detector.reader.events_gap(item_set).rows)
    if detector.usual_parts is None or not led:
        return found
    row = pd.Series(np.arange(len(item_set.rows)), index=item_set.rows["row_id"].to_numpy())
    sample = item_set.rows["sample"].to_numpy()
    is_clock = detector.reader.has_clock
    names: list[str | None] = [None] * len(found)
    texts: list[str | None] = [None] * len(found)
    sizes = np.full((len(found), 2), np.nan)
    for i, event in enumerate(found.head(led).itertuples()):
        start, peak = int(row[event.row_id_start]), int(row[event.row_id_peak])
        first = leads(detector.model, item_set, detector.usual_parts, (sample[start], sample[peak]), detector.device)
        texts[i] = in_words_of(first, item_set, peak, is_clock=is_clock)
        if first:
            names[i], sizes[i] = first[0].channel, (first[0].size, first[0].p)
    named = {"leading": pd.Series(names, dtype="str"), "leads": pd.Series(texts, dtype="str")}
    return found.assign(**named, leading_sd=sizes[:, 0], leading_p=sizes[:, 1])
