"""Which columns are running clocks: the time of the record itself, which only moves on.

The rows of a later file lie wholly beyond the training rows in such a column, so its elapsed time is no feature by
default: every later row would be unusual only because it is later. A date of birth or of expiry is no running clock.
A column is taken for one where the rows run in its order, forwards or backwards, as a whole or in a few stretches, or
where its name says that it dates the record. It is a guess, so it is said, and the analyst can decide otherwise.
"""

import re

import numpy as np
import pandas as pd

from ad_core.data.dataset import ColumnKind
from ad_core.data.tables.date_encoding import seconds_of
from ad_core.data.tables.values import coded, date_format, is_number_type, numbers, parse_dates

FEWEST_ROWS, FEWEST_DISTINCT = 20, 10
BACKWARDS = 0.05
"""Maximum share of steps against the direction, of those steps that change the value."""
IN_ORDER = 0.95
"""Minimum rank correlation with the order of the rows."""

_DATED = re.compile(
    r"(?i)^((event|transaction|order|payment|record|log|sample|measurement|posting|booking|invoice|entry|purchase|sale)"
    r"[ _.-]?)?(date|time|datetime|date[ _.-]time|time[ _.-]?stamp|ts)$|"
    r"^(created|updated|modified|recorded|logged|posted|paid|ordered|booked|received|sent|measured|sampled)"
    r"[ _.-]?(at|on|time|date)$"
)
"""Names of dates that say when the record was made."""
_CLOCK = re.compile(r"(?i)^(t|time|date|datetime|time[ _.-]?stamp|ts|epoch|unix[ _.-]?time|elapsed([ _.-]?time)?)$")
"""Names of numbers that are a clock, a unit in brackets aside."""
_OF_SOMETHING_ELSE = re.compile(r"(?i)birth|born|dob|expir|valid|until|due|hire|joined|since|opened|built|founded")


def running(values: pd.Series, kind: ColumnKind) -> str:
    """Why a column of dates or numbers is a running clock, as the beginning of a sentence; "" where it is none."""
    name = re.sub(r"\s*[\[(].*[\])]\s*$", "", str(values.name)).strip()
    if kind is ColumnKind.DATE:
        if _OF_SOMETHING_ELSE.search(name):
            return ""
        if _is_in_order(_seconds(values)):
            return "Its dates only move on with the rows"
        return "By its name it dates the record" if _DATED.match(name) and len(values) >= FEWEST_ROWS else ""
    if kind is ColumnKind.NUMBER and _CLOCK.match(name) and is_number_type(values) and _is_in_order(numbers(values)[0]):
        return "A clock by its name, which only moves on with the rows"
    return ""


def _seconds(values: pd.Series) -> np.ndarray:
    if pd.api.types.is_datetime64_any_dtype(values):
        return seconds_of(parse_dates(values, None))
    return seconds_of(parse_dates(values, date_format(coded(values).levels)[0]))


def _is_in_order(moments: np.ndarray) -> bool:
    """Whether these values, in the order of the rows, only move in one direction, a few steps aside."""
    known = moments[~np.isnan(moments)]
    steps = np.diff(known)
    steps = steps[steps != 0]
    if len(known) < FEWEST_ROWS or len(np.unique(known)) < FEWEST_DISTINCT:
        return False
    if min((steps < 0).mean(), (steps > 0).mean()) <= BACKWARDS:
        return True
    ranks = pd.Series(known).rank().to_numpy()
    return abs(float(np.corrcoef(ranks, np.arange(len(ranks)))[0, 1])) >= IN_ORDER
