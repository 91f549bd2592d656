"""The samples of recordings in order of time: which row belongs to which sample, and where segments end.

A row is a line of the user's file. A sample is one time stamp of one entity; rows that repeat a time stamp share one
sample, whose values are those of the first such row. A segment is a sequence of samples of one entity without a gap.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

GAP_FACTOR, NOT_EXCEEDED_BY = 5.0, 0.9
"""An interval longer than GAP_FACTOR x the NOT_EXCEEDED_BY quantile of all intervals is a gap, which no window crosses.
In regular recordings that quantile is the median; in irregular ones the median would cut off most rows."""

IRREGULAR = 0.5
"""An interval that differs from the typical one by more than this share counts as irregular."""


@dataclass(frozen=True)
class Timeline:
    """Samples sorted by entity (in order of appearance), then by time."""

    sample: np.ndarray
    """(rows,) int64: the sample of each row, -1 = its time or entity is not known."""
    first: np.ndarray
    """(samples,) int64: the row that gives the sample its values."""
    seconds: np.ndarray
    """(samples,) float64, from the first time stamp of all."""
    entity: np.ndarray
    """(samples,) int64 codes, 0 upwards."""
    segment: np.ndarray
    """(samples,) int64, 0 upwards."""
    interval: np.ndarray
    """(entities,) float64: the typical (median) interval [s], NaN where there are fewer than two samples."""
    gap: np.ndarray
    """(entities,) float64: a longer interval is a gap [s]."""

    @property
    def bounds(self) -> np.ndarray:
        """(segments, 2) int64: first sample of each segment, and the one after its last."""
        cut = np.flatnonzero(np.diff(self.segment)) + 1
        edges = np.concatenate([[0], cut, [len(self.segment)]]) if len(self.segment) else np.zeros(1, dtype=np.int64)
        return np.stack([edges[:-1], edges[1:]], axis=1).astype(np.int64)


def timeline(rows: pd.DataFrame) -> Timeline:
    """Put the rows of a data set in order.

    Args:
        rows: `note` ("" = usable), `time` and where there are several recordings `entity`, as in `Dataset.rows`.
    """
    usable = np.flatnonzero((rows["note"] == "").to_numpy() & rows["time"].notna().to_numpy())
    seconds, entity = _seconds(rows["time"])[usable], _entities(rows)[usable]
    order = np.lexsort((usable, seconds, entity))
    usable, seconds, entity = usable[order], seconds[order], entity[order]
    new = np.ones(len(usable), dtype=bool)
    new[1:] = (np.diff(seconds) > 0) | (np.diff(entity) != 0)
    sample = np.full(len(rows), -1, dtype=np.int64)
    sample[usable] = np.cumsum(new) - 1
    seconds, entity = seconds[new], entity[new]
    interval, gap = _quantile(seconds, entity, 0.5), GAP_FACTOR * _quantile(seconds, entity, NOT_EXCEEDED_BY)
    border = (np.diff(entity) != 0) | (np.diff(seconds) > gap[entity[1:]])
    segment = np.concatenate([[0], np.cumsum(border)])[: len(seconds)].astype(np.int64)
    return Timeline(sample, usable[new], seconds, entity, segment, interval, gap)


def findings(line: Timeline, texts: pd.Series) -> list[str]:
    """Notices about the time stamps: backward, repeated, gaps, irregular sampling, unequal recordings.

    Args:
        texts: (rows,) the times as they are shown.
    """
    placed = np.flatnonzero(line.sample >= 0)
    sample = line.sample[placed]
    sentences = []
    entity = line.entity[sample]
    last = pd.Series(sample).groupby(entity).cummax().groupby(entity).shift(1).to_numpy()
    if len(back := placed[sample < np.nan_to_num(last, nan=-1)]):
        sentences.append(
            f"{_times(len(back), 'time stamp goes', 'time stamps go')} backward, first in row {back[0] + 1} "
            f"({texts.iloc[back[0]]}); windows use the rows in order of time."
        )
    if len(again := placed[line.first[sample] != placed]):
        hint = " Is there an entity column that identifies recordings?" if len(again) > len(placed) / 2 else ""
        sentences.append(
            f"{_times(len(again), 'row repeats a time stamp', 'rows repeat a time stamp')}, first in row "
            f"{again[0] + 1} ({texts.iloc[again[0]]}); the first row of each is used, the others share its score.{hint}"
        )
    return sentences + _gaps(line, texts) + _unequal(line)


def typical_interval(line: Timeline) -> float:
    """Median over recordings of the typical interval [s], NaN where no recording has two samples."""
    known = line.interval[np.isfinite(line.interval)]
    return float(np.median(known)) if len(known) else float("nan")


def typical_gap(line: Timeline) -> float:
    """Median over recordings of the length from which on an interval is a gap [s], NaN as in `typical_interval`."""
    known = line.gap[np.isfinite(line.gap)]
    return float(np.median(known)) if len(known) else float("nan")


def in_words(seconds: float) -> str:
    """A duration with a fitting unit: "250 ms", "5 min", "1 day"."""
    for size, unit in ((86400.0, "days"), (3600.0, "h"), (60.0, "min"), (1.0, "s")):
        if seconds >= size:
            number = f"{seconds / size:.3g}"
            return "1 day" if (number, unit) == ("1", "days") else f"{number} {unit}"
    return f"{seconds * 1000:.3g} ms"


def _gaps(line: Timeline, texts: pd.Series) -> list[str]:
    same = np.diff(line.entity) == 0
    steps = np.diff(line.seconds)
    typical = line.interval[line.entity[1:]]
    gap = same & (np.diff(line.segment) != 0)
    sentences = []
    if gap.any():
        at, worst = int(np.flatnonzero(gap)[0]), in_words(float(steps[gap].max()))
        limit = in_words(float(line.gap[line.entity[at]]))
        sentences.append(
            f"{_times(int(gap.sum()), 'gap', 'gaps')} of more than {GAP_FACTOR:g} typical intervals ({limit}), the "
            f"first after {texts.iloc[line.first[at]]}, the longest {worst}; no window crosses a gap."
        )
    inside = same & ~gap
    odd = inside & (np.abs(steps - typical) > IRREGULAR * typical)
    if inside.any() and odd.sum() > 0.01 * inside.sum():
        at = int(np.flatnonzero(odd)[0])
        sentences.append(
            f"Sampling is irregular: {odd.sum() / inside.sum():.0%} of the intervals differ from the typical "
            f"{in_words(typical[at])} by more than half, first after {texts.iloc[line.first[at]]}; a window has a "
            f"fixed number of samples, not a fixed duration. The reader setting resample makes it regular, for example "
            f"{typical[at]:.3g} seconds."
        )
    return sentences


def _unequal(line: Timeline) -> list[str]:
    known = line.interval[np.isfinite(line.interval)]
    if len(known) < 2 or known.max() <= 1.5 * known.min():
        return []
    return [
        f"The recordings are sampled differently, from every {in_words(known.min())} to every {in_words(known.max())}: "
        f"their windows have different durations."
    ]


def _quantile(seconds: np.ndarray, entity: np.ndarray, share: float) -> np.ndarray:
    """(entities,) quantile of the steps of each entity."""
    same = np.diff(entity) == 0
    by_entity = pd.Series(np.diff(seconds)[same]).groupby(entity[1:][same]).quantile(share)
    each = by_entity.reindex(range(int(entity.max()) + 1 if len(entity) else 0))
    return np.asarray(each, dtype=np.float64)


def _seconds(time: pd.Series) -> np.ndarray:
    if pd.api.types.is_datetime64_dtype(time):
        return np.asarray((time - time.min()).dt.total_seconds(), dtype=np.float64)
    numbers = np.asarray(time, dtype=np.float64)
    return numbers - np.nanmin(numbers) if np.isfinite(numbers).any() else numbers


def _entities(rows: pd.DataFrame) -> np.ndarray:
    if "entity" not in rows:
        return np.zeros(len(rows), dtype=np.int64)
    return np.asarray(pd.factorize(rows["entity"])[0], dtype=np.int64)


def _times(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
