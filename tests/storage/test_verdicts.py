"""Verdicts: what is written stays, the newest word counts, nothing half is written."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ad_core.errors import StoreError
from ad_core.storage import results, verdicts
from ad_core.storage.store import Store


@pytest.fixture
def scored(tmp_path: Path) -> tuple[Store, str, str]:
    """A store, its data set, and a run that scored three rows, the last without a score."""
    store = Store.open(tmp_path)
    data = store.add_dataset("pumps", "table", ["pumps.csv"], {}, 3, "f", {}).id
    run = store.add_run(data, "train", {}, "first").id
    table = {"row_id": ["a", "b", "c"], "score": [3.0, 2.0, None], "percentile": [99.0, 50.0, None]}
    results.publish(store.folder(run), "scores", pd.DataFrame(table | {"p_value": [0.01, 0.5, None]}))
    return store, data, run


def test_a_verdict_is_kept_with_what_was_seen(scored):
    store, data, run = scored

    verdicts.give(store, run, ["a", "c"], "anomaly", author="Ada", tag=" bearing ", note="hot", threshold={"kind": "p"})

    lines = verdicts.current(store, data)
    assert lines["row_id"].tolist() == ["a", "c"]
    first = lines.iloc[0]
    assert (first["verdict"], first["tag"], first["note"], first["author"]) == ("anomaly", "bearing", "hot", "Ada")
    assert (first["score"], first["p_value"], first["threshold"], first["run_id"]) == (3.0, 0.01, {"kind": "p"}, run)
    assert lines["score"].isna().tolist() == [False, True]


def test_the_newest_word_counts_and_every_word_stays(scored):
    store, data, run = scored
    for verdict in ("anomaly", "normal"):
        verdicts.give(store, run, ["a"], verdict, author="Ada")
    verdicts.give(store, run, ["b"], "unsure", author="Ada")
    verdicts.give(store, run, ["b"], verdicts.TAKEN_BACK, author="Bo")

    assert verdicts.current(store, data)[["row_id", "verdict"]].to_numpy().tolist() == [["a", "normal"]]
    assert verdicts.history(store, data, "b")["verdict"].tolist() == ["unsure", ""]
    assert len(verdicts.history(store, data)) == 4


def test_a_row_that_does_not_exist_leaves_nothing_written(scored):
    store, data, run = scored

    with pytest.raises(StoreError, match="no row 'x'"):
        verdicts.give(store, run, ["a", "x"], "anomaly", author="Ada")
    with pytest.raises(StoreError, match="no verdict 'odd'"):
        verdicts.give(store, run, ["a"], "odd", author="Ada")

    assert verdicts.history(store, data).empty


def test_verdicts_outlive_a_run_and_go_with_the_data_set(scored):
    store, data, run = scored
    verdicts.give(store, run, ["a"], "anomaly", author="Ada")

    store.delete_run(run)
    assert verdicts.current(store, data)["row_id"].tolist() == ["a"]

    store.delete_dataset(data)
    assert verdicts.history(store, data).empty


def test_undo_takes_back_what_its_author_said_last_and_what_was_said_before_counts_again(scored):
    store, data, run = scored
    verdicts.give(store, run, ["a"], "normal", author="Bo")
    verdicts.give(store, run, ["b"], "unsure", author="Ada")
    verdicts.give(store, run, ["a", "c"], "anomaly", author="Ada")
    verdicts.give(store, run, ["c"], "data_error", author="Bo")

    undone = [verdicts.take_back(store, data, "Ada") for _ in range(3)]

    assert undone == [["a", "c"], ["b"], []]
    lines = verdicts.current(store, data)
    assert lines[["row_id", "verdict", "author"]].to_numpy().tolist() == [
        ["a", "normal", "Bo"],
        ["c", "data_error", "Bo"],
    ]
    assert len(verdicts.history(store, data)) == verdicts.count(store, data) == 8


def test_what_was_said_earlier_counts_less_even_when_it_is_written_later(scored):
    store, data, run = scored
    verdicts.give(store, run, ["a"], "normal", author="Ada")
    old = verdicts.history(store, data).assign(verdict="anomaly", author="Bo", created=datetime(2026, 1, 1, tzinfo=UTC))

    verdicts.add(store, data, old)

    assert verdicts.current(store, data)["verdict"].tolist() == ["normal"]
    assert verdicts.history(store, data)["author"].tolist() == ["Bo", "Ada"]


def test_a_verdict_needs_an_author(scored):
    store, _, run = scored

    with pytest.raises(StoreError, match="Type your name"):
        verdicts.give(store, run, ["a"], "normal", author=" ")


def test_verdicts_are_labels_where_the_data_have_none(scored):
    store, data, run = scored
    for row_id, verdict in (("a", "anomaly"), ("b", "normal"), ("c", "unsure")):
        verdicts.give(store, run, [row_id], verdict, author="Ada")
    rows = pd.DataFrame({"row_id": ["c", "b", "a", "d"]})

    alone = verdicts.labels(store, data, rows)
    beside = verdicts.labels(store, data, rows.assign(label=pd.array([1, 1, None, None], dtype="Int64")))

    np.testing.assert_array_equal(alone, [np.nan, 0, 1, np.nan])
    np.testing.assert_array_equal(beside, [1, 1, 1, np.nan])
