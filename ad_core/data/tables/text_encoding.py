"""Free text as entries of an item: its topic, how unusual its wording is, and its length.

Texts become TF-IDF weights of hashed character n-grams; a truncated singular value decomposition reduces them to a few
directions (Deerwester et al. 1990, Indexing by latent semantic analysis).
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from ad_core.data.dataset import ColumnKind
from ad_core.data.tables.encoding import MISSING, ColumnEncoding
from ad_core.data.tables.values import Coded, coded

BUCKETS = 2048
"""Number of hash buckets for n-grams."""
DIRECTIONS = 6
FITTED_TEXTS = 10_000
"""Maximum number of distinct texts that the encoding is fitted to, evenly spaced."""
KEPT_TEXTS, KEPT_LENGTH = 256, 200
"""Maximum number and length of the training texts that are stored, the most frequent first, to decode to."""
AT_A_TIME = 4096

TEXT = "(text)"
_WORD = re.compile(r"\w+")


class TextEncoding(ColumnEncoding):
    """z-scores of each direction, of the residual norm outside all directions, and of the logarithm of the length.

    A missing text is encoded as the mean; where texts were missing, a last entry is 1 for a missing one.
    """

    form: Literal["text"] = "text"
    weights: tuple[float, ...]
    """Weight of each bucket: rare n-grams weigh more."""
    directions: tuple[tuple[float, ...], ...]
    """(directions, buckets)."""
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    known: tuple[str, ...]

    @property
    def entries(self) -> int:
        return len(self.mean) + self.has_missing

    def encode(self, values: pd.Series) -> np.ndarray:
        column = coded(values)
        z = self._z(column.levels)
        z = np.vstack([z, np.zeros(len(self.mean))])[column.codes]  # code -1, missing, takes the last
        return np.column_stack([z, column.missing()]) if self.has_missing else z

    def decode(self, entries: np.ndarray) -> list[str | float]:
        """The known text whose encoding is nearest."""
        width = len(self.mean)
        z = np.asarray(entries, dtype=np.float64)
        gone = z[:, width] > 0.5 if self.has_missing else np.zeros(len(z), dtype=bool)
        if not self.known:
            return [MISSING if absent else TEXT for absent in gone]
        near = [int(np.square(self._known_z - row).sum(axis=1).argmin()) for row in z[:, :width]]
        return [MISSING if absent else self.known[at] for at, absent in zip(near, gone, strict=True)]

    def _z(self, texts: Sequence[str]) -> np.ndarray:
        """(texts, directions + 2)."""
        reduced = _reduced(texts, np.array(self.weights), np.array(self.directions))
        z: np.ndarray = (reduced - np.array(self.mean)) / np.array(self.scale)
        return z

    @cached_property
    def _known_z(self) -> np.ndarray:
        return self._z(self.known)


def learn_text(name: str, unit: str | None, values: Coded) -> TextEncoding | None:
    """Fit to the training rows; None where there are too few texts or no n-grams."""
    from sklearn.decomposition import TruncatedSVD

    step = max(1, -(-len(values.levels) // FITTED_TEXTS))
    counts, texts = values.counts()[::step], values.levels[::step]
    x = _counted(texts)
    present = np.asarray((x > 0).sum(axis=0)).ravel()
    weights = np.log((1 + len(texts)) / (1 + present)) + 1  # smoothed inverse document frequency
    wanted = min(DIRECTIONS, len(texts) - 1)
    if wanted < 1 or not x.nnz:
        return None
    svd = TruncatedSVD(wanted, random_state=0).fit(_unit(x.multiply(weights)))
    directions = np.round(svd.components_[svd.singular_values_ > 1e-6], 6)
    weights = np.round(weights, 6)
    reduced = _reduced(texts, weights, directions)
    share = counts / counts.sum()
    mean = share @ reduced
    scale = np.sqrt(share @ np.square(reduced - mean))
    by_count = np.argsort(-values.counts(), kind="stable")
    return TextEncoding(
        name=name,
        kind=ColumnKind.TEXT,
        unit=unit,
        has_missing=bool(values.missing().any()),
        weights=tuple(weights.tolist()),
        directions=tuple(map(tuple, directions.tolist())),
        mean=tuple(mean.tolist()),
        scale=tuple(np.where(scale > 1e-9, scale, 1.0).tolist()),
        known=tuple(text for i in by_count[:KEPT_TEXTS] if len(text := values.levels[i]) <= KEPT_LENGTH),
    )


def words_repeat(texts: Sequence[str]) -> bool:
    """Whether most of these texts share a word with some, but not nearly all, of the others.

    Identifiers, and sentences that differ in a number only, do not: nothing can be learnt from them.
    """
    words = [set(_WORD.findall(text.lower())) for text in texts]
    if np.median([len(text.split()) for text in texts] or [0]) < 2:
        return False
    often = Counter(word for own in words for word in own)
    telling = {word for word, n in often.items() if 2 <= n <= 0.9 * len(texts)}
    return sum(bool(own & telling) for own in words) > 0.5 * len(texts)


def _reduced(texts: Sequence[str], weights: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """(texts, directions + 2): coordinate on each direction, residual norm, logarithm of the length."""
    result = np.empty((len(texts), len(directions) + 2))
    for begin in range(0, len(texts), AT_A_TIME):
        part = texts[begin : begin + AT_A_TIME]
        unit = _unit(_counted(part).multiply(weights))
        on = unit @ directions.T
        length = np.asarray(unit.multiply(unit).sum(axis=1)).ravel()  # 1, or 0 for a text without any n-gram
        rest = np.sqrt(np.clip(length - np.square(on).sum(axis=1), 0, None))
        result[begin : begin + len(part)] = np.column_stack([on, rest, np.log1p([len(text) for text in part])])
    return result


def _counted(texts: Sequence[str]) -> Any:
    """(texts, BUCKETS) sparse: how often n-grams of two to four characters occur, by the bucket that they hash to."""
    from sklearn.feature_extraction.text import HashingVectorizer

    hashing = HashingVectorizer(
        analyzer="char_wb", ngram_range=(2, 4), n_features=BUCKETS, alternate_sign=False, norm=None
    )
    return hashing.transform(texts)


def _unit(x: Any) -> Any:
    """Rows of length 1."""
    from sklearn.preprocessing import normalize

    return normalize(x.tocsr())
