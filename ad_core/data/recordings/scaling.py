"""Scaling of the channels before they are cut into windows.

Every channel becomes a z-score by its mean and standard deviation. There are two exceptions:

- If recordings of several entities have different levels (each pump its temperature), an entity can have its own mean
  and scale in a channel, so that the shared model sees deviations from the normal values of this entity.
- Channels that are constant in the training rows, such as idle commands, would each cost a channel of the network
  without information. Several of them share one: the sum of their absolute z-scores, each at most 5, together at most
  3. It is 0 until one of them changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from ad_core.data.dataset import ColumnKind, Dataset, Role
from ad_core.data.recordings.channels import Channel, learn, some, z_scores
from ad_core.errors import DataError
from ad_core.types import PartKind, Parts

PerEntity = Literal["auto", "on", "off"]

SHARE_FROM = 3
"""Minimum number of constant channels that share one channel."""
EACH_AT_MOST, TOGETHER_AT_MOST = 5.0, 3.0
"""Maximum absolute z-score of each channel that shares one, and maximum of their sum."""

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
        size = len(names)
        judged_by = (*(channel.judged_by for channel in kept), *([None] if self.shared else []))
        return Parts(
            names=tuple(names),
            of_entry=tuple(range(size)),
            kinds=(PartKind.NUMBER,) * size,
            units=tuple(units),
            judged_by=judged_by,
        )

    def dead(self, data: pd.DataFrame) -> list[int]:
        """Positions of the channels that hold no value at all in new recordings."""
        return [i for i, channel in enumerate(self.channels) if not channel.has_value(data[channel.name])]

    def levels(self, entity: str | None) -> np.ndarray:
        """(2, channel) means and scales of an entity; the pooled ones where it has none of its own."""
        own = None if entity is None else self.own.get(entity)
        return self._of_all if own is None else own

    @cached_property
    def _of_all(self) -> np.ndarray:
        return np.array([[channel.mean, channel.scale] for channel in self.channels]).T

    def base(self, samples: int) -> np.ndarray:
        """(samples, item channel) float32 zeros for `write`."""
        return np.zeros((samples, len(self.parts.names)), dtype=np.float32)

    def write(self, base: np.ndarray, i: int, z: np.ndarray) -> None:
        """Write the z-scores of channel i into (samples, item channel)."""
        if i in self.position:
            base[:, self.position[i]] = z
        else:
            base[:, -1] = np.minimum(base[:, -1] + np.minimum(np.abs(z), EACH_AT_MOST), TOGETHER_AT_MOST)

    def z(self, i: int, numbers: np.ndarray, entities: np.ndarray | None) -> np.ndarray:
        """(samples,) z-scores of channel i.

        Args:
            entities: (samples,) the recording of each sample; None = the pooled scale is used.
        """
        if entities is None:
            return self.channels[i].scaled(numbers, self.clip)
        codes, names = pd.factorize(entities)
        mean, scale = np.stack([self.levels(str(name))[:, i] for name in names], axis=1)[:, codes]
        return z_scores(numbers, mean, scale, self.clip)

    def unknown(self, rows: pd.DataFrame) -> list[str]:
        """A sentence about recordings without a scale of their own where others have one."""
        if not self.own:
            return []
        names = rows["entity"].unique().tolist() if "entity" in rows else ["this recording"]
        if not (new := [str(name) for name in names if name not in self.own]):
            return []
        return [f"Not among the training recordings: {some(new)}. Their pooled scale is used."]

    def scaled(self, numbers: np.ndarray, entity: str | None) -> np.ndarray:
        """(samples, channel) float64 of one entity, without missing cells -> (samples, item channel) float32."""
        mean, scale = self.levels(entity)
        z, base = z_scores(numbers, mean, scale, self.clip), self.base(len(numbers))
        for i in range(len(self.channels)):
            self.write(base, i, z[:, i])
        return base

    def signal(self, part: int, data: pd.DataFrame, entity: str | None) -> np.ndarray:
        """(rows,) values of an item's channel in the user's rows, in its unit, NaN where nothing was measured."""
        if part < len(self.kept):
            channel = self.channels[self.kept[part]]
            return channel.numbers(data[channel.name])
        return np.asarray(np.minimum(self._sizes(data, entity).sum(axis=1), TOGETHER_AT_MOST))

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
        size = self._sizes(data, entity).sum(axis=0)
        return [self.channels[self.shared[i]].name for i in np.argsort(-size, kind="stable") if size[i] > 0]

    def _sizes(self, data: pd.DataFrame, entity: str | None) -> np.ndarray:
        """(rows, shared) absolute z-scores that each shared channel adds."""
        chosen = [self.channels[i] for i in self.shared]
        numbers = np.column_stack([channel.numbers(data[channel.name]) for channel in chosen])
        mean, scale = self.levels(entity)[:, list(self.shared)]
        return np.asarray(np.minimum(np.abs(z_scores(numbers, mean, scale, self.clip)), EACH_AT_MOST))

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """All of it as JSON-able facts and arrays."""
        facts = {
            "channels": [channel.model_dump(exclude={"mean", "scale", "low", "high"}) for channel in self.channels],
            "shared": list(self.shared),
            "entities": list(self.own),
        }
        scales = [[channel.mean, channel.scale, channel.low, channel.high] for channel in self.channels]
        arrays = {"scales": np.array(scales, dtype=np.float64).reshape(-1, 4)}
        return facts, arrays | ({"own_scales": np.stack(list(self.own.values()))} if self.own else {})

    @classmethod
    def restored(cls, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray], clip: float) -> "Scaling":
        """The inverse of `state`; bundles of format 1 have neither shared channels nor scales of entities."""
        channels = tuple(
            Channel(**channel, mean=float(mean), scale=float(scale), low=float(low), high=float(high))
            for channel, (mean, scale, low, high) in zip(facts["channels"], arrays["scales"], strict=True)
        )
        own = dict(zip(facts.get("entities", []), arrays.get("own_scales", ()), strict=True))
        shared = tuple(facts.get("shared", ()))
        if not all(position in range(len(channels)) for position in shared):
            raise ValueError(f"shared channels {shared} of {len(channels)}")
        return cls(channels, clip, shared, own)


def learn_scaling(
    dataset: Dataset, training: np.ndarray, per_entity: PerEntity, clip: float
) -> tuple[Scaling, list[str]]:
    """Level and scale of every channel from the training rows, and notices.

    Args:
        training: (k,) positions of these rows.

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
            f"Constant in the training rows: {names}. These {len(shared)} share one channel, which stays at zero "
            f"until one of them changes; an explanation names it."
        )
    elif constant:
        notices.append(f"Constant in the training rows: {names}. They stay at zero until they change.")
    if empty:
        notices.append(f"Left out, because they are empty in the training rows: {some(empty)}.")
    return Scaling(tuple(channels), clip, shared, own), notices


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
