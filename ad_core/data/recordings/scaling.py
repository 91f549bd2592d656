"""Scaling of the channels before they are cut into windows.

Every channel becomes a z-score by its mean and standard deviation. There are two exceptions:

- If recordings of several entities have different levels (each pump its temperature), an entity can have its own mean
  and scale in a channel, so that the shared model sees deviations from the normal values of this entity.
- Channels that are constant in the training rows, such as idle commands, would each cost a channel of the network
  without information. Several of them share one: the sum of their absolute z-scores, of which a method sees at most 3.
  It is 0 until one of them changes.

Behind these channels come those in which only new values count, see `watched_channels`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from ad_core.data.dataset import ColumnKind, Dataset, Role
from ad_core.data.limits import LARGEST, EntryLimits, anything, far, never_changed
from ad_core.data.recordings.channels import UNCHANGED, Channel, learn, some, unlike, z_scores
from ad_core.data.recordings.watched_channels import WatchedChannel, learn_watched_channels, new_values
from ad_core.data.tables.encoding import cells_of
from ad_core.errors import DataError
from ad_core.types import PartKind, Parts

PerEntity = Literal["auto", "on", "off"]

SHARE_FROM = 3
"""Minimum number of constant channels that share one channel."""
EACH_AT_MOST, TOGETHER_AT_MOST = 5.0, 3.0
"""Maximum absolute z-score of each channel that shares one, and maximum of their sum that a method sees."""

APART = 3.0
"""Minimum distance of two entities' means for separate scales, in typical standard deviations within an entity."""
ENOUGH = 64
"""Minimum number of known training values of an entity in a channel for a scale of its own."""


@dataclass(frozen=True)
class Scaling:
    """What was learnt about the channels, and how their values become those of items."""

    channels: tuple[Channel, ...]
    clip: float
    shared: tuple[int, ...] = ()
    """Positions of the constant channels that share one channel."""
    own: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Entity -> (2, channel): its own means and scales."""
    watched: tuple[WatchedChannel, ...] = ()
    """The channels whose new values count, those that methods don't learn from first."""
    noise: tuple[float, ...] | None = None
    """(channel,) largest absolute z-score of a constant channel among the training rows, 0 for others; None in bundles
    before format 3, whose items are clipped here and in which nothing is watched."""
    novelty: float = 0.0
    """Estimated share of normal windows in which something changes that never changed in training."""

    @cached_property
    def kept(self) -> list[int]:
        """Positions of the channels that have a channel of their own in an item."""
        return [i for i in range(len(self.channels)) if i not in set(self.shared)]

    @cached_property
    def position(self) -> dict[int, int]:
        """Position of a kept channel -> its position in an item."""
        return {i: position for position, i in enumerate(self.kept)}

    @cached_property
    def parts(self) -> Parts:
        """The channels of an item: the kept ones, then the shared one."""
        kept = [self.channels[i] for i in self.kept]
        names, units = [channel.name for channel in kept], [channel.unit for channel in kept]
        if self.shared:
            names, units = [*names, f"other channels ({len(self.shared)} constant)"], [*units, None]
        apart = [one.values for one in self.watched if one.channel is None]
        names, units = [*names, *(one.name for one in apart)], [*units, *(one.unit for one in apart)]
        size = len(names)
        commands = [self._part(one.channel) for one in self.watched if one.channel is not None]
        judged_by = (*(channel.judged_by for channel in kept), *[None] * (size - len(kept)))
        return Parts(
            names=tuple(names),
            of_entry=(*range(size), *commands),
            kinds=(PartKind.NUMBER,) * size,
            units=tuple(units),
            judged_by=judged_by,
        )

    def dead(self, data: pd.DataFrame) -> list[int]:
        """Positions of the channels that hold no value at all in new recordings."""
        return [i for i, channel in enumerate(self.channels) if not channel.has_value(data[channel.name])]

    @property
    def learnt(self) -> int:
        """Number of leading channels of an item that methods learn from."""
        return len(self.kept) + bool(self.shared)

    def _part(self, i: int) -> int:
        """Position in an item of channel i."""
        return self.position.get(i, len(self.kept))

    @property
    def limits(self) -> list[EntryLimits] | None:
        """The limits of each channel of an item; None for bundles before format 3."""
        if self.noise is None:
            return None
        found = []
        for i in self.kept:
            channel, noise = self.channels[i], self.noise[i]
            if channel.judged_by == "shape":
                found.append(anything(self.clip))
            else:
                ends = self._ends(i)
                found.append(never_changed(self.clip, -noise, noise) if channel.is_constant else far(self.clip, *ends))
        if self.shared:
            together = sum(self.noise[i] for i in self.shared)
            found.append(never_changed(TOGETHER_AT_MOST, 0.0, together))
        return found + [never_changed(self.clip)] * len(self.watched)

    def _ends(self, i: int) -> tuple[float, float]:
        """The range of channel i in the training rows, in z-scores of any entity."""
        levels = [self._of_all[:, i], *(own[:, i] for own in self.own.values())]
        channel = self.channels[i]
        return min((channel.low - mean) / scale for mean, scale in levels), max(
            (channel.high - mean) / scale for mean, scale in levels
        )

    @property
    def _clip(self) -> float:
        """Maximum absolute z-score in an item."""
        return self.clip if self.noise is None else LARGEST

    def levels(self, entity: str | None) -> np.ndarray:
        """(2, channel) means and scales of an entity; the pooled ones where it has none of its own."""
        own = None if entity is None else self.own.get(entity)
        return self._of_all if own is None else own

    @cached_property
    def _of_all(self) -> np.ndarray:
        return np.array([[channel.mean, channel.scale] for channel in self.channels]).T

    def base(self, samples: int) -> np.ndarray:
        """(samples, item channel) float32 zeros for `write`."""
        return np.zeros((samples, len(self.parts.of_entry)), dtype=np.float32)

    def write(self, base: np.ndarray, i: int, z: np.ndarray) -> None:
        """Write the z-scores of channel i into (samples, item channel)."""
        if i in self.position:
            base[:, self.position[i]] = z
        elif self.noise is not None:
            base[:, len(self.kept)] = np.minimum(base[:, len(self.kept)] + np.abs(z), LARGEST)
        else:
            base[:, -1] = np.minimum(base[:, -1] + np.minimum(np.abs(z), EACH_AT_MOST), TOGETHER_AT_MOST)

    def z(self, i: int, numbers: np.ndarray, entities: np.ndarray | None) -> np.ndarray:
        """(samples,) z-scores of channel i.

        Args:
            entities: (samples,) the recording of each sample; None = the pooled scale is used.
        """
        if entities is None:
            return self.channels[i].scaled(numbers, self._clip)
        codes, names = pd.factorize(entities)
        mean, scale = np.stack([self.levels(str(name))[:, i] for name in names], axis=1)[:, codes]
        return z_scores(numbers, mean, scale, self._clip)

    def unknown(self, rows: pd.DataFrame) -> list[str]:
        """A sentence about recordings without a scale of their own where others have one."""
        if not self.own:
            return []
        names = rows["entity"].unique().tolist() if "entity" in rows else ["this recording"]
        if not (new := [str(name) for name in names if name not in self.own]):
            return []
        return [f"Not among the training recordings: {some(new)}. Their pooled scale is used."]

    def differences(self, data: pd.DataFrame, rows: pd.DataFrame, absent: Collection[str] = ()) -> list[str]:
        """Sentences about the channels of a new recording that are empty, hold new values, or lie far outside.

        Args:
            absent: names of channels that the recording lacks.
        """
        there = [channel for channel in self.channels if channel.name not in absent]
        shared = {self.channels[i].name for i in self.shared}
        if self.noise is None:
            return unlike(there, data, shared)
        commands = {channel.name for channel in self.channels if channel.level is not None or channel.is_command}
        others = [one for one in self.watched if one.name not in commands]  # new states are told with their spelling
        told, sentences = {one.name for one in others}, []
        entities = rows["entity"].to_numpy() if self.own and "entity" in rows else None
        for i, channel in enumerate(self.channels):
            if channel not in there:
                continue
            z = self.z(i, channel.numbers(data[channel.name]), entities)
            low, high = (-self.noise[i], self.noise[i]) if channel.is_constant else far(self.clip, *self._ends(i))[2:4]
            new = np.flatnonzero((z < low) | (z > high))
            if channel.is_constant and channel.judged_by != "shape":
                told.add(channel.name)
                held = f"is {channel.level or f'{channel.mean:.10g}'} in all training rows"
                sentences += [new_values(channel.name, held, data[channel.name], new)] if len(new) else []
            elif len(new):
                sentences.append(
                    f"{channel.name!r} lies more than {self.clip:g} standard deviations from the mean of the training "
                    f"rows in {cells_of(data[channel.name], new)}."
                )
        sentences += [text for one in others for text in one.differences(data, self.channels)]
        return [*unlike(there, data, shared, told), *sentences]

    def scaled(self, numbers: np.ndarray, measured: np.ndarray, entity: str | None) -> np.ndarray:
        """Samples of one entity as in items.

        Args:
            numbers: (samples, channel) float64 without missing cells.
            measured: (samples, channel + apart) the same before missing cells were filled, and behind it how new the
                values of the watched channels are that methods don't learn from.

        Returns:
            (samples, item channel) float32.
        """
        mean, scale = self.levels(entity)
        z, base = z_scores(numbers, mean, scale, self._clip), self.base(len(numbers))
        for i in range(len(self.channels)):
            self.write(base, i, z[:, i])
        apart = iter(range(len(self.channels), measured.shape[1]))
        for at, one in enumerate(self.watched, start=self.learnt):
            is_apart = one.channel is None
            base[:, at] = measured[:, next(apart)] if is_apart else one.of_numbers(measured[:, one.channel])
        return base

    def signal(self, part: int, data: pd.DataFrame, entity: str | None) -> np.ndarray:
        """(rows,) values of an item's channel in the user's rows, in its unit, NaN where nothing was measured."""
        if part < len(self.kept):
            channel = self.channels[self.kept[part]]
            return channel.numbers(data[channel.name])
        if part >= self.learnt:
            return self.watched[part - self.learnt].in_rows(data, self.channels)
        together = self._sizes(data, entity).sum(axis=1)
        return np.asarray(together if self.noise is not None else np.minimum(together, TOGETHER_AT_MOST))

    def in_units(self, part: int, z: np.ndarray, entity: str | None) -> np.ndarray:
        """Values of an item's channel in the user's unit; the inverse of `write`, within its limits."""
        if part >= len(self.kept):
            return np.asarray(z, dtype=np.float64)
        mean, scale = self.levels(entity)[:, self.kept[part]]
        return np.asarray(mean + scale * np.asarray(z, dtype=np.float64))

    def names_behind(self, part: int, data: pd.DataFrame, entity: str | None) -> list[str]:
        """The user's channels that determine an item's channel in these rows, largest first.

        Itself, or those of the shared ones that changed.
        """
        if part < len(self.kept):
            return [self.channels[self.kept[part]].name]
        if part >= self.learnt:
            return [self.watched[part - self.learnt].name]
        size = self._sizes(data, entity).sum(axis=0)
        return [self.channels[self.shared[i]].name for i in np.argsort(-size, kind="stable") if size[i] > 0]

    def _sizes(self, data: pd.DataFrame, entity: str | None) -> np.ndarray:
        """(rows, shared) absolute z-scores that each shared channel adds."""
        chosen = [self.channels[i] for i in self.shared]
        numbers = np.column_stack([channel.numbers(data[channel.name]) for channel in chosen])
        mean, scale = self.levels(entity)[:, list(self.shared)]
        sizes = np.abs(z_scores(numbers, mean, scale, self._clip))
        return np.asarray(sizes if self.noise is not None else np.minimum(sizes, EACH_AT_MOST))

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """All of it as JSON-able facts and arrays."""
        facts = {
            "channels": [channel.model_dump(exclude={"mean", "scale", "low", "high"}) for channel in self.channels],
            "shared": list(self.shared),
            "entities": list(self.own),
            "watched": [one.model_dump(mode="json") for one in self.watched],
            "noise": None if self.noise is None else list(self.noise),
            "novelty": self.novelty,
        }
        scales = [[channel.mean, channel.scale, channel.low, channel.high] for channel in self.channels]
        arrays = {"scales": np.array(scales, dtype=np.float64).reshape(-1, 4)}
        return facts, arrays | ({"own_scales": np.stack(list(self.own.values()))} if self.own else {})

    @classmethod
    def restored(cls, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray], clip: float) -> "Scaling":
        """The inverse of `state`; bundles of format 1 have neither shared channels nor scales of entities, and those of
        format 2 nothing that is watched.
        """
        channels = tuple(
            Channel(**channel, mean=float(mean), scale=float(scale), low=float(low), high=float(high))
            for channel, (mean, scale, low, high) in zip(facts["channels"], arrays["scales"], strict=True)
        )
        own = dict(zip(facts.get("entities", []), arrays.get("own_scales", ()), strict=True))
        shared = tuple(facts.get("shared", ()))
        if not all(position in range(len(channels)) for position in shared):
            raise ValueError(f"shared channels {shared} of {len(channels)}")
        watched = tuple(WatchedChannel.model_validate(one) for one in facts.get("watched", ()))
        noise = None if facts.get("noise") is None else tuple(facts["noise"])
        novelty = float(facts.get("novelty", 0.0))
        return cls(channels, clip, shared, own, watched, noise, novelty)


def learn_scaling(
    dataset: Dataset, training: np.ndarray, per_entity: PerEntity, clip: float, *, is_resampled: bool = False
) -> tuple[Scaling, list[str]]:
    """Level and scale of every channel from the training rows, and notices.

    Args:
        training: (k,) positions of these rows.
        is_resampled: whether samples are interpolated between measured values.

    Raises:
        DataError: all channels are constant or empty.
    """
    channels, empty = [], []
    for column in (c for c in dataset.schema.columns if c.role is Role.FEATURE):
        as_text = column.kind in (ColumnKind.CATEGORY, ColumnKind.TEXT)
        channel = learn(column.name, column.unit, dataset.data[column.name].iloc[training], as_text=as_text)
        channels += [] if channel is None else [channel.model_copy(update={"judged_by": column.judged_by})]
        empty += [column.name] if channel is None else []
    constant = [i for i, channel in enumerate(channels) if channel.is_constant]
    if len(constant) == len(channels):
        raise DataError(
            f"All {len(constant) + len(empty)} channels are constant or empty in the {len(training)} training "
            f"rows, so nothing can be learnt. Choose training rows in which channels change."
        )
    shared = tuple(constant) if len(constant) >= SHARE_FROM else ()
    own, notices = _own_scales(dataset, training, channels, per_entity)
    names = some([channels[i].name for i in constant])
    if shared:
        notices.append(
            f"Constant in the training rows, so a change there is an alarm: {names}. These {len(shared)} share one "
            f"channel; an explanation names the one that changed."
        )
    elif constant:
        notices.append(f"Constant in the training rows, so a change there is an alarm: {names}.")
    watched, more = learn_watched_channels(dataset, training, channels, is_resampled)
    noise = _noise(dataset, training, channels, own)
    return Scaling(tuple(channels), clip, shared, own, watched, noise), notices + more


def _noise(
    dataset: Dataset, training: np.ndarray, channels: Sequence[Channel], own: Mapping[str, np.ndarray]
) -> tuple[float, ...]:
    """(channel,) largest absolute z-score of a constant channel among the training rows, and at least what rounding
    makes of it; 0 for channels that vary.
    """
    found = []
    for i, channel in enumerate(channels):
        if not channel.is_constant:
            found.append(0.0)
            continue
        numbers = channel.numbers(dataset.data[channel.name].iloc[training])
        names = dataset.rows["entity"].to_numpy()[training] if own else np.zeros(len(training))
        mean = np.array([own[str(n)][0, i] if own else channel.mean for n in names])
        apart = np.nan_to_num(np.abs(numbers - mean)).max(initial=0.0)
        rounding = UNCHANGED * abs(channel.mean)
        least = min(rounding, 0.4) if channel.mean % 1 == 0 else rounding  # whole numbers are exact
        found.append(float(max(apart, least) / channel.scale * (1 + 1e-5)))
    return tuple(found)


def _own_scales(
    dataset: Dataset, training: np.ndarray, channels: list[Channel], per_entity: PerEntity
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Entity -> (2, channel), and notices; empty where entities share their scales."""
    if per_entity == "off" or "entity" not in dataset.rows:
        return {}, []
    entity = dataset.rows["entity"].to_numpy()
    if per_entity == "auto" and set(entity[dataset.is_training]) - set(entity[training]):
        return {}, []  # whole recordings are held back: their scales could not be known when they are scored
    names = pd.unique(entity[training])
    pooled = np.array([[channel.mean, channel.scale] for channel in channels])  # (channel, 2)
    own = np.repeat(pooled[None], len(names), axis=0)  # (entity, channel, 2)
    differing = []
    for i, channel in enumerate(channels):
        if channel.level is None:
            moments = _moments(channel.numbers(dataset.data[channel.name].iloc[training]), entity[training], names)
            if per_entity == "on" or _differ(moments):
                own[:, i] = _or_pooled(moments, pooled[i])
                differing.append(channel.name)
    if not differing:
        return {}, []
    why = (
        "as requested"
        if per_entity == "on"
        else (f"because the means of two of them differ by more than {APART:g} typical standard deviations")
    )
    return {str(name): own[e].T for e, name in enumerate(names)}, [
        f"Each of {len(names)} recordings has its own mean and scale in {some(differing)}, {why} "
        f"(reader setting scale_per_entity)."
    ]


def _moments(numbers: np.ndarray, entity: np.ndarray, names: np.ndarray) -> np.ndarray:
    """(entity, 2) mean and standard deviation, NaN where too little is known."""
    moments = pd.Series(numbers).groupby(entity).agg(["mean", "std", "count"]).reindex(names)
    return np.asarray(moments[["mean", "std"]].where(moments["count"] >= ENOUGH))


def _differ(moments: np.ndarray) -> bool:
    known = moments[~np.isnan(moments[:, 0])]
    if len(known) < 2:
        return False
    apart, within = np.ptp(known[:, 0]), float(np.median(known[:, 1]))
    return bool(apart > max(APART * within, 1e-6 * np.abs(known[:, 0]).max()))


def _or_pooled(moments: np.ndarray, pooled: np.ndarray) -> np.ndarray:
    """(entity, 2): the median scale where an entity is constant; both values pooled where too few are known."""
    mean, spread = moments.T
    changing = spread[spread > 1e-6 * np.abs(mean)]
    typical = float(np.median(changing)) if len(changing) else float(pooled[1])
    spread = np.where(spread > 1e-6 * np.abs(mean), spread, typical)
    return np.where(np.isnan(mean)[:, None], pooled, np.column_stack([mean, spread]))
