"""True labels of rows, where known: a label column as 0 (normal) and 1 (anomaly)."""

import numpy as np
import pandas as pd

from ad_core.data.label_words import ANOMALY, NORMAL, NORMAL_WORDS, SWITCHES, means_normal, plain_word
from ad_core.errors import DataError

ODD_CELLS = 0.01
"""Maximum share of cells that can't be read, such as those of a line of totals, for the others to be used."""


def label_values(values: pd.Series, name: str) -> np.ndarray:
    """A label column as numbers.

    Args:
        values: booleans, 0 and 1, or words such as normal / anomaly, good / bad, ok / nok in any case. Beside a word
            for normal, such as BENIGN, any other word is a kind of anomaly.

    Returns:
        (rows,) float64: 0 normal, 1 anomaly, NaN not known.

    Raises:
        DataError: the column holds something else.
    """
    truth, strange = _read(values, name)
    if strange:
        raise DataError(_unreadable(name, list(strange)))
    return truth


def read_labels(values: pd.Series, name: str) -> tuple[np.ndarray | None, list[str]]:
    """`label_values` without an error: None where the column can't be read, and sentences about what was not read."""
    truth, strange = _read(values, name)
    if not strange:
        return truth, []
    odd = sum(strange.values())
    if odd <= ODD_CELLS * len(values) and not np.isnan(truth).all() and not any(map(_is_number, strange)):
        first = next(iter(strange))
        return truth, [
            f"The label column {name!r} has {odd} of {len(values)} cells that can't be read as true labels, such as "
            f"{first!r}; they count as not known."
        ]
    return None, [
        f"{_unreadable(name, list(strange))} Until then it is used for nothing, neither training nor evaluation. "
        "Scoring needs no labels."
    ]


def _read(values: pd.Series, name: str) -> tuple[np.ndarray, dict[str, int]]:
    """Labels, NaN where they can't be read; and the number of cells of each value that can't."""
    codes, levels = pd.factorize(values)
    words = [plain_word(str(level)) for level in levels]
    named = not NORMAL_WORDS.isdisjoint(words)
    truth = np.full(len(words) + 1, np.nan)  # code -1, missing, takes the last
    for at, word in enumerate(words):
        if word in NORMAL | ANOMALY:
            truth[at] = float(word in ANOMALY) if word not in SWITCHES or not means_normal(name) else word in NORMAL
        elif named and not _is_no_label(word, name):
            truth[at] = 1.0
    counts = np.bincount(codes[codes >= 0], minlength=len(words))
    strange = {str(levels[at]): int(counts[at]) for at in np.flatnonzero(np.isnan(truth[:-1]))}
    return np.asarray(truth[codes]), strange


def _is_no_label(word: str, name: str) -> bool:
    """A word that names no kind of anomaly: not known, a number, or the header once more."""
    return _is_number(word) or word in ("", "?", "unknown", "unlabeled", "unlabelled", "total", "sum", plain_word(name))


def _is_number(word: str) -> bool:
    return word.replace(".", "", 1).lstrip("+-").isdigit()


def _unreadable(name: str, strange: list[str]) -> str:
    more = f" and {len(strange) - 1} more that can't be read" if len(strange) > 1 else ""
    return (
        f"The label column {name!r} has the value {strange[0]!r}{more}. Use 0 and 1, or words such as "
        f"normal and anomaly; leave cells empty where the label is not known."
    )
