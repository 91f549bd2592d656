"""A number in one cell as people write it: with a sign, a currency, marks, brackets, a unit, or a bound.

`$1,234.50`, `(12.30) EUR`, `45.1%`, `20.1 C`, `116.9M`, `1:02:03`, `<0.1` and `1.5D+03` are such numbers.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from ad_core.data.files.units import CURRENCY, MULTIPLES, is_currency, unit

_CELL = re.compile(
    rf"""
    (?P<bound><=|>=|[<>≤≥])?\s*
    (?P<open>\()?\s*(?P<sign>[+\-−–])?\s*(?P<prefix>{CURRENCY})?\s*(?P<sign2>[-−])?\s*
    (?P<core>\d{{1,3}}(?:[.,'’ \u00a0\u202f]\d{{3}})+(?:[.,]\d+)?|\d+(?:[.,]\d*)?|[.,]\d+)
    (?P<power>[eE][+-]?\d{{1,3}}|[dD][+-]?\d{{1,3}})?
    (?P<gap>\s*)(?P<suffix>[^\s\d()<>+-][^\d()<>]*?(?:[23³²^]|-1)?(?:/[A-Za-zµ]+[23³²]?)?)?\s*
    (?P<close>\))?(?P<minus>-)?\s*(?P<behind>{CURRENCY})?
    """,
    re.VERBOSE,
)
_DURATION = re.compile(
    r"(?P<sign>-)?(?:(?P<days>\d+) days?,? \+?)?"
    r"(?P<hours>\d{1,5}):(?P<minutes>[0-5]\d):(?P<seconds>[0-5]\d(?:[.,]\d+)?)"
)
_SPELT = re.compile(
    r"(?:(?P<days>\d+)\s?d(?:ays?)?[ ,]*)?(?:(?P<hours>\d+)\s?h(?:ours?|rs?)?[ ,]*)?"
    r"(?:(?P<minutes>\d+)\s?m(?:in(?:utes?)?)?[ ,]*)?(?:(?P<seconds>\d+(?:\.\d+)?)\s?s(?:ec(?:onds?)?)?)?"
)
_ISO = re.compile(r"P(?:(?P<days>\d+)D)?T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?")
_SECONDS = {"days": 86_400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0}


@dataclass(frozen=True)
class Quantity:
    """One cell, taken apart; the number itself is still text, as its marks mean what the whole column says."""

    core: str
    """Digits and marks."""
    power: str = ""
    """As `e+03`."""
    negative: bool = False
    suffix: str = ""
    """Unit or multiple as written."""
    currency: str = ""
    bound: str = ""
    """`<` below detection, `>` above the range of the instrument."""
    gap: bool = False
    """A blank stands between number and suffix."""


@lru_cache(maxsize=65_536)
def quantity(text: str) -> Quantity | None:
    """A cell taken apart, None if it is no number."""
    text = text.strip()
    if not text or not any(c.isdigit() for c in text):
        return None
    if (seconds := duration_s(text)) is not None:
        return Quantity(repr(abs(seconds)), negative=seconds < 0, suffix="s")
    match = _CELL.fullmatch(text)
    if match is None:
        return None
    part = {key: value or "" for key, value in match.groupdict().items()}
    suffix, currency = part["suffix"].strip(), part["prefix"] or part["behind"]
    if is_currency(suffix) and not currency:
        suffix, currency = "", suffix
    if not _is_sound(part, suffix):
        return None
    negative = bool(part["open"] or part["minus"]) ^ (part["sign"] in ("-", "−", "–")) ^ bool(part["sign2"])
    power = part["power"].lower()
    bound = part["bound"].replace("≤", "<").replace("≥", ">")[:1]
    return Quantity(part["core"], power, negative, suffix, currency, bound, bool(part["gap"]))


def _is_sound(part: dict[str, str], suffix: str) -> bool:
    """Brackets in pairs, a known suffix, and no code of letters and digits that only looks like a number."""
    if bool(part["open"]) != bool(part["close"]) or (part["open"] and (part["sign"] or part["minus"])):
        return False
    if suffix and unit(suffix) is None and suffix not in MULTIPLES:
        return False
    if re.match(r"0\d", part["core"]):
        return False  # leading zeros: a code
    is_d = part["power"][:1] in ("d", "D")
    return not is_d or (not suffix and ("." in part["core"] or part["power"][1] in "+-"))


def duration_s(text: str) -> float | None:
    """Seconds of `1:02:03`, `2 days 01:00:00`, `1h 30m` or `PT5M`, None if a text is no duration."""
    match = _DURATION.fullmatch(text) or _ISO.fullmatch(text)
    if match is None:
        match = _SPELT.fullmatch(text)
        if match is None or sum(value is not None for value in match.groups()) < 2:
            return None  # a single part, such as 5 h, is a number with a unit
    found = {key: value for key, value in match.groupdict().items() if value and key in _SECONDS}
    if not found:
        return None
    seconds = sum(_SECONDS[key] * float(value.replace(",", ".")) for key, value in found.items())
    return -seconds if match.groupdict().get("sign") else seconds
