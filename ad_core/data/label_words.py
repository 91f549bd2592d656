"""The names and values of true labels, one list for all kinds of data.

Names are compared word by word: `isFraud`, `attack_P1` and `Normal/Attack` are (is, fraud), (attack, p, 1) and
(normal, attack). Some names are as good as certain, such as `anomaly`; some are also those of plain columns, such as
`class` or `status`. Which of them is a label is decided in `label_search`, by name and values together.
"""

import re
from enum import IntEnum

NORMAL_WORDS = frozenset("normal benign healthy inlier legitimate legit nominal regular none".split())  # noqa: SIM905
"""Beside one of these, any other word in a label column is a kind of anomaly."""
NORMAL = NORMAL_WORDS | frozenset("0 0.0 false f no n good ok okay pass passed negative - i.o. io gut".split())  # noqa: SIM905
ANOMALY = frozenset(
    "1 1.0 true t yes y anomaly anomalous abnormal bad nok fail failed failure faulty fault defect defective broken "  # noqa: SIM905
    "outlier attack intrusion fraud fraudulent malicious malware ddos dos unhealthy positive + n.i.o. nio schlecht "
    "fehler ng ko reject rejected damaged".split()
)
NEGATIONS = frozenset({"no", "not", "non"})
SWITCHES = frozenset("0 0.0 1 1.0 false true f t no yes n y - + negative positive".split())  # noqa: SIM905
"""Values that many plain columns have too; they say nothing without a name."""


class Hint(IntEnum):
    """What the name of a column says about true labels, the stronger the larger."""

    NONE = 0
    STATE = 1
    """A state or an event, such as `status`: a label only by its values."""
    PART = 2
    """Names an anomaly among other words, such as `attack_P1`."""
    TARGET = 3
    """What a classifier would learn, such as `class` or `y`."""
    TRUTH = 4
    """Names nothing but the truth, such as `is_anomaly`."""


TRUTH = frozenset(
    "label labels anomaly anomalies anomalous outlier outliers attack attacks intrusion intrusions fraud frauds "  # noqa: SIM905
    "fraudulent defect defects defective fault faults faulty failure failures fail failed abnormal abnormality "
    "malicious malware phishing groundtruth truth gt changepoint changepoints breakdown broken nok anomalie "
    "anomalien fehler defekt ausfall angriff ausreisser ausreißer störung stoerung".split()
)
TARGET = frozenset("class target y outcome diagnosis classification klasse".split())  # noqa: SIM905
SURE_TARGETS = frozenset({"class", "target", "y"})
STATE = frozenset(
    "status state condition event alarm alert result quality health verdict decision error warning trip zustand".split()  # noqa: SIM905
)
BESIDE = frozenset(
    "is has flag point points window true binary bin bool multi class cat category type kind col column value ground "  # noqa: SIM905
    "change normal pass good ok machine system product part transaction network the of or and code id name".split()
)
"""Words that change nothing about what a name says, such as the `flag` of `fault flag`."""
COUNTED = frozenset(
    "count counts counter num total sum mean avg average max min std rate ratio share pct percent prob probability "  # noqa: SIM905
    "score time date hours days minutes seconds since until age duration temp temperature speed pressure flow level "
    "voltage current power cost costs amount price distance depth length width height size area rows logins".split()
)
"""Words of quantities: `failure_rate` and `fault_count` are measured, not known afterwards."""
NUMBERS = frozenset({"number", "nr", "no"})
"""A number of something where they come first, its name where they come last: `faultNumber`."""
FLAGS = frozenset({"label", "labels", "flag"})
SHORT = frozenset({("att", "flag"), ("attflag",)})
"""Names that are certain only as a whole."""
MEANS_NORMAL = frozenset({"normal", "ok", "good", "healthy", "benign", "inlier", "passed", "pass"})
"""Names of columns in which 1 and yes mean normal."""

_WORDS = re.compile(r"[A-ZÄÖÜ]+(?![a-zäöüß])|[A-ZÄÖÜ]?[a-zäöüß]+|\d+")
_GLUED = re.compile(r"^(is|has)?(.+?)(label|labels|flag)?$")


def name_words(name: str) -> list[str]:
    """The words of a column's name in lower case, without numbers: `isFraud_2` is (is, fraud)."""
    words = [word.lower() for word in _WORDS.findall(name)]
    return [part for word in words if not word.isdigit() for part in _apart(word)]


def _apart(word: str) -> list[str]:
    """`isfraud` and `anomalylabel` as two words; other words as they are."""
    found = _GLUED.match(word)
    return [part for part in found.groups() if part] if found and found[2] in TRUTH else [word]


def hint_of(name: str) -> Hint:
    """What a column's name says about true labels."""
    words = name_words(name)
    if words[-1:] and words[-1] in NUMBERS and len(words) > 1:
        words = words[:-1]
    if tuple(words) in SHORT:
        return Hint.TRUTH
    if means_normal(name):
        return Hint.STATE
    said = [word for word in words if word not in BESIDE]
    if not said:
        is_target = words and all(word in SURE_TARGETS | {"is", "flag", "col", "column"} for word in words)
        return Hint.TARGET if is_target and not SURE_TARGETS.isdisjoint(words) else Hint.NONE
    if all(word in TRUTH for word in said):
        return Hint.TRUTH
    if not TRUTH.isdisjoint(said):
        is_counted = not (COUNTED | NUMBERS).isdisjoint(words) and words[-1] not in FLAGS
        return Hint.NONE if is_counted else Hint.PART
    if all(word in TARGET for word in said):
        return Hint.TARGET
    return Hint.STATE if all(word in STATE for word in said) else Hint.NONE


def is_label_name(name: str) -> bool:
    """Whether a column can hardly hold anything but true labels, by its name alone."""
    return hint_of(name) is Hint.TRUTH


def means_normal(name: str) -> bool:
    """Whether 1 and yes in a column of this name mean normal, as in `is_ok`."""
    said = [word for word in name_words(name) if word not in ("is", "has", "flag", "label")]
    return len(said) == 1 and said[0] in MEANS_NORMAL


def plain_word(value: str) -> str:
    """A value of a label column as it is compared: lower case, single spaces, no full stop at the end; a negation such
    as `Non-Fraud` or `not ok` is `normal` or `abnormal`."""
    word = " ".join(value.lower().split())
    if word in NORMAL | ANOMALY:
        return word
    word = word.rstrip(".")
    glued = word.replace(" ", "")
    if glued in NORMAL | ANOMALY:
        return glued
    first, *rest = re.split(r"[ _-]+", word)
    if first in NEGATIONS and (said := " ".join(rest)) in (NORMAL | ANOMALY) - SWITCHES:
        return "normal" if said in ANOMALY else "abnormal"
    return word
