"""Build the one array of a recording that all its windows are views of."""

import numpy as np

from ad_core.data.dataset import Dataset
from ad_core.data.recordings.resampling import Grid
from ad_core.data.recordings.scaling import Scaling
from ad_core.data.recordings.timeline import Timeline
from ad_core.data.recordings.watched_channels import in_samples
from ad_core.data.recordings.windows import fill


def base_of(
    dataset: Dataset, scaling: Scaling, line: Timeline, grid: Grid | None, short: int
) -> tuple[np.ndarray, np.ndarray]:
    """Interpolate short runs of missing cells, and scale, channel by channel.

    Args:
        line: the samples in order.
        grid: the regular grid, if irregular samples are resampled.
        short: maximum length of a run of missing cells that is interpolated [samples].

    Returns:
        (samples, item channel) float32, and (samples,) number of cells of each that were not measured or interpolated,
        without those of channels that are empty in the whole recording.
    """
    base, absent = scaling.base(len(line.first)), np.zeros(len(line.first), dtype=np.int64)
    names = dataset.rows["entity"].to_numpy()[line.first] if scaling.own and "entity" in dataset.rows else None
    dead = set(scaling.dead(dataset.data))
    for i, channel in enumerate(scaling.channels):
        numbers = channel.numbers(dataset.data[channel.name])
        numbers = numbers[line.first] if grid is None else grid.values(numbers[grid.measured.first])
        numbers, unknown = fill(numbers, line.segment, line.seconds, short)
        scaling.write(base, i, scaling.z(i, numbers, names))
        absent += unknown & (i not in dead)
    if scaling.watched:
        base[:, scaling.learnt :] = in_samples(scaling.watched, dataset.data, scaling.channels, line)
    return base, absent
