"""Recordings: one row per time stamp, one column per channel, one recording or several; items are windows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field, field_validator

from ad_core.data.absent import ALLOW, similar, with_absent
from ad_core.data.dataset import Dataset, Declared, Role, fingerprint_of
from ad_core.data.item_set import ItemSet
from ad_core.data.limits import NEW_AT_MOST, Limits, limits_of
from ad_core.data.reader import READERS, EventsGap, Reader
from ad_core.data.recordings import windows
from ad_core.data.recordings.base_array import base_of
from ad_core.data.recordings.channel_checks import command_notice, drifts, frozen
from ad_core.data.recordings.channels import Channel, some
from ad_core.data.recordings.loading import load
from ad_core.data.recordings.resampling import FEW, Grid, resampled
from ad_core.data.recordings.rows import clock_kind, noted, other_clock, repeats, rows_of
from ad_core.data.recordings.scaling import PerEntity, Scaling, learn_scaling
from ad_core.data.recordings.schema_inference import looks_like_recording, propose
from ad_core.data.recordings.shown import Shown
from ad_core.data.recordings.stream_buffer import Cut
from ad_core.data.recordings.timeline import (
    GAP_FACTOR,
    Timeline,
    findings,
    timeline,
    typical_gap,
    typical_interval,
)
from ad_core.data.recordings.timestamps import ClockKind
from ad_core.data.recordings.watched_channels import WatchedChannel, novelty
from ad_core.data.tables.row_filter import fulfils
from ad_core.errors import DataError
from ad_core.settings import Settings
from ad_core.types import ItemShape, Modality

__all__ = ["Sensor", "SensorSettings", "looks_like_recording"]


class SensorSettings(Settings):
    """How recordings are cut into windows."""

    window: int = Field(
        0,
        ge=0,
        le=8192,
        description="Samples per window, at least 8; 0 = 128, halved until 20 windows fit into the training rows.",
    )
    stride: int = Field(
        0, ge=0, le=8192, description="Samples from one window to the next; 0 = an eighth of the window."
    )
    clip: float = Field(
        20.0,
        gt=0,
        le=1000,
        description="A method sees values clipped at this distance from the mean [standard deviations]; beyond, the "
        "score rises with the distance.",
    )

    resample: float = Field(
        0.0,
        ge=0,
        description="Interval to which irregular sampling is resampled [s], by linear interpolation between values "
        "that are at most 3 typical intervals apart, never across a gap; 0 = off.",
    )
    scale_per_entity: PerEntity = Field(
        "auto",
        description="Whether each recording has its own mean and scale in a channel. auto: in the channels in which "
        "the means of two recordings differ by more than 3 typical standard deviations.",
    )
    merge_windows: float = Field(
        2.0,
        ge=0,
        le=100,
        description="Two alerts of a recording belong to one event when the other time stamps between them are at most "
        "this many window lengths.",
    )

    @field_validator("resample", mode="before")
    @classmethod
    def _off(cls, resample: Any) -> Any:
        return 0.0 if resample == "off" else resample

    @field_validator("window")
    @classmethod
    def _long_enough(cls, window: int) -> int:
        if 0 < window < windows.SHORTEST:
            raise ValueError(
                f"a window needs at least {windows.SHORTEST} samples, or 0 for a length that fits the data"
            )
        return window


@READERS.register
class Sensor(Reader[SensorSettings]):
    """Wide recordings: windows over z-scored channels, one strided view of one array."""

    title = "Sensor recordings"
    modalities = frozenset({Modality.SENSOR})
    Settings = SensorSettings

    def __init__(self, settings: SensorSettings) -> None:
        super().__init__(settings)
        self.scaling, self.shown = Scaling((), settings.clip), Shown()
        self.classes: list[str] = []
        self.window, self.stride, self.clock = 0, 0, ClockKind.ROW
        self.interval_s, self.gap_s = float("nan"), float("nan")
        self.notices: list[str] = []

    @classmethod
    def open(cls, sources: Sequence[Path] | pd.DataFrame, declared: Declared) -> Dataset:
        loaded = load(sources, declared)
        data, absent, told = with_absent(loaded.data, declared)
        schema, notices = propose(data, declared, loaded.stem)
        if not schema.names(Role.FEATURE):
            why = "; ".join(f"{c.name}: {c.reason or c.role}" for c in schema.columns[:10])
            raise DataError(
                f"No column can be used as a channel ({why}). Choose a file with numbers over time, "
                f"or change the columns' roles."
            )
        schema = schema.with_units(loaded.units).judged(declared)
        files = loaded.files if declared.ids_by_source else ()
        rows, clock, texts, of_labels = rows_of(data, schema, declared.exclude, files)
        line = timeline(rows)
        usable = (rows["note"] == "").to_numpy()
        if not usable.any():
            raise DataError(f"None of the {len(rows)} rows can be used. The first says: {rows['note'].iloc[0]}")
        out = rows["excluded"].to_numpy() if "excluded" in rows else np.zeros(len(rows), dtype=bool)
        if out.any():
            notices.append(
                f"{out.sum()} of {len(rows)} rows are excluded: they are scored and marked, but not used for training."
            )
        notices = [
            *loaded.notices,
            *told,
            *clock.notices,
            *notices,
            *of_labels,
            *findings(line, texts),
            *repeats(data, schema, line, clock.kind),
            *command_notice(schema.columns),
            *frozen(data, schema, line, clock),
        ]
        return Dataset(
            modality=Modality.SENSOR,
            schema=schema,
            data=data,
            rows=rows,
            declared=declared,
            sources=loaded.sources,
            name=loaded.name,
            is_training=usable & fulfils(data, declared.only) & ~out,
            fingerprint=fingerprint_of(loaded.data),
            notices=tuple(notices),
            absent=absent,
        )

    def fit(self, dataset: Dataset, rows: np.ndarray) -> None:
        line = timeline(dataset.rows)
        chosen = np.zeros(len(line.first), dtype=bool)
        chosen[line.sample[rows & (line.sample >= 0)]] = True
        if not chosen.any():
            raise DataError("None of the training rows has a time stamp. Choose other training rows.")
        training = line.first[chosen]
        self.clock = clock_kind(dataset.rows, dataset.schema)
        own = self.settings
        self.scaling, self.notices = learn_scaling(
            dataset, training, own.scale_per_entity, own.clip, is_resampled=self._is_resampled
        )
        self.shown = Shown.learn(dataset, line, chosen, self.channels)
        self.notices += drifts(dataset, rows)
        if "cls" in dataset.rows:
            self.classes = sorted(dataset.rows["cls"].iloc[training].dropna().unique().tolist())
        self.interval_s, self.gap_s = typical_interval(line), typical_gap(line)
        grid = self._grid(line)
        self.notices += [] if grid is None else [grid.notice()]
        segments = windows.runs(chosen, line) if grid is None else windows.runs(chosen[grid.nearest], grid.line)
        self.window, self.stride, window_notices = windows.fitting(segments, self.settings.window, self.settings.stride)
        self.notices += window_notices
        self.scaling = replace(self.scaling, novelty=self._novelty(dataset, training))
        if self.scaling.novelty > NEW_AT_MOST:
            self.notices.append(
                "So many channels are constant, or changed a single time, that normal recordings will have such "
                "changes too: a single one raises the score only a little."
            )

    def _novelty(self, dataset: Dataset, training: np.ndarray) -> float:
        """Estimated share of normal windows in which something changes that never changed in training."""
        varying = [channel for channel in self.channels if not channel.is_constant]
        numbers = [channel.numbers(dataset.data[channel.name].iloc[training]) for channel in varying]
        return novelty(numbers, len(self.channels) - len(varying), self.window)

    def item_set(self, dataset: Dataset) -> ItemSet:
        measured = timeline(dataset.rows)
        grid = self._grid(measured)
        line = measured if grid is None else grid.line
        items, base = self._items(dataset, line, grid)
        rows = noted(dataset.rows, line, items["start"].to_numpy(), self.window)
        new = np.flatnonzero((rows["note"] != dataset.rows["note"]).to_numpy())
        notices = list(self.notices)
        if len(new):
            why = f"first row {new[0] + 1}: {rows['note'].iloc[new[0]]}"
            if not len(items):
                raise DataError(
                    f"No window of {self.window} samples can be cut from this recording of {len(line.first)} samples, "
                    f"{why} Open a longer recording, or one with fewer missing values."
                )
            notices.append(f"{len(new)} of {len(rows)} rows get no score, {why}")
        x = np.lib.stride_tricks.sliding_window_view(base, self.window, axis=0)  # (samples - window + 1, channel, time)
        times = None if grid is None else grid.times(dataset.rows)
        absent = tuple(self.scaling.position[i] for i in self.scaling.dead(dataset.data) if i in self.scaling.position)
        return ItemSet(self.shape, x, items, rows, self.window, notices, times, absent=absent, limits=self.limits)

    def match(self, dataset: Dataset) -> list[str]:
        names = [channel.name for channel in self.channels if channel.name not in dataset.data]
        if dataset.modality is not Modality.SENSOR:
            raise DataError(
                f"The detector was trained on recordings, but {dataset.name} was opened as {dataset.modality} data. "
                f"Name its time column, or open it as the training data were: `detector.open(...)`."
            )
        if wrong := [problem for channel in self.channels if (problem := channel.problem(dataset.data))]:
            raise DataError(
                f"The detector can't score this recording: {'; '.join(wrong)}{similar(names, dataset.data.columns)}. "
                f"Choose a file with the channels that it was trained on, {ALLOW}."
            )
        if len(self.scaling.dead(dataset.data)) == len(self.channels):
            raise DataError(
                f"None of the {len(self.channels)} channels that the detector uses has a value in this recording. "
                f"Choose a file with the channels that it was trained on."
            )
        known = [channel.name for channel in self.channels if channel.name not in dataset.absent]
        present = [name for name in dataset.data.columns if name in set(known)]
        sentences = ["The channels are in another order; they are matched by name."] if present != known else []
        if extra := [name for name in dataset.schema.names(Role.FEATURE) if name not in {*known, *dataset.absent}]:
            sentences.append(
                f"Not used, because the detector does not know {'it' if len(extra) == 1 else 'them'}: {some(extra)}."
            )
        sentences += self.scaling.differences(dataset.data, dataset.rows, dataset.absent)
        sentences += self.scaling.unknown(dataset.rows)
        interval_s = float("nan") if self.settings.resample else self.interval_s  # resampled windows last equally long
        return sentences + other_clock(dataset.rows, dataset.schema, self.clock, interval_s)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The user's channels; the channels of an item are `shape.parts`."""
        return self.scaling.channels

    @property
    def shape(self) -> ItemShape:
        parts = self.scaling.parts
        return ItemShape(
            modality=Modality.SENSOR, size=(len(parts.of_entry), self.window), parts=parts, classes=len(self.classes)
        )

    @property
    def limits(self) -> Limits | None:
        """See the contract; None for bundles before format 3."""
        entries = self.scaling.limits
        if entries is None:
            return None
        return limits_of(self.shape, self.scaling.learnt, entries, self.scaling.novelty)

    @property
    def apart(self) -> tuple[WatchedChannel, ...]:
        """The watched channels that methods don't learn from; a recording may lack them."""
        return tuple(one for one in self.scaling.watched if one.channel is None)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        (facts, arrays), (recordings, shown) = self.scaling.state(), self.shown.state()
        return {
            **facts,
            **recordings,
            "classes": self.classes,
            "window": self.window,
            "stride": self.stride,
            "interval_s": self.interval_s if np.isfinite(self.interval_s) else None,
            "gap_s": self.gap_s if np.isfinite(self.gap_s) else None,
            "clock": str(self.clock),
            "notices": self.notices,
        }, arrays | shown

    def restore(self, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        self.scaling = Scaling.restored(facts, arrays, self.settings.clip)
        self.shown = Shown.restored(facts, arrays)
        self.classes, self.notices = list(facts["classes"]), list(facts["notices"])
        self.window, self.stride, self.clock = int(facts["window"]), int(facts["stride"]), ClockKind(facts["clock"])
        self.interval_s = float("nan") if facts["interval_s"] is None else float(facts["interval_s"])
        gap_s = facts.get("gap_s", GAP_FACTOR * self.interval_s)  # older bundles have no gap
        self.gap_s = float("nan") if gap_s is None else float(gap_s)

    def channel_in_units(self, channel: int, values: np.ndarray, entity: str | None = None) -> np.ndarray:
        """See the contract; the channel that constant channels share has no unit."""
        return self.scaling.in_units(channel, values, entity)

    def course_in_units(
        self, channel: int, values: np.ndarray, entity: str | None = None, *, follows_level: bool = False
    ) -> np.ndarray:
        """See the contract; within the range and the steps that a single training recording showed."""
        course = self.channel_in_units(channel, values, entity)
        if channel >= len(self.scaling.kept):
            return course
        known = self.settings.resample > 0 and self.interval_s > 0
        steps = max(1.0, self.settings.resample / self.interval_s) if known else 1.0
        at = self.scaling.kept[channel]
        return self.shown.within(at, course, entity, steps=steps, ranged=not follows_level)

    def measured(self, part: int, data: pd.DataFrame, entity: str | None = None) -> np.ndarray:
        """See the contract; for the channel that constant channels share, the sum of their deviations."""
        return self.scaling.signal(part, data, entity)

    def columns_behind(self, part: int, data: pd.DataFrame, entity: str | None = None) -> list[str]:
        """See the contract; for the channel that constant channels share, those of them that changed."""
        return self.scaling.names_behind(part, data, entity)

    @property
    def has_clock(self) -> bool:
        """See the contract."""
        return self.clock is not ClockKind.ROW

    def events_gap(self, item_set: ItemSet) -> EventsGap:
        """See the contract; where irregular sampling was resampled, a window has fewer or more rows than samples."""
        rows = item_set.span if item_set.times is None else item_set.span * len(item_set.rows) / item_set.samples
        merge = self.settings.merge_windows
        return EventsGap(rows=round(merge * rows), windows=merge)

    def cut(self, gap_s: float | None = None, entity: str | None = None) -> Cut:
        """How a stream cuts the windows that `item_set` cuts from a whole recording.

        Args:
            gap_s: a longer interval ends a contiguous segment [s]; None = as in the training recordings.
            entity: the recording; one that is not among the training recordings gets their pooled scale.
        """
        gap_s = self.gap_s if gap_s is None else gap_s
        return Cut(
            self.window,
            self.stride,
            gap_s if gap_s > 0 else float("inf"),
            self._short,
            len(self.channels),
            partial(self.scaling.scaled, entity=entity),
            self.settings.resample if self.clock is not ClockKind.ROW else 0.0,
            self._limit_s,
            len(self.apart),
        )

    def _grid(self, line: Timeline) -> Grid | None:
        """The regular grid to which samples are resampled; None where they are used as measured."""
        if not self.settings.resample or self.clock is ClockKind.ROW:
            return None
        return resampled(line, self.settings.resample, self._limit_s)

    @property
    def _limit_s(self) -> float:
        """Maximum distance of two values between which resampling interpolates [s]."""
        return FEW * float(np.nanmax([self.interval_s, self.settings.resample]))

    def _items(self, dataset: Dataset, line: Timeline, grid: Grid | None) -> tuple[pd.DataFrame, np.ndarray]:
        """`ItemSet.items` without windows of too many missing cells, and the (samples, channel) they are cut from."""
        base, absent = base_of(dataset, self.scaling, line, grid, self._short)
        start = windows.starts(line.bounds, self.window, self.stride)
        until = np.concatenate([[0], np.cumsum(absent)])
        live = len(self.channels) - len(self.scaling.dead(dataset.data))
        share = (until[start + self.window] - until[start]) / (self.window * max(live, 1))
        start, share = start[share <= windows.TOO_MANY_MISSING], share[share <= windows.TOO_MANY_MISSING]
        items = pd.DataFrame({"start": start, "missing": share, "segment": line.segment[start]})
        if "entity" in dataset.rows:
            items["entity"] = dataset.rows["entity"].to_numpy()[line.first[start]]
        if self.classes and "cls" in dataset.rows:
            middle = dataset.rows["cls"].iloc[line.first[start + self.window // 2]]
            items["cls"] = pd.Categorical(middle, categories=self.classes).codes.astype(np.int64)
        return items, base

    @property
    def _short(self) -> int:
        """Maximum length of a run of missing cells that is interpolated [samples]; 0 after resampling."""
        return 0 if self._is_resampled else windows.short_hole(self.window)

    @property
    def _is_resampled(self) -> bool:
        return self.settings.resample > 0 and self.clock is not ClockKind.ROW
