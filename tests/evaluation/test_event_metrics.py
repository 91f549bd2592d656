"""Alerts of recordings against labelled events."""

import numpy as np
import pandas as pd
import pytest

from ad_core.evaluation.event_metrics import event_metrics


def test_events_found_their_delay_and_false_alarms_are_counted():
    """Two events; the first is met in its third row, the second missed; two runs of alerts elsewhere, one touches."""
    label = np.zeros(40)
    label[10:15] = label[30:33] = 1
    alert = np.zeros(40, bool)
    alert[[12, 13, 20, 21, 38]] = True
    time = pd.Series(pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(40), unit="h"))

    found = event_metrics(label, alert, time=time)

    assert found.found == 1
    assert found.events["delay"].tolist()[0] == pd.Timedelta(hours=2)
    assert pd.isna(found.events["delay"].iloc[1])
    assert found.false_alarms == 2
    assert found.days == pytest.approx(32 / 24)
    assert found.false_alarms_per_day == pytest.approx(1.5)
    assert found.in_words().startswith("1 of 2 events have an alert, with a median delay of 0 days 02:00:00.")


def test_an_alarm_beside_an_event_belongs_to_it():
    label, alert = np.array([0, 0, 1, 1, 0, 0]), np.array([0, 1, 0, 0, 1, 0], bool)

    found = event_metrics(label, alert)

    assert (found.found, found.false_alarms) == (0, 0)


def test_recordings_are_judged_apart_and_in_order_of_time():
    label, alert = [1, 0, 1, 1], [True, False, False, True]
    machine, time = pd.Series(["a", "a", "b", "b"]), pd.Series([2, 1, 2, 1])

    found = event_metrics(label, np.array(alert), machine, time)

    assert found.events["recording"].tolist() == ["a", "b"]
    assert found.events["delay"].tolist() == [0, 0]


def test_without_a_clock_the_delay_is_in_rows():
    found = event_metrics([0, 1, 1, 1, np.nan], np.array([0, 0, 0, 1, 1], bool))

    assert "with a median delay of 2 rows" in found.in_words()
    assert found.false_alarms == 0


def test_nothing_found_is_said():
    found = event_metrics([0, 1, 0], np.zeros(3, bool))

    assert found.in_words().startswith("0 of 1 events have an alert. 0 false alarms")
