"""Rows, images and segments of recordings that equal, or nearly equal, an earlier one.

A duplicate counts twice in training, and a row whose copy is a training row gets too low a score.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pandas as pd

from ad_core.data.dataset import ColumnKind, Dataset, Role
from ad_core.data.tables.values import coded, numbers
from ad_core.errors import DataError
from ad_core.types import Modality

AT_A_TIME = 500_000
"""Number of rows that are hashed at a time, as hashing needs several times their memory."""

FEWEST_COLUMNS = 4
"""Minimum number of columns: rows with fewer agree in all but one by chance."""
STEPS = 1000
"""Numbers are rounded to this fraction (1 / STEPS) of the range from the 5 % to the 95 % quantile and compared."""
COMMON = 0.05
"""Maximum share of matching rows or images; with more, matches are typical of the data and are not reported."""
CHANCE = 4
"""Minimum ratio of observed matches to matches expected under independent columns."""
CELLS = 6_000_000
"""Maximum number of cells of a table that are compared, counted from its beginning."""

IMAGES, SIDE = 1000, 32
"""Maximum number of images that are compared, and the side of the small grey images that they are reduced to [px]."""
GREY, NEARER = 2.0, 0.2
"""Maximum root mean square difference of near duplicates: in grey levels of 255, and as a share of the median
difference between an image and its nearest neighbour."""

SEGMENT = 30
"""Minimum number of rows that a recording must repeat in all channels, value for value."""
PERIODIC = 0.3
"""Maximum share of a recording that repeats; with more, it is periodic and nothing was copied."""


class NearDuplicates(NamedTuple):
    """Rows, images or segments that nearly equal an earlier one."""

    pairs: pd.DataFrame
    """`row_id`, `like` (the earlier one's id), `differs` (a column, or ""); in recordings each segment's first row."""
    sentence: str
    """The result in words, for an analyst; "" = no near duplicates."""


NONE = NearDuplicates(pd.DataFrame({name: pd.Series(dtype="str") for name in ("row_id", "like", "differs")}), "")


def equal_rows(dataset: Dataset) -> int:
    """Rows of a table that equal an earlier one in all used columns."""
    used = dataset.schema.names(Role.FEATURE)
    if not used or dataset.modality is Modality.SENSOR:
        return 0
    mixed = row_codes(dataset.data, used)
    mixed.sort()  # in place: a hash table of millions of rows would be several times as large
    return int((mixed[1:] == mixed[:-1]).sum())


def near_duplicates(dataset: Dataset) -> NearDuplicates:
    """Find near duplicates; exactly equal rows and files are not among them.

    Tables: rows that agree in all used columns or in all but one, numbers to a thousandth of their 5 % to 95 % range.
    Images: images that hardly differ once reduced to small grey ones, whatever their size and format. Recordings: a
    segment of 30 rows or more that repeats an earlier one in all channels. Run time grows as n log n with the rows;
    of images at most IMAGES are compared.
    """
    find = {Modality.TABLE: _rows, Modality.IMAGE: _images, Modality.SENSOR: _segments}[dataset.modality]
    return find(dataset)


def row_codes(data: pd.DataFrame, used: list[str]) -> np.ndarray:
    """(rows,) uint64, the same for rows that equal each other in all of the columns."""
    mixed = np.zeros(len(data), dtype=np.uint64)
    for begin in range(0, len(mixed), AT_A_TIME):
        part = mixed[begin : begin + AT_A_TIME]
        for name in used:
            part *= np.uint64(1_000_003)
            part += pd.util.hash_pandas_object(data[name].iloc[begin : begin + AT_A_TIME], index=False).to_numpy()
    return mixed


def _rows(dataset: Dataset) -> NearDuplicates:
    columns = [c for c in dataset.schema.columns if c.role is Role.FEATURE]
    if len(columns) < FEWEST_COLUMNS:
        return NONE
    data = dataset.data.iloc[: CELLS // len(columns)]
    first = ~pd.Series(row_codes(data, [c.name for c in columns])).duplicated().to_numpy()
    position = np.flatnonzero(first)
    codes = [_rough(data[c.name].iloc[position], c.kind, number) for number, c in enumerate(columns)]
    random = np.random.default_rng(0)
    shuffled = [random.permutation(code) for code in codes]
    total, by_chance = sum(codes), sum(shuffled)
    nothing = np.zeros_like(total)
    variants = [("", nothing, nothing), *zip((c.name for c in columns), codes, shuffled, strict=True)]
    matches: dict[int, tuple[int, str]] = {}
    for name, code, shuffled_code in variants:
        earlier = _earlier(total - code)
        again = np.flatnonzero(earlier >= 0)
        expected = np.count_nonzero(_earlier(by_chance - shuffled_code) >= 0)
        if len(again) > CHANCE * expected:
            for i in again:
                matches.setdefault(int(i), (int(earlier[i]), name))
    if not matches or len(matches) > COMMON * len(position):
        return NONE
    ids = dataset.rows["row_id"].to_numpy()[position]
    lines = [(ids[i], ids[like], name) for i, (like, name) in sorted(matches.items())]
    pairs = pd.DataFrame(lines, columns=["row_id", "like", "differs"])
    named = pairs.loc[pairs["differs"] != "", "differs"]
    which = f" ({named.mode()[0]!r} most often)" if len(named) else ""
    return NearDuplicates(
        pairs,
        f"{len(pairs)} of {len(data)} rows nearly equal an earlier one, in all columns but at most one{which}; "
        f"for example {pairs['row_id'][0]!r} and {pairs['like'][0]!r}. Were they entered twice?",
    )


def _rough(values: pd.Series, kind: ColumnKind, number: int) -> np.ndarray:
    """(rows,) uint64, the same for values that hardly differ; `number` makes the codes of each column distinct."""
    if kind is ColumnKind.NUMBER:
        parsed, _ = numbers(values)
        low, high = np.nanquantile(parsed, [0.05, 0.95]) if np.isfinite(parsed).any() else (0.0, 0.0)
        step = (high - low) / STEPS if high > low else 1.0
        plain = np.where(np.isfinite(parsed), np.round(parsed / step), parsed) + 0.0  # -0 equals 0
    else:
        column = coded(values)
        texts = pd.factorize(np.array([level.strip().casefold() for level in column.levels] + [""], dtype=object))[0]
        plain = np.where(column.codes < 0, -1, texts[column.codes]).astype(np.float64)
    return np.asarray(pd.util.hash_array(plain, hash_key=f"{number:016d}"[:16]) * np.uint64(2 * number + 1))


def _earlier(keys: np.ndarray) -> np.ndarray:
    """(n,) position of the first one with the same key; -1 for the first itself."""
    order = np.argsort(keys, kind="stable")
    begins = np.append(True, keys[order][1:] != keys[order][:-1])
    first = np.empty(len(keys), dtype=np.int64)
    first[order] = order[np.flatnonzero(begins)[np.cumsum(begins) - 1]]
    return np.where(first == np.arange(len(keys)), -1, first)


def _images(dataset: Dataset) -> NearDuplicates:
    from sklearn.neighbors import NearestNeighbors

    usable = dataset.data.loc[(dataset.rows["note"] == "").to_numpy()].drop_duplicates("sha")
    some = usable.iloc[np.linspace(0, len(usable) - 1, min(IMAGES, len(usable))).astype(int)]
    with ThreadPoolExecutor() as pool:
        small = list(pool.map(_small, some["file"]))
    known = [i for i, image in enumerate(small) if image is not None]
    if len(known) < 3:
        return NONE
    x = np.stack([image for image in small if image is not None])
    neighbours = (
        NearestNeighbors(n_neighbors=1, algorithm="brute").fit(x).kneighbors()
    )  # the nearest other image of each
    rms, near = neighbours[0][:, 0] / SIDE, neighbours[1][:, 0]
    again = np.flatnonzero((rms <= GREY) & (rms <= NEARER * np.median(rms)) & (near < np.arange(len(x))))
    if not len(again) or len(again) > COMMON * len(x):
        return NONE
    paths = some["path"].to_numpy()[known]
    pairs = pd.DataFrame({"row_id": paths[again], "like": paths[near[again]], "differs": ""})
    return NearDuplicates(
        pairs,
        f"{len(pairs)} of {len(x)} images are nearly the same as another one, though the files differ; for example "
        f"{pairs['row_id'][0]!r} and {pairs['like'][0]!r}. Are they copies?",
    )


def _small(file: str) -> np.ndarray | None:
    """(SIDE * SIDE,) grey levels; None where the image can't be decoded."""
    from PIL import Image

    from ad_core.data.files.image_files import load_image

    try:
        grey = load_image(file).convert("L")
    except DataError:
        return None
    return np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.float32).ravel()


def _segments(dataset: Dataset) -> NearDuplicates:
    used = dataset.schema.names(Role.FEATURE)
    rows = len(dataset)
    if not used or rows < 2 * SEGMENT:
        return NONE
    codes = row_codes(dataset.data, used)
    keys = np.zeros(rows - SEGMENT + 1, dtype=np.uint64)
    for k in range(SEGMENT):
        keys = keys * np.uint64(1_000_003) + codes[k : k + len(keys)]
    changes = np.cumsum(np.append(0, codes[1:] != codes[:-1]))
    earlier = _earlier(keys)
    copied = (earlier >= 0) & (np.arange(len(keys)) - earlier >= SEGMENT)
    copied &= changes[SEGMENT - 1 :] - changes[: len(keys)] >= SEGMENT // 2  # a constant signal repeats itself
    begins = np.flatnonzero(copied)
    if not len(begins) or len(begins) > PERIODIC * rows:
        return NONE
    lag = begins - earlier[begins]
    new = np.append(True, (np.diff(begins) > 1) | (np.diff(lag) != 0))
    starts, lengths = begins[new], np.bincount(np.cumsum(new) - 1) + SEGMENT - 1
    ids = dataset.rows["row_id"].to_numpy()
    pairs = pd.DataFrame({"row_id": ids[starts], "like": ids[earlier[starts]], "differs": ""})
    longest = int(lengths.argmax())
    return NearDuplicates(
        pairs,
        f"{lengths[longest]} rows from {pairs['row_id'][longest]!r} on repeat those from {pairs['like'][longest]!r} "
        f"on, value for value in all channels{f', and {len(pairs) - 1} more segments' if len(pairs) > 1 else ''}. "
        "Were they copied or sent twice?",
    )
