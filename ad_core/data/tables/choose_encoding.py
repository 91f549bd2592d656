"""Which form of encoding fits a column of a table."""

from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from ad_core.data.dataset import Column, Kind
from ad_core.data.tables.category_encoding import FrequencyCode, LevelsCode
from ad_core.data.tables.date_encoding import DateCode, learn_date
from ad_core.data.tables.encoding import Code, word
from ad_core.data.tables.number_encoding import BooleanCode, NumberCode, learn_number
from ad_core.data.tables.quantile_encoding import QuantileCode, learn_quantile
from ad_core.data.tables.text_encoding import TextCode, learn_text
from ad_core.data.tables.values import Coded, coded

MAX_COUNTED_LEVELS = 100_000
"""Of so many levels the counts are kept; rarer ones count as never seen."""

AnyCode = Annotated[
    NumberCode | QuantileCode | BooleanCode | LevelsCode | FrequencyCode | DateCode | TextCode,
    Field(discriminator="form"),
]

NumberForm = Literal["z-score", "quantile"]


def learn_code(
    column: Column, values: pd.Series, max_levels: int, number_form: NumberForm = "z-score", form: str | None = None
) -> Code | None:
    """The form that fits a column, with what it needs from these rows; None where they say nothing.

    Args:
        values: of the rows that teach.
        max_levels: a category with more levels is coded by frequency.
        number_form: how numbers are scaled.
        form: how texts are dates, see `column_values.date_format`.
    """
    if column.kind is Kind.NUMBER:
        learn = learn_quantile if number_form == "quantile" else learn_number
        return learn(column.name, column.unit, values)
    if column.kind is Kind.DATE:
        return learn_date(column.name, column.unit, values, form)
    found = coded(values)
    if len(found.levels) + bool(found.missing().any()) < 2:
        return None
    if column.kind is Kind.BOOLEAN:
        return _boolean(column, found)
    if column.kind is Kind.CATEGORY and len(found.levels) <= max_levels:
        return _levels(column, found)
    text = learn_text(column.name, column.unit, found) if column.kind is Kind.TEXT else None
    return text or _frequency(column, found)


def _boolean(column: Column, found: Coded) -> BooleanCode:
    by_count = _most_frequent_first(found)
    zero, one = (sorted(by_count, key=word) * 2)[:2]
    return BooleanCode(
        name=column.name, kind=column.kind, unit=column.unit, has_missing=bool(found.missing().any()),
        zero=zero, one=one, fill=float(by_count[0] == one),
    )  # fmt: skip


def _levels(column: Column, found: Coded) -> LevelsCode:
    return LevelsCode(
        name=column.name, kind=column.kind, unit=column.unit, has_missing=bool(found.missing().any()),
        levels=tuple(_most_frequent_first(found)),
    )  # fmt: skip


def _frequency(column: Column, found: Coded) -> FrequencyCode:
    gone = int(found.missing().sum())
    counts = dict(zip(found.levels, found.counts().tolist(), strict=True))
    logs = np.log1p(np.append(found.counts(), gone)[found.codes])
    return FrequencyCode(
        name=column.name, kind=column.kind, unit=column.unit, has_missing=gone > 0,
        counts={level: counts[level] for level in _most_frequent_first(found)[:MAX_COUNTED_LEVELS]},
        missing=gone, rows=len(found.codes), mean=float(logs.mean()), scale=float(logs.std()) or 1.0,
    )  # fmt: skip


def _most_frequent_first(found: Coded) -> list[str]:
    return [found.levels[i] for i in np.argsort(-found.counts(), kind="stable")]
