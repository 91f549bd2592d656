"""Choose and fit the encoding of a column of a table."""

from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from ad_core.data.dataset import Column, ColumnKind
from ad_core.data.tables.calendar_encoding import CalendarEncoding, learn_calendar
from ad_core.data.tables.category_encoding import FrequencyEncoding, OneHotEncoding
from ad_core.data.tables.date_encoding import DateEncoding, learn_date
from ad_core.data.tables.encoding import ColumnEncoding, word
from ad_core.data.tables.known_levels import has_blanks
from ad_core.data.tables.number_encoding import BooleanEncoding, NumberEncoding, learn_number
from ad_core.data.tables.quantile_encoding import QuantileEncoding, learn_quantile
from ad_core.data.tables.text_encoding import TextEncoding, learn_text
from ad_core.data.tables.values import Coded, coded
from ad_core.data.tables.watched_encoding import WatchedEncoding

MAX_COUNTED_LEVELS = 100_000
"""Maximum number of levels whose counts are kept; rarer ones count as new levels."""

AnyEncoding = Annotated[
    NumberEncoding
    | QuantileEncoding
    | BooleanEncoding
    | OneHotEncoding
    | FrequencyEncoding
    | DateEncoding
    | CalendarEncoding
    | TextEncoding
    | WatchedEncoding,
    Field(discriminator="form"),
]

NumberForm = Literal["z-score", "quantile"]


def learn_encoding(
    column: Column, values: pd.Series, max_levels: int, number_form: NumberForm = "z-score", form: str | None = None
) -> ColumnEncoding | None:
    """The encoding for a column, fitted to these rows; None where the column is constant in them.

    Args:
        values: of the training rows.
        max_levels: a category with more levels is coded by frequency.
        number_form: how numbers are scaled.
        form: format of dates that are texts, see `values.date_format`.
    """
    if column.kind is ColumnKind.NUMBER:
        learn = learn_quantile if number_form == "quantile" else learn_number
        return learn(column.name, column.unit, values)
    if column.kind is ColumnKind.DATE:
        return learn_date(column.name, column.unit, values, form)
    if column.kind is ColumnKind.CALENDAR:
        return learn_calendar(column.name, column.unit, values, form)
    column_values, padded = coded(values), has_blanks(values)
    if len(column_values.levels) + bool(column_values.missing().any()) < 2:
        return None
    if column.kind is ColumnKind.BOOLEAN:
        return _boolean(column, column_values, padded)
    if column.kind is ColumnKind.CATEGORY and len(column_values.levels) <= max_levels:
        return _levels(column, column_values, padded)
    text = learn_text(column.name, column.unit, column_values) if column.kind is ColumnKind.TEXT else None
    return text or _frequency(column, column_values, padded)


def _boolean(column: Column, values: Coded, padded: bool) -> BooleanEncoding:
    by_count = _most_frequent_first(values)
    words: dict[str, str] = {}  # the most frequent spelling of each
    for level in by_count:
        words.setdefault(word(level), level)
    zero, one = (sorted(words.values(), key=word) * 2)[:2]
    return BooleanEncoding(
        name=column.name,
        kind=column.kind,
        unit=column.unit,
        has_missing=bool(values.missing().any()),
        zero=zero,
        one=one,
        fill=float(by_count[0] == one),
        padded=padded,
    )


def _levels(column: Column, values: Coded, padded: bool) -> OneHotEncoding:
    return OneHotEncoding(
        name=column.name,
        kind=column.kind,
        unit=column.unit,
        has_missing=bool(values.missing().any()),
        levels=tuple(_most_frequent_first(values)),
        padded=padded,
    )


def _frequency(column: Column, values: Coded, padded: bool) -> FrequencyEncoding:
    gone = int(values.missing().sum())
    counts = dict(zip(values.levels, values.counts().tolist(), strict=True))
    logs = np.log1p(np.append(values.counts(), gone)[values.codes])
    return FrequencyEncoding(
        name=column.name,
        kind=column.kind,
        unit=column.unit,
        has_missing=gone > 0,
        counts={level: counts[level] for level in _most_frequent_first(values)[:MAX_COUNTED_LEVELS]},
        missing=gone,
        rows=len(values.codes),
        mean=float(logs.mean()),
        scale=float(logs.std()) or 1.0,
        padded=padded,
    )


def _most_frequent_first(values: Coded) -> list[str]:
    return [values.levels[i] for i in np.argsort(-values.counts(), kind="stable")]
