"""Time that only moves on is read as a calendar; dates of something else, and what the user chose, stay as they are."""

import json

import numpy as np
import pandas as pd
import pytest

from ad_core.data.dataset import ColumnKind, Dataset, Declared, Role
from ad_core.data.readers.table import Table, TableSettings
from ad_core.data.tables.calendar_encoding import CalendarEncoding, learn_calendar
from ad_core.data.tables.running_clock import running

N = 600
SEPTEMBER = pd.Series(pd.date_range("2025-09-01", periods=N, freq="70min"), name="paid_at")


def payments(**columns: object) -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame({"amount": random.lognormal(3, 1, N), "shop": random.choice(["a", "b", "c"], N), **columns})


def opened(data: pd.DataFrame, **declared: object) -> Dataset:
    return Table.open(data, Declared(**declared))


def kind_of(dataset: Dataset, name: str) -> ColumnKind:
    return next(column.kind for column in dataset.schema.columns if column.name == name)


def shuffled(dates: pd.Series, name: str) -> pd.Series:
    return dates.sample(frac=1, random_state=0).reset_index(drop=True).rename(name)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (SEPTEMBER, "only move on"),
        (SEPTEMBER[::-1].reset_index(drop=True), "only move on"),
        (SEPTEMBER.dt.strftime("%d.%m.%Y %H:%M"), "only move on"),
        (pd.concat([SEPTEMBER[:200], SEPTEMBER[:200], SEPTEMBER[:200]], ignore_index=True), "only move on"),
        ((SEPTEMBER + pd.to_timedelta(np.arange(N) % 5, "h")).rename("shipped"), "only move on"),
        (shuffled(SEPTEMBER, "created_at"), "name"),
        (shuffled(SEPTEMBER, "Transaction Date"), "name"),
        (shuffled(SEPTEMBER, "account_opened"), ""),
        (SEPTEMBER.rename("date_of_birth"), ""),
        (SEPTEMBER.rename("valid_until"), ""),
        (shuffled(SEPTEMBER, "first_visit"), ""),
    ],
)
def test_a_running_date_is_known_by_its_order_or_by_its_name(values, why):
    found = running(values, ColumnKind.DATE)

    assert why in found if why else found == ""


def test_numbers_are_a_running_clock_only_by_name_and_order():
    seconds = pd.Series(np.sort(np.random.default_rng(0).uniform(0, 1e5, N)))

    assert running(seconds.rename("Time"), ColumnKind.NUMBER)
    assert running(seconds.rename("time [s]"), ColumnKind.NUMBER)
    assert not running(seconds.rename("distance"), ColumnKind.NUMBER)
    assert not running(seconds.sample(frac=1, random_state=0).rename("Time"), ColumnKind.NUMBER)


def test_a_running_date_is_said_and_used_whole_where_the_user_wants_it():
    data = payments(paid_at=SEPTEMBER)
    dataset = opened(data)

    assert kind_of(dataset, "paid_at") is ColumnKind.CALENDAR
    assert "paid_at" in dataset.schema.names(Role.FEATURE)
    (notice,) = dataset.notices
    assert notice.startswith("'paid_at': its dates only move on with the rows, so a later file lies wholly beyond")
    assert "--use 'paid_at'" in notice
    for declared in ({"use": ("paid_at",)}, {"kinds": {"paid_at": "date"}}):
        chosen = opened(data, **declared)
        assert kind_of(chosen, "paid_at") is ColumnKind.DATE
        assert not chosen.notices
    again = opened(data.iloc[::7], kinds={"paid_at": "calendar"}, use=("paid_at",))  # as for a file to be scored
    assert kind_of(again, "paid_at") is ColumnKind.CALENDAR


def test_the_next_month_looks_like_the_training_month_and_a_wrong_year_does_not():
    """Mondays and hours repeat; October is only later; years before and 2190 are no later October."""
    data = payments(paid_at=SEPTEMBER)
    reader, dataset = Table(TableSettings(clip=1000)), opened(data)
    reader.fit(dataset, np.ones(N, dtype=bool))
    part = reader.shape.parts.names.index("paid_at")
    entries = reader.shape.parts.entries(part)

    def encoded(dates: list[str]) -> np.ndarray:
        return reader.encoded_cells(part, list(pd.to_datetime(dates)))

    assert len(entries) == 5  # away; hour and weekday as sine and cosine; a month has not been seen twice
    later, same = encoded(["2025-10-13 08:30"]), encoded(["2025-09-15 08:30"])
    np.testing.assert_allclose(later, same, atol=1e-6)
    away = encoded(["2024-06-01", "2023-06-01", "2025-08-31", "2026-08-01", "2190-01-01"])[:, 0]
    assert away[1] < away[0] < away[2] < 0 == away[3] < away[4]


def test_a_calendar_is_said_as_hour_and_weekday_and_kept_in_a_bundle():
    code = learn_calendar("paid_at", None, SEPTEMBER, None)
    assert isinstance(code, CalendarEncoding)
    again = CalendarEncoding.model_validate(json.loads(code.model_dump_json()))

    for moment, said in (("2025-10-13 08:30", "Monday 08:30"), ("2025-11-02 23:59", "Sunday 23:59")):
        entries = again.encode(pd.Series(pd.to_datetime([moment])))
        assert again.decode(entries) == [said]
        (back,) = pd.to_datetime(again.moments(entries), unit="s").round("min")
        assert back.strftime("%A %H:%M") == said
        assert SEPTEMBER.min() - pd.Timedelta(days=7) <= back <= SEPTEMBER.max() + pd.Timedelta(days=1)


def test_cycles_that_were_not_seen_twice_are_left_out_and_missing_dates_are_known():
    week = pd.Series(pd.date_range("2025-09-01", periods=100, freq="2h"), name="at")
    years = pd.Series(pd.date_range("2022-01-01", periods=1200, freq="D"), name="at")
    gaps = SEPTEMBER.where(SEPTEMBER.index % 10 > 0)

    assert learn_calendar("at", None, week, None).cycles == ("hour",)
    assert learn_calendar("at", None, years, None).cycles == ("weekday", "month")
    code = learn_calendar("paid_at", None, gaps, None)
    assert code.has_missing
    assert code.encode(gaps)[:, -1].sum() == gaps.isna().sum()
    assert code.decode(code.encode(gaps[:1])) == ["(missing)"]


def test_a_clock_in_numbers_knows_only_what_lies_before_it_and_far_beyond_it():
    clock = pd.Series(np.arange(0.0, 1000.0), name="Time")
    code = learn_calendar("Time", None, clock, None)

    away = code.encode(pd.Series([-500.0, 0.0, 999.0, 1900.0, 5000.0]))[:, 0]

    assert away[0] < 0 == away[1] == away[2] == away[3] < away[4]
