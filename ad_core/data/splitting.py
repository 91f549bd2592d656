"""Which rows fit a detector, which decide early stopping, and which calibrate it: no row does two of these.

Tables and images are split at random. Recordings are split in time, each on its own, because neighbouring samples are
nearly the same; windows that cross a border belong to no part, which leaves a gap of one window between the parts.
Where there are many short recordings, each whole recording goes to one part instead.
"""

from collections.abc import Sequence

import numpy as np

from ad_core.data.dataset import Dataset
from ad_core.data.item_set import ItemSet, Split
from ad_core.data.recordings.timeline import timeline
from ad_core.errors import DataError
from ad_core.types import Modality

FIT, EARLY_STOP, CALIBRATION, UNUSED = 0, 1, 2, -1
SHARES = (0.6, 0.15, 0.25)

MANY_RECORDINGS, SHORT_RECORDING = 12, 512
"""With at least this many recordings whose median length [samples] is below this, each recording goes to one part as a
whole: a block of it would not hold a window."""

HELD_BACK = 0.2
"""Share of the fit items used for early stopping where the early-stop rows contain no item."""


def split_rows(dataset: Dataset, shares: Sequence[float] = SHARES, seed: int = 0) -> np.ndarray:
    """Assign each training row to one of the three parts.

    Args:
        shares: of fit, early stop and calibration; they add up to 1.

    Returns:
        (rows,) int8: 0 fit, 1 early stop, 2 calibration, -1 not used.

    Raises:
        DataError: there is no training row.
    """
    is_training = dataset.is_training & (dataset.rows["note"] == "").to_numpy()
    if not is_training.any():
        raise DataError("No row can be used for training. Choose other training rows.")
    parts = np.full(len(dataset), UNUSED, dtype=np.int8)
    if dataset.modality is Modality.SENSOR:
        return _in_time(dataset, is_training, parts, shares, seed)
    rows = np.random.default_rng(seed).permutation(np.flatnonzero(is_training))
    parts[rows] = _dealt(len(rows), shares)
    return parts


def split_items(item_set: ItemSet, parts: np.ndarray, shares: Sequence[float] = SHARES) -> tuple[Split, list[str]]:
    """The items all of whose rows belong to one part, and notices about parts that had to be replaced or are empty.

    Args:
        parts: (rows,) as `split_rows` gives.
        shares: as given to `split_rows`; a part with share 0 is empty on purpose.

    Raises:
        DataError: no item lies within the fit rows.
    """
    fit, early_stop, calibration = (item_set.items_within(parts == part) for part in (FIT, EARLY_STOP, CALIBRATION))
    notices = []
    if not len(fit):
        raise DataError(
            f"None of the {len(item_set)} items lies fully within the training rows. Choose more training rows, "
            f"or a shorter window."
        )
    if shares[1] and not len(early_stop):
        fit, early_stop = _held_back(item_set, fit)
        notices.append(
            f"The rows for early stopping are too few for a window: {len(early_stop)} windows at the end of the "
            f"training rows are used instead."
        )
    if shares[2] and not len(calibration):
        notices.append("The calibration rows are too few for a window: scores have neither percentile nor p-value.")
    return Split(fit, early_stop, calibration), notices


def _in_time(
    dataset: Dataset, is_training: np.ndarray, parts: np.ndarray, shares: Sequence[float], seed: int
) -> np.ndarray:
    """Blocks in order of time within each recording; rows that share a time stamp stay together."""
    line = timeline(dataset.rows)
    part_of = np.full(len(line.first), UNUSED, dtype=np.int8)
    chosen = np.zeros(len(line.first), dtype=bool)
    chosen[line.sample[is_training & (line.sample >= 0)]] = True
    recordings = [np.flatnonzero(chosen & (line.entity == entity)) for entity in np.unique(line.entity[chosen])]
    if len(recordings) >= MANY_RECORDINGS and np.median([len(samples) for samples in recordings]) < SHORT_RECORDING:
        order = np.random.default_rng(seed).permutation(len(recordings))
        for at, part in zip(order, _dealt(len(recordings), shares), strict=True):
            part_of[recordings[at]] = part
    else:
        for samples in recordings:
            part_of[samples] = _dealt(len(samples), shares)
    placed = is_training & (line.sample >= 0)
    parts[placed] = part_of[line.sample[placed]]
    return parts


def _dealt(n: int, shares: Sequence[float]) -> np.ndarray:
    """(n,) int8 parts in blocks; each gets at least one if n >= 3, else fit is filled first, then early stopping."""
    early_stop, calibration = (max(1, round(share * n)) for share in shares[1:])
    if n < 3:
        early_stop, calibration = n - 1, 0
    sizes = (n - early_stop - calibration, early_stop, calibration)
    return np.repeat(np.array([FIT, EARLY_STOP, CALIBRATION], dtype=np.int8), sizes)


def _held_back(item_set: ItemSet, fit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit items, and the last of them for early stopping, without overlap unless too few would remain to fit on."""
    cut = len(fit) - max(1, round(HELD_BACK * len(fit)))
    start = item_set.items["start"].to_numpy()
    before = fit[:cut][start[fit[:cut]] + item_set.span <= start[fit[cut]]] if cut else fit[:0]
    if len(before) >= len(fit) / 4:
        return before, fit[cut:]
    return (fit[:cut], fit[cut:]) if cut else (fit, fit)
