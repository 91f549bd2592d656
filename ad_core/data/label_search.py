"""Which columns of a table or a recording hold true labels: by their names and their values together.

Training on the truth gives a detector that finds what it was told. Leaving out a good column costs power. So a column
is taken as the label only where its name and its values both say so; where one of them does, the analyst is asked.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property

import numpy as np
import pandas as pd

from ad_core.data.label_words import (
    ANOMALY,
    NORMAL,
    NORMAL_WORDS,
    SURE_TARGETS,
    SWITCHES,
    Hint,
    hint_of,
    name_words,
    plain_word,
)
from ad_core.data.tables.labels import read_labels

HEAD = 1000
"""Number of rows whose values are looked at first: a column with many different ones is seldom a label."""
FEW, MOST_CLASSES = 20, 50
"""Maximum number of different values of a label, and of one whose name or values are certain."""
RARE = 0.1
"""Maximum share of the rarer value of an on/off column with an unsure name for it to look like a label."""

COPY = "Holds what the label {label!r} says: using it would leak the label."
SECOND = "Looks like true labels: using it would leak the label."
UNREAD = (
    "Holds true labels by its name, but they can't be read ({seen}): used for nothing. "
    "Write 0 and 1 to evaluate by them."
)
ASKED = "It may hold true labels: say whether it is the label or a feature."
CLEARED = "Could hold true labels by its name, but its values are not those of {label!r}: used."
MEASURED = "Could hold true labels by its name, but it has {distinct:,} different values: used."


class Verdict(Enum):
    """Whether a column holds true labels."""

    NO = auto()
    ASK = auto()
    UNREAD = auto()
    """It does, but its values can't be read as normal and anomaly."""
    PART = auto()
    """It says a part of what a label says, so it is one where there is a label; else it is asked about."""
    SURE = auto()


@dataclass(frozen=True)
class Labels:
    """The columns that hold true labels, or may."""

    label: str | None = None
    """Taken as the label; None where there is none, or where the user declared one."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Column -> why it is neither trained on nor the label."""
    asked: dict[str, str] = field(default_factory=dict)
    """Column -> the values that were seen, for a question to the user."""
    used: dict[str, str] = field(default_factory=dict)
    """Column -> why it is trained on although its name is that of true labels."""

    @property
    def names(self) -> set[str]:
        """All columns that are not to be trained on."""
        return {*self.left_out, *self.asked} | ({self.label} if self.label else set())

    def notices(self) -> list[str]:
        """A sentence about the columns that are left out; why is in their reasons."""
        if not self.left_out:
            return []
        names = ", ".join(map(repr, self.left_out))
        return [f"Not trained on, as true labels: {names}. Declare a column as a feature to train on it."]


def find_labels(data: pd.DataFrame, declared: str | None, known: Iterable[str] = ()) -> Labels:
    """Look for true labels among the columns whose roles are not known yet.

    Args:
        declared: the label column that the user named.
        known: columns that have a role already.
    """
    known = {*known} | ({declared} if declared else set())
    names = {*map(str, data.columns)}
    columns = [_Column(str(name), data[name], names) for name in data.columns if name not in known]
    verdicts = [(column, column.verdict()) for column in columns if column.may_be_one]
    sure = sorted((c for c, verdict in verdicts if verdict is Verdict.SURE), key=_Column.rank)
    taken = None if declared or not sure else sure[0].name
    found, label = Labels(taken), declared or taken
    truth = None if label is None else read_labels(data[label], label)[0]
    if truth is not None and not (truth == 1).any():
        truth = None  # nothing can be compared with it
    for column, verdict in verdicts:
        if column.name != taken:
            _sort(column, verdict, label, truth, found)
    return found


def _sort(column: "_Column", verdict: Verdict, label: str | None, truth: np.ndarray | None, found: Labels) -> None:
    """Put a column that is not the label itself where it belongs."""
    name = column.name
    if verdict is Verdict.NO:
        if column.hint is Hint.TRUTH and column.distinct > MOST_CLASSES:
            found.used[name] = MEASURED.format(distinct=column.distinct)
    elif verdict is Verdict.UNREAD:
        found.left_out[name] = UNREAD.format(seen=column.seen)
    elif verdict is Verdict.SURE or (label and verdict is Verdict.PART):
        found.left_out[name] = SECOND
    elif label is None or (truth is None and column.hint):
        found.asked[name] = column.seen
    elif column.says_what(truth):
        found.left_out[name] = COPY.format(label=label)
    elif column.hint:
        found.used[name] = CLEARED.format(label=label)


class _Column:
    """A column with its name's hint; its values are counted only where they matter."""

    def __init__(self, name: str, values: pd.Series, others: set[str]) -> None:
        self.name, self.values, self.others = name, values, others
        self.hint = hint_of(name)

    @property
    def may_be_one(self) -> bool:
        """A quick look: a hint by the name, or text with few different values."""
        if pd.api.types.is_datetime64_any_dtype(self.values):
            return False
        if self.hint:
            return True
        if pd.api.types.is_numeric_dtype(self.values) or pd.api.types.is_bool_dtype(self.values):
            return False
        return bool(self.values.head(HEAD).nunique() <= FEW)

    def rank(self) -> tuple[int, int]:
        """Place among several labels: the surest and shortest name first."""
        return -self.hint, len([word for word in name_words(self.name) if word not in ("is", "has")])

    @cached_property
    def counts(self) -> dict[str, int]:
        """Rows of each value, as a word that can be compared."""
        counts: dict[str, int] = {}
        for value, n in self.values.value_counts().items():
            text = str(int(value)) if _is_whole(value) else str(value)
            word = plain_word(text)
            counts[word] = counts.get(word, 0) + int(n)
        return counts

    @property
    def seen(self) -> str:
        """The most frequent values, for the user to recognise."""
        shown = self.values.value_counts()
        texts = [f"{str(value)[:30]} in {n:,} rows" for value, n in shown.head(3).items()]
        return ", ".join(texts) + (f", and {len(shown) - 3:,} more values" if len(shown) > 3 else "")

    @cached_property
    def distinct(self) -> int:
        """Number of different values."""
        return int(self.values.nunique())

    def verdict(self) -> Verdict:
        """By name and values; see `Verdict`."""
        if not 0 < self.distinct <= MOST_CLASSES:
            return Verdict.ASK if self.hint is Hint.TRUTH and self._has_shares else Verdict.NO
        if self.hint is Hint.TRUTH:
            return self._of_truth()
        if self.hint is Hint.TARGET:
            return self._of_target()
        if self.hint is Hint.PART:
            return Verdict.PART if self._is_switch or self._names_kinds else Verdict.NO
        if self.hint is Hint.STATE:
            return self._of_state()
        return Verdict.ASK if self._has_both and (len(self.counts) == 2 or "benign" in self.counts) else Verdict.NO

    def _of_truth(self) -> Verdict:
        if self._can_be_read:
            return Verdict.SURE
        if len(self.counts) == 1 or set(self.counts) == {"-1", "1"}:
            return Verdict.UNREAD  # 1 is normal to scikit-learn, and a failure in other data
        return Verdict.ASK

    def _of_target(self) -> Verdict:
        words = name_words(self.name)
        if words == ["y"] and not {"x", "X"}.isdisjoint(self.others):
            return Verdict.ASK if self._is_switch and len(self.counts) == 2 else Verdict.NO  # a coordinate
        if self._can_be_read:
            return Verdict.SURE if self._names_kinds or not SURE_TARGETS.isdisjoint(words) else Verdict.ASK
        is_number = pd.api.types.is_numeric_dtype(self.values)
        most = FEW if is_number else MOST_CLASSES
        is_class = not is_number or self._is_whole or self._has_shares
        return Verdict.ASK if 1 < len(self.counts) <= most and is_class else Verdict.NO

    def _of_state(self) -> Verdict:
        if self._names_kinds:
            return Verdict.SURE if self._has_both and not NORMAL_WORDS.isdisjoint(self.counts) else Verdict.ASK
        if self._is_switch and len(self.counts) == 2:
            counts = list(self.counts.values())
            return Verdict.ASK if min(counts) <= RARE * sum(counts) else Verdict.NO
        return Verdict.NO

    @property
    def _can_be_read(self) -> bool:
        return self._is_switch or self._names_kinds or read_labels(self.values, self.name)[0] is not None

    @property
    def _is_switch(self) -> bool:
        """0 and 1, yes and no, or only one of them."""
        return len(self.counts) <= 2 and SWITCHES.issuperset(self.counts)

    @property
    def _names_kinds(self) -> bool:
        """Words such as normal and attack, or a word for normal beside any other words."""
        words = set(self.counts)
        if words <= SWITCHES:
            return False
        return words <= NORMAL | ANOMALY or (len(words) > 1 and not words.isdisjoint(NORMAL_WORDS))

    @property
    def _has_both(self) -> bool:
        words = set(self.counts) - SWITCHES
        return not words.isdisjoint(NORMAL) and (not words.isdisjoint(ANOMALY) or "benign" in words)

    @property
    def _is_whole(self) -> bool:
        return all(word.lstrip("-").isdigit() for word in self.counts)

    @property
    def _has_shares(self) -> bool:
        """Numbers from 0 to 1 with fractions, such as the share of experts who called a row an anomaly."""
        if not pd.api.types.is_numeric_dtype(self.values) or pd.api.types.is_bool_dtype(self.values):
            return False
        return bool(self.values.min() >= 0 and self.values.max() <= 1)

    def says_what(self, truth: np.ndarray | None) -> bool:
        """Whether every value but the most frequent occurs in known anomalies only."""
        if truth is None or len(self.counts) < 2:
            return False
        codes = pd.factorize(self.values)[0]
        usual = np.bincount(codes[codes >= 0]).argmax()
        odd = truth[(codes >= 0) & (codes != usual)]
        return bool(len(odd) and (odd == 1).all())


def _is_whole(value: object) -> bool:
    return isinstance(value, float) and value.is_integer()
