"""Short trainings: nothing learns from what is held out, a failure is a line, and the user can stop it."""

import numpy as np
import pandas as pd
import pytest
import torch

from ad_core.data.item_set import ItemSet, Split
from ad_core.errors import Cancelled, DataError, SettingsError
from ad_core.progress import Silent
from ad_core.training.fit import Fit
from ad_core.training.selection.trials import Candidate, Plan, apart, held_out_items, run_trials, usual_plan
from ad_core.types import Modality
from tests.contracts import items

FEW = Plan(seeds=2, items=40, synthetic=20, steps=5)
FOREST = Candidate("isolation_forest", "reference", "isolation_forest")
CELLS = Candidate("masked_cells", "pretext", "masked_cells")
BALANCED = Candidate("balanced", "recipe", "balanced_tabular")
SPLIT = Split(np.arange(0, 48), np.arange(48, 64), np.arange(64, 96))
CPU = torch.device("cpu")


def trials(candidates, item_set=None, plan=FEW, split=SPLIT, report=None, seed=0):
    item_set = item_set or items.item_set(Modality.TABLE)
    return run_trials(candidates, Fit(item_set, split, seed, report=report or Silent()), plan)


def test_every_candidate_scores_the_same_items_with_every_seed() -> None:
    found = trials([FOREST, CELLS, BALANCED])

    assert [(t.method, t.seed) for t in found.done] == [
        (c.name, seed) for seed in (0, 1) for c in (FOREST, CELLS, BALANCED)
    ]
    assert {len(t.usual) for t in found.done} == {32}
    assert len({tuple(len(v) for v in t.synthetic.values()) for t in found.done}) == 1
    assert not found.failed


def test_the_same_seed_gives_the_same_scores() -> None:
    for a, b in zip(trials([FOREST, CELLS]).done, trials([FOREST, CELLS]).done, strict=True):
        assert np.array_equal(a.usual, b.usual)
        assert all(np.array_equal(a.synthetic[kind], b.synthetic[kind]) for kind in a.synthetic)


def test_nothing_learns_from_what_is_held_out() -> None:
    """The held-out rows are moved far away; a model that had learnt from them would score others differently."""
    item_set = items.item_set(Modality.TABLE)
    moved = ItemSet(item_set.shape, item_set.x.copy(), item_set.items, item_set.rows)
    moved.x[SPLIT.calibration, 0] += 40.0
    here = trials([FOREST, CELLS, BALANCED])
    there = trials([FOREST, CELLS, BALANCED], moved)

    for a, b in zip(here.done, there.done, strict=True):
        assert (b.usual > a.usual).mean() > 0.9, a.method


def test_a_method_that_fails_is_a_line_with_its_reason() -> None:
    """Forecasts are for recordings."""
    found = trials([Candidate("forecast", "pretext", "forecast"), FOREST])

    assert "does not work on table data" in found.failed["forecast"]
    assert [t.method for t in found.done] == ["isolation_forest", "isolation_forest"]


def test_when_the_time_is_over_what_is_missing_is_said() -> None:
    found = trials([FOREST, CELLS], plan=FEW.model_copy(update={"minutes": 1e-9}))

    assert set(found.failed) == {"isolation_forest", "masked_cells"}
    assert "No time was left" in found.failed["masked_cells"]


class Stopped(Silent):
    """The user stops it after some questions."""

    def __init__(self, after: int) -> None:
        self.left = after

    def check(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Cancelled("The run was stopped.")


@pytest.mark.parametrize("after", [0, 3])
def test_stopping_ends_all_of_it_and_is_no_failure_of_a_method(after: int) -> None:
    with pytest.raises(Cancelled):
        trials([CELLS, FOREST], report=Stopped(after))


def test_stopping_the_last_training_is_no_failure_either() -> None:
    with pytest.raises(Cancelled):
        trials([CELLS], plan=FEW.model_copy(update={"seeds": 1}), report=Stopped(3))


def test_too_few_held_out_rows_compare_nothing() -> None:
    with pytest.raises(DataError, match=r"Only 5 items can be held out, and at least 20"):
        trials([FOREST], split=Split(np.arange(60), np.arange(60, 70), np.arange(70, 75)))


def test_held_out_windows_share_no_sample() -> None:
    start = np.arange(0, 200, 10)
    lines = pd.DataFrame({"row_id": [str(i) for i in range(232)], "sample": np.arange(232), "note": ""})
    x = np.zeros((201, 2, 32), dtype=np.float32)
    item_set = ItemSet(items.shape(Modality.SENSOR), x, pd.DataFrame({"start": start}), lines, span=32)

    assert start[apart(item_set, np.arange(20), 32)].tolist() == [0, 40, 80, 120, 160]


def windows(stretches: int) -> ItemSet:
    """Windows of 32 samples, one beginning at every fourth of them."""
    start = np.arange(0, 32 * (stretches - 1) + 1, 4)
    n = 32 * stretches
    lines = pd.DataFrame({"row_id": [str(i) for i in range(n)], "sample": np.arange(n), "note": ""})
    x = np.zeros((n - 31, 2, 32), dtype=np.float32)
    return ItemSet(items.shape(Modality.SENSOR), x, pd.DataFrame({"start": start}), lines, span=32)


def test_of_a_short_recording_windows_overlap_as_little_as_is_needed_and_that_is_said() -> None:
    enough, few = windows(24), windows(12)
    apart_, said = held_out_items(enough, np.arange(len(enough)), 0)
    overlapping, warned = held_out_items(few, np.arange(len(few)), 0)

    assert (len(apart_), said) == (24, [])
    assert np.diff(few.items["start"].to_numpy()[overlapping]).min() == 16
    assert len(overlapping) == 23
    assert "23 held-out windows overlap" in warned[0]


def test_progress_only_goes_up_and_ends_at_one() -> None:
    class Steps(Silent):
        seen: list[float]

        def __init__(self) -> None:
            self.seen = []

        def step(self, done: float, **facts: float) -> None:
            assert not facts, "loss curves of many trainings are noise"
            self.seen.append(done)

    report = Steps()
    trials([FOREST, CELLS], report=report)

    assert report.seen[-1] == 1.0
    assert all(0 <= done <= 1 for done in report.seen)


def test_a_plan_says_which_setting_is_wrong() -> None:
    assert usual_plan(Modality.IMAGE).items < usual_plan(Modality.TABLE).items
    assert usual_plan(Modality.IMAGE, items=50).items == 50
    with pytest.raises(SettingsError, match=r"recommend.seeds = 0"):
        usual_plan(Modality.TABLE, seeds=0)
