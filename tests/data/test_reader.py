"""Every reader leads items back to the user's units, columns and clock; the caller need not know which one it is."""

import numpy as np
import pytest

from ad_core import pipeline
from ad_core.data.reader import EventsGap
from ad_core.progress import Silent
from tests.conftest import recording


@pytest.fixture(params=["payments", "recording", "plates"])
def trained(request) -> pipeline.Trained:
    return request.getfixturevalue(f"trained_on_{request.param}")


def test_every_part_has_values_in_units_and_columns(trained):
    reader, item_set = trained.detector.reader, trained.item_set
    data = pipeline.open_dataset(recording(), time="time").data.iloc[:5]  # no row of images or payments shows a number
    x = item_set.take(slice(3)).numpy()

    for part, name in enumerate(item_set.shape.parts.names):
        entries = x[:, item_set.shape.parts.entries(part)].reshape(3, -1)
        assert len(reader.expected_in_units(part, entries)) == 3
        assert reader.channel_in_units(part, entries).shape == entries.shape
        assert reader.measured(part, data).shape == (5,)
        assert np.isnan(reader.measured(part, data)).all() == (name not in data)
        assert reader.columns_behind(part, data) == [name]


def test_what_a_window_shows_in_units_is_what_was_measured(trained_on_recording, recording_file):
    reader, item_set = trained_on_recording.detector.reader, trained_on_recording.item_set
    dataset = pipeline.open_like(trained_on_recording.detector, recording_file)
    x, start = item_set.take(slice(7, 8))[0].numpy(), int(item_set.items["start"].iloc[7])
    rows = dataset.data.iloc[start : start + item_set.span]

    for channel, name in enumerate(item_set.shape.parts.names):
        measured = reader.measured(channel, rows)
        assert measured.tolist() == rows[name].tolist()
        np.testing.assert_allclose(reader.channel_in_units(channel, x[channel]), measured, atol=1e-5)  # x is float32


def test_only_recordings_have_a_clock_and_merge_alarms_to_events(trained):
    reader, item_set = trained.detector.reader, trained.item_set
    is_recording = item_set.span > 1

    assert reader.has_clock is is_recording
    assert reader.events_gap(item_set) == (EventsGap(rows=64, windows=2.0) if is_recording else EventsGap(0, 0.0))


def test_numbered_rows_are_no_clock():
    dataset = pipeline.open_dataset(recording().drop(columns="time"), modality="sensor")
    choice = pipeline.Choice(pretext="nearest_neighbours", settings={"reader": {"window": 32}})

    assert not pipeline.train_all(dataset, choice, Silent(), references=False).detector.reader.has_clock
