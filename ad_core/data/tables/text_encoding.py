"""Free text as entries of an item: what it is about, how unusual its wording is, and how long it is.

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
"""N-grams are counted in so many buckets."""
DIRECTIONS = 6
TEACHING_TEXTS = 10_000
"""Of more different texts, so many are learnt from, drawn at even distances."""
KEPT_TEXTS, KEPT_LENGTH = 256, 200
"""So many of the texts that taught, the most frequent first, stay to give an encoding a wording again."""
AT_A_TIME = 4096

TEXT = "(text)"
_WORD = re.compile(r"\w+")


class TextEncoding(ColumnEncoding):
    """z-scores of each direction, of the share of the wording that no direction holds, and of the length's logarithm.

    A missing text is average; a last entry says that it was missing, where that occurred.
    """

    form: Literal["text"] = "text"
    weights: tuple[float, ...]
    """Of each bucket: rare n-grams weigh more."""
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


def learn_text(name: str, unit: str | None, found: Coded) -> TextEncoding | None:
    """From the training rows; None where the texts have nothing in common that could be learnt."""
    from sklearn.decomposition import TruncatedSVD

    step = max(1, -(-len(found.levels) // TEACHING_TEXTS))
    counts, texts = found.counts()[::step], found.levels[::step]
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
    by_count = np.argsort(-found.counts(), kind="stable")
    return TextEncoding(
        name=name,
        kind=ColumnKind.TEXT,
        unit=unit,
        has_missing=bool(found.missing().any()),
        weights=tuple(weights.tolist()),
        directions=tuple(map(tuple, directions.tolist())),
        mean=tuple(mean.tolist()),
        scale=tuple(np.where(scale > 1e-9, scale, 1.0).tolist()),
        known=tuple(text for i in by_count[:KEPT_TEXTS] if len(text := found.levels[i]) <= KEPT_LENGTH),
    )


def words_repeat(texts: Sequence[str]) -> bool:
    """Whether most of these texts have a word that some of the others have too, but not nearly all of them.

    Names of rows, and sentences that differ in a number only, have none: there is nothing to learn from them.
    """
    words = [set(_WORD.findall(text.lower())) for text in texts]
    if np.median([len(text.split()) for text in texts] or [0]) < 2:
        return False
    often = Counter(word for found in words for word in found)
    telling = {word for word, n in often.items() if 2 <= n <= 0.9 * len(texts)}
    return sum(bool(found & telling) for found in words) > 0.5 * len(texts)


def _reduced(texts: Sequence[str], weights: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """(texts, directions + 2): place on each direction, share that none holds, logarithm of the length."""
    found = np.empty((len(texts), len(directions) + 2))
    for begin in range(0, len(texts), AT_A_TIME):
        part = texts[begin : begin + AT_A_TIME]
        unit = _unit(_counted(part).multiply(weights))
        on = unit @ directions.T
        length = np.asarray(unit.multiply(unit).sum(axis=1)).ravel()  # 1, or 0 of a text without any n-gram
        rest = np.sqrt(np.clip(length - np.square(on).sum(axis=1), 0, None))
        found[begin : begin + len(part)] = np.column_stack([on, rest, np.log1p([len(text) for text in part])])
    return found


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
