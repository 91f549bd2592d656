"""Clean recordings, and what real clocks do to them."""

from collections.abc import Callable

import numpy as np
import pandas as pd

STATES = ["run", "idle"]
Clock = Callable[[pd.Series], pd.Series]


def clean_recording(rng: np.random.Generator, rows: int, entity: str | None = None) -> pd.DataFrame:
    """Two sines that keep step, a valve, a state, a dead channel and a label, once a second."""
    t = np.arange(rows) + rng.integers(0, 100)
    frame = pd.DataFrame(
        {
            "time": pd.Timestamp("2026-01-01") + pd.to_timedelta(t, unit="s"),
            "flow [l/s]": np.sin(t / 7) + rng.normal(0, 0.05, rows),
            "pressure [bar]": np.sin(t / 7 + 1) + rng.normal(0, 0.05, rows),
            "valve": (t // 9) % 2,
            "state": np.array(STATES)[(t // 13) % 2],
            "spare": 0.0,
            "is_anomaly": 0,
        }
    )
    if entity is not None:
        frame.insert(1, "pump", entity)
    return frame


CLOCKS: dict[str, Clock] = {
    "ISO": lambda time: time,
    "text": lambda time: time.dt.strftime("%Y-%m-%dT%H:%M:%S"),
    "zone": lambda time: time.dt.strftime("%Y-%m-%d %H:%M:%S+02:00"),
    "Z": lambda time: time.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    "German": lambda time: time.dt.strftime("%d.%m.%Y %H:%M:%S"),
    "US": lambda time: time.dt.strftime("%m/%d/%Y %I:%M:%S %p"),
    "clock only": lambda time: time.dt.strftime("%H:%M:%S"),
    "compact": lambda time: time.dt.strftime("%Y%m%d%H%M%S"),
    "seconds": lambda time: (time - pd.Timestamp(0)).dt.total_seconds(),
    "milliseconds": lambda time: ((time - pd.Timestamp(0)).dt.total_seconds() * 1000).astype("int64"),
    "nanoseconds": lambda time: ((time - pd.Timestamp(0)).dt.total_seconds() * 1e9).astype("int64"),
    "count": lambda time: pd.Series(np.arange(len(time))),
}
"""How the time axis is written."""


def odd_clock(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    """Gaps, repeated, unsorted, missing, distant and mixed times."""
    time = frame["time"].copy()
    n, at = len(time), int(rng.integers(len(time)))
    match rng.integers(10):
        case 0:
            time[at:] += pd.Timedelta(int(rng.choice([10, 3600, 86_400 * 400])), "s")
        case 1:
            time[at:] -= pd.Timedelta(int(rng.choice([1, 30, 3600])), "s")
        case 2:
            time[rng.random(n) < 0.3] = time[at]
        case 3:
            time = time.sample(frac=1, random_state=int(rng.integers(1000))).reset_index(drop=True)
        case 4:
            time[rng.random(n) < rng.choice([0.05, 0.6, 1.0])] = pd.NaT
        case 5:
            time[at] = pd.Timestamp(rng.choice(["1677-09-22", "1900-01-01", "2262-04-11", "1970-01-01"]))
        case 6:
            time += pd.to_timedelta(rng.integers(0, 999_999, n), unit="us")
        case 7:
            time = time[::-1].reset_index(drop=True)
        case _:
            pass
    mixed = rng.random() < 0.1
    forms = [CLOCKS[name] for name in rng.choice(list(CLOCKS), 2)]
    frame = frame.copy()
    if rng.random() < 0.5:
        frame["time"] = time
    elif time.isna().any():
        pass
    elif mixed:
        frame["time"] = forms[0](time).astype(object).where(np.arange(n) < at, forms[1](time).astype(object))
    else:
        frame["time"] = forms[0](time)
    return frame
