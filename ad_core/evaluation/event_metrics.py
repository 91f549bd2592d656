"""Event metrics of the alerts in recordings: detected events, detection delay and false alarms per day."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ad_core.evaluation.range_metrics import rows_per_day, runs


@dataclass(frozen=True)
class EventMetrics:
    """Alerts compared with labelled events."""

    events: pd.DataFrame
    """One line per event: `recording`, `start`, `end` (time stamps, or positions if there is no clock), `found`,
    `delay` (from its start to its first alert: a time difference, or rows; missing if it was not found)."""
    false_alarms: int
    """Number of runs of alerts that touch no event."""
    days: float
    """Time outside events [d]; without a clock 1,440 rows count as a day."""

    @property
    def found(self) -> int:
        """Number of events with an alert."""
        return int(self.events["found"].sum())

    @property
    def false_alarms_per_day(self) -> float:
        """NaN if there is no time outside events."""
        return self.false_alarms / self.days if self.days else float("nan")

    def in_words(self) -> str:
        """The result in a sentence or two."""
        delays = self.events["delay"].dropna()
        late = ""
        if len(delays):
            median = delays.median()
            late = f", with a median delay of {median if isinstance(median, pd.Timedelta) else f'{median:g} rows'}"
        return (
            f"{self.found} of {len(self.events)} events have an alert{late}. {self.false_alarms} false alarms in "
            f"{self.days:.3g} days: {self.false_alarms_per_day:.2g} a day."
        )


def event_metrics(
    labels: npt.ArrayLike, alert: npt.ArrayLike, recording: pd.Series | None = None, time: pd.Series | None = None
) -> EventMetrics:
    """Compare alerts with labelled events. A run of anomalous rows is one event, found if any of its rows is an alert.

    Args:
        labels: (n,) 1 = anomalous, 0 = normal, NaN = unknown; unknown rows are left out.
        alert: (n,) bool.
        recording: (n,) the recording of each row; None = there is only one.
        time: (n,) dates or numbers by which the rows are sorted; None = they are sorted and have no clock.
    """
    rows = pd.DataFrame({"label": np.asarray(labels, np.float64), "alert": np.asarray(alert, bool)})
    rows["recording"] = "" if recording is None else recording.astype("string").to_numpy()
    rows["time"] = np.arange(len(rows)) if time is None else time.to_numpy()
    events, false_alarms, days = [], 0, 0.0
    for name, part in rows.dropna(subset="label").groupby("recording"):
        ordered = part.sort_values("time", kind="stable")
        y, a = ordered["label"].to_numpy() > 0, ordered["alert"].to_numpy()
        events += [{"recording": name, **_event(ordered, first, last)} for first, last in zip(*runs(y), strict=True)]
        false_alarms += sum(not y[max(0, first - 1) : last + 2].any() for first, last in zip(*runs(a), strict=True))
        days += (~y).sum() / rows_per_day(None if time is None else ordered["time"])
    table = pd.DataFrame(events, columns=["recording", "start", "end", "found", "delay"])
    return EventMetrics(table, int(false_alarms), float(days))


def _event(rows: pd.DataFrame, first: int, last: int) -> dict[str, object]:
    time, alert = rows["time"].iloc[first : last + 1], rows["alert"].to_numpy()[first : last + 1]
    found = bool(alert.any())
    delay = time.iloc[int(alert.argmax())] - time.iloc[0] if found else None
    return {"start": time.iloc[0], "end": time.iloc[-1], "found": found, "delay": delay}
