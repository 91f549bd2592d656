"""No row has two uses, recordings are split in time with a gap, and short data are still split sensibly."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ad_core.data.dataset import Dataset, Declared, Schema
from ad_core.data.item_set import ItemSet
from ad_core.data.readers.sensor import Sensor, SensorSettings
from ad_core.data.splitting import CALIBRATION, EARLY_STOP, FIT, UNUSED, split_items, split_rows
from ad_core.errors import DataError
from ad_core.types import ItemShape, Modality, PartKind, Parts


def table(n: int, notes: list[str] | None = None) -> Dataset:
    rows = pd.DataFrame({"row_id": np.arange(n).astype(str), "note": notes or [""] * n})
    return Dataset(
        Modality.TABLE,
        Schema(columns=()),
        pd.DataFrame(index=range(n)),
        rows,
        Declared(),
        (),
        "t",
        np.ones(n, dtype=bool),
    )


def recording(lengths: list[int], seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    parts = [
        pd.DataFrame({"time": np.arange(n, dtype=float), "machine": f"m{i}", "c": rng.normal(size=n)})
        for i, n in enumerate(lengths)
    ]
    return Sensor.open(pd.concat(parts, ignore_index=True), Declared(time="time", entity="machine"))


def framed(dataset: Dataset, parts: np.ndarray, window: int) -> ItemSet:
    reader = Sensor(SensorSettings(window=window))
    reader.fit(dataset, parts == FIT)
    return reader.item_set(dataset)


def sizes(parts: np.ndarray) -> list[int]:
    return [int((parts == part).sum()) for part in (FIT, EARLY_STOP, CALIBRATION)]


def test_table_rows_are_dealt_60_15_25_at_random_and_repeatably():
    parts = split_rows(table(1000), seed=1)
    assert sizes(parts) == [600, 150, 250]
    assert parts.dtype == np.int8
    np.testing.assert_array_equal(parts, split_rows(table(1000), seed=1))
    assert (parts != split_rows(table(1000), seed=2)).any()
    assert 0.5 < (parts[:500] == FIT).mean() < 0.7


@settings(deadline=None)
@given(n=st.integers(1, 60), seed=st.integers(0, 5))
def test_few_rows_still_serve_every_part(n, seed):
    parts = split_rows(table(n), seed=seed)
    fit, early_stop, calibration = sizes(parts)
    assert fit + early_stop + calibration == n
    assert fit >= max(early_stop, calibration)
    assert n < 3 or min(early_stop, calibration) >= 1


def test_rows_with_a_note_or_outside_the_reference_are_not_used():
    dataset = table(100, ["broken"] * 10 + [""] * 90).with_training_rows(np.arange(100) < 50)
    parts = split_rows(dataset)
    assert (parts[:10] == UNUSED).all()
    assert (parts[50:] == UNUSED).all()
    assert sum(sizes(parts)) == 40


def test_no_teaching_row_at_all_is_an_error():
    with pytest.raises(DataError, match="No row can be used for training"):
        split_rows(table(10).with_training_rows(np.zeros(10, dtype=bool)))


def test_items_of_a_table_are_its_rows():
    parts = split_rows(table(100))
    shape = ItemShape(
        modality=Modality.TABLE,
        size=(1,),
        parts=Parts(names=("a",), of_entry=(0,), kinds=(PartKind.NUMBER,), units=(None,)),
    )
    rows = pd.DataFrame({"row_id": np.arange(100).astype(str), "note": "", "sample": np.arange(100)})
    item_set = ItemSet(shape, np.zeros((100, 1), np.float32), pd.DataFrame({"start": np.arange(100)}), rows)
    split, notices = split_items(item_set, parts)
    for part, items in enumerate((split.fit, split.early_stop, split.calibration)):
        np.testing.assert_array_equal(items, np.flatnonzero(parts == part))
    assert notices == []


def test_each_recording_is_split_in_order_of_time():
    dataset = recording([1000, 400])
    parts = split_rows(dataset)
    for begin, n in ((0, 1000), (1000, 400)):
        assert sizes(parts[begin : begin + n]) == [round(0.6 * n), round(0.15 * n), round(0.25 * n)]
        assert (np.diff(parts[begin : begin + n]) >= 0).all()


def test_the_order_is_that_of_time_and_not_of_rows_and_repeated_time_stamps_stay_together():
    time = np.repeat(np.arange(100.0), 2)
    shuffled = pd.DataFrame({"time": time, "c": np.random.default_rng(0).normal(size=200)}).sample(
        frac=1, random_state=0
    )
    dataset = Sensor.open(shuffled, Declared(time="time"))
    parts = pd.Series(split_rows(dataset)).groupby(dataset.rows["time"]).agg(["min", "max"])
    assert (parts["min"] == parts["max"]).all()
    assert parts["min"].is_monotonic_increasing


def test_windows_that_straddle_a_border_belong_to_no_part():
    dataset = recording([1000, 600])
    parts = split_rows(dataset)
    frame = framed(dataset, parts, 32)
    split, notices = split_items(frame, parts)
    start = frame.items["start"].to_numpy()

    covered = [
        set((start[items][:, None] + np.arange(32)).ravel())
        for items in (split.fit, split.early_stop, split.calibration)
    ]
    assert all(covered)
    for part, samples in enumerate(covered):
        assert (parts[sorted(samples)] == part).all()
    assert notices == []


def test_many_short_recordings_are_dealt_out_whole():
    dataset = recording([100] * 20)
    parts = split_rows(dataset)
    each = pd.Series(parts).groupby(dataset.rows["entity"]).nunique()
    assert (each == 1).all()
    assert sizes(parts) == [1200, 300, 500]


def test_a_short_series_holds_back_windows_of_its_own_for_stopping_and_says_so():
    dataset = recording([200])
    parts = split_rows(dataset)  # 120 / 30 / 50 rows
    frame = framed(dataset, parts, 40)
    split, notices = split_items(frame, parts)
    start = frame.items["start"].to_numpy()

    assert len(split.early_stop) > 0
    assert start[split.fit].max() + 40 <= start[split.early_stop].min()
    assert "too few for a window" in notices[0]
    assert len(split.calibration) > 0


def test_a_very_short_series_has_no_calibration_and_says_so():
    dataset = recording([60])
    parts = split_rows(dataset)
    split, notices = split_items(framed(dataset, parts, 30), parts)
    assert len(split.fit) > 0
    assert len(split.early_stop) > 0
    assert len(split.calibration) == 0
    assert "neither percentile nor p-value" in notices[-1]


def test_a_single_fit_item_does_both():
    dataset = recording([60])
    parts = split_rows(dataset)
    split, _ = split_items(framed(dataset, parts, 36), parts)
    assert split.fit.tolist() == split.early_stop.tolist() == [0]


def test_no_item_within_the_fit_rows_is_an_error():
    dataset = recording([200])
    frame = framed(dataset, split_rows(dataset), 40)
    with pytest.raises(DataError, match="lies fully within the training rows"):
        split_items(frame, np.where(np.arange(200) % 20 == 0, UNUSED, FIT).astype(np.int8))


@settings(deadline=None, max_examples=25)
@given(lengths=st.lists(st.integers(60, 200), min_size=1, max_size=14), seed=st.integers(0, 3))
def test_no_sample_ever_serves_two_parts(lengths, seed):
    dataset = recording(lengths, seed)
    parts = split_rows(dataset, seed=seed)
    frame = framed(dataset, parts, 16)
    split, _ = split_items(frame, parts)
    start = frame.items["start"].to_numpy()
    fit, calibration = (
        set((start[items][:, None] + np.arange(16)).ravel()) for items in (split.fit, split.calibration)
    )
    assert not fit & calibration
    assert len(split.fit)
    assert len(split.early_stop)
