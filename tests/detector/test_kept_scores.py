"""Out-of-bag scores belong to rows with the same values, not to whichever row has the id now."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from ad_core.data.row_content import CONTENT
from ad_core.detector.detector import Detector
from ad_core.detector.kept_scores import keeping
from ad_core.pipeline import Choice, Trained, open_dataset, open_like, train_all
from ad_core.progress import Silent


class Heard(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)


def orders(seed: int, odd: int = 0) -> pd.DataFrame:
    """Weight follows length, except in the first `odd` rows; ids begin at 0 in every file."""
    random = np.random.default_rng(seed)
    length = random.normal(10, 2, 300)
    weight = 3 * length + random.normal(0, 0.3, 300)
    weight[:odd] += 12
    return pd.DataFrame({"id": range(300), "length": length, "weight": weight})


def pump(seed: int = 0, begin: str = "2026-01-01", broken: bool = False) -> pd.DataFrame:
    random, t = np.random.default_rng(seed), np.arange(3000)
    frame = pd.DataFrame({"time": pd.Timestamp(begin) + pd.to_timedelta(t, unit="s")})
    frame["flow"] = np.sin(t / 7) + random.normal(0, 0.1, 3000)
    frame["pressure"] = np.cos(t / 11) + random.normal(0, 0.1, 3000)
    if broken:
        frame.loc[2500:2559, "pressure"] = 0.2
    return frame


@cache
def on_orders() -> Trained:
    return train_all(open_dataset(orders(0), id="id"), Choice(training_rows="clean"), Silent(), references=False)


@cache
def on_pump() -> Trained:
    return train_all(open_dataset(pump()), Choice(training_rows="clean"), Silent(), references=False)


def older(detector: Detector) -> Detector:
    """The same detector as a bundle of an older version holds it."""
    return replace(detector, out_of_bag=detector.out_of_bag[["row_id", "score"]])


def test_odd_rows_whose_ids_restart_get_scores_of_their_own():
    detector, odd = on_orders().detector, np.arange(300) < 20
    new = open_like(detector, orders(1, odd=20))

    scores = detector.score(new)

    assert roc_auc_score(odd, scores["score"]) == 1.0
    assert not detector.used_in_training(scores, new).any()
    elsewhere = detector.score(open_like(detector, orders(1, odd=20).assign(id=range(1000, 1300))))
    np.testing.assert_array_equal(scores["score"], elsewhere["score"])


def test_only_the_row_that_was_changed_loses_its_kept_score():
    detector, kept = on_orders().detector, on_orders().scores["score"].to_numpy()
    changed = orders(0)
    changed.loc[5, "weight"] += 12

    scores = detector.score(open_like(detector, changed.iloc[::-1]))[::-1]

    assert np.flatnonzero(scores["score"].to_numpy() != kept).tolist() == [5]
    assert scores["score"].iloc[5] > 2 * kept[5]
    assert np.flatnonzero(~detector.used_in_training(scores, open_like(detector, changed))).tolist() == [5]


def test_a_saved_detector_knows_its_training_rows_again(tmp_path):
    for trained, frame in ((on_orders(), orders(0)), (on_pump(), pump())):
        loaded = Detector.load(trained.detector.save(tmp_path / trained.detector.modality))
        scores = loaded.score(open_like(loaded, frame))
        np.testing.assert_allclose(scores["score"], trained.scores["score"], rtol=1e-5)  # rounding of single precision


@pytest.mark.parametrize("moved", [45, 1, 0])
def test_a_recording_with_other_values_at_the_same_times_is_scored_anew(moved):
    """Another recording, the same one with its clock moved, and the same one with a fault."""
    detector, fault = on_pump().detector, pump(broken=True)
    fault["time"] += pd.Timedelta(moved, "s")
    far = fault.assign(time=fault["time"] + pd.Timedelta(days=9))

    scores, elsewhere = (detector.score(open_like(detector, one))["score"] for one in (fault, far))

    if moved:
        np.testing.assert_allclose(scores, elsewhere, rtol=1e-5)
    else:  # windows that hold no changed value keep their scores
        reach = detector.reader.window - detector.reader.stride
        kept = np.flatnonzero(scores != elsewhere)
        assert len(kept) > 500
        assert not ((kept > 2500 - reach) & (kept < 2560 + reach)).any()
    assert scores[2500:2560].median() > 3 * scores[:2000].quantile(0.95)


def test_a_part_of_a_training_recording_keeps_the_scores_of_its_rows():
    detector, before = on_pump().detector, on_pump().scores["score"]

    scores = detector.score(open_like(detector, pump().iloc[2203:2801]))["score"]

    np.testing.assert_allclose(scores, before[2203:2801], rtol=1e-5)


def test_steady_values_at_the_same_times_are_not_enough():
    """A channel that is constant for a while has equal values at times that were moved; its windows differ."""
    frame = pump().assign(flow=0.0, pressure=np.repeat(np.random.default_rng(0).normal(size=60), 50))
    trained = train_all(open_dataset(frame), Choice(training_rows="clean"), Silent(), references=False)
    moved = frame.assign(time=frame["time"] + pd.Timedelta(5, "s"))
    item_set = trained.detector.item_set(open_like(trained.detector, moved))

    at = pd.Index(trained.detector.out_of_bag["row_id"]).get_indexer(item_set.rows["row_id"])

    assert (at >= 0).sum() > 500
    assert (keeping(trained.detector.out_of_bag, item_set) < 0).all()


def test_an_overlap_shorter_than_a_window_is_not_enough():
    """The new recording begins when the old one ends, and both stand still at that moment."""
    detector = on_pump().detector
    resting, length = pump(), detector.reader.window
    resting.loc[2800:, ["flow", "pressure"]] = 0.0
    trained = train_all(open_dataset(resting), Choice(training_rows="clean"), Silent(), references=False)
    new = resting.iloc[2800:].assign(time=resting["time"].iloc[2800:] + pd.Timedelta(200 - length // 2, "s"))
    item_set = trained.detector.item_set(open_like(trained.detector, new))

    same = pd.Index(trained.detector.out_of_bag["row_id"]).get_indexer(item_set.rows["row_id"]) >= 0

    assert 0 < same.sum() < length
    assert (keeping(trained.detector.out_of_bag, item_set) < 0).all()


def test_a_bundle_without_content_keeps_scores_by_id_and_says_so_once():
    detector, heard = older(on_orders().detector), Heard()
    new = open_like(detector, orders(1, odd=20).iloc[:40])

    scores = detector.score(new, heard)

    np.testing.assert_array_equal(scores["score"], on_orders().scores["score"][:40])
    assert [said for said in heard.said if "older version" in said] == [
        "40 rows have the id of a training row and the score of that row, whatever the values are now: this detector "
        "is of an older version, which stored ids without values. If these are other rows, give them other ids, or "
        "train the detector again."
    ]


def test_nothing_is_said_where_ids_cannot_mislead():
    detector, heard = older(on_orders().detector), Heard()

    detector.score(open_like(detector, orders(0)), heard)  # the training data themselves
    detector.score(open_like(detector, orders(1).assign(id=range(1000, 1300))), heard)
    on_orders().detector.score(open_like(detector, orders(1)), heard)

    assert not [said for said in heard.said if "older version" in said]


def test_kept_scores_say_what_their_rows_held():
    kept = on_orders().detector.out_of_bag

    assert list(kept.columns) == ["row_id", "score", "position", *CONTENT]
    assert kept["position"].tolist() == list(range(300))
    assert kept.notna().all(axis=None)
