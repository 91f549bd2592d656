"""Verdicts as files: nothing is lost on the way, nothing is added twice, nothing wrong gets in."""

import json
from pathlib import Path

import pandas as pd
import pytest

from ad_core.errors import DataError, StoreError
from ad_core.review.verdict_files import FORMS, dataset_of, from_file, import_verdicts, known_rows, to_file
from ad_core.storage import results, verdicts
from ad_core.storage.store import Store

ROWS = ["a", "=b", "'=c", "00123", 'é, "x"']
PLAIN = ["row_id", "verdict", "tag", "note", "author", "created", "run_id", "threshold"]


@pytest.fixture
def scored(tmp_path: Path) -> tuple[Store, str, str]:
    """A store, its data set, and a run that scored rows with difficult names."""
    return installation(tmp_path / "one")


def installation(home: Path) -> tuple[Store, str, str]:
    store = Store.open(home)
    data = store.add_dataset("pumps", "table", ["pumps.csv"], {}, len(ROWS), "f", {}).id
    run = store.add_run(data, "train", {}, "first").id
    scores = pd.DataFrame({"row_id": ROWS, "score": [5.0, 4.0, 3.0, 2.0, None], "percentile": 50.0, "p_value": 0.1})
    results.publish(store.folder(run), "scores", scores)
    return store, data, run


def say(store: Store, run: str) -> None:
    rule = {"by": "p", "alpha": 0.05}
    verdicts.give(store, run, ROWS, "anomaly", author="=Ada", tag="+x", note="two\nlines; 'quoted'", threshold=rule)
    verdicts.give(store, run, ["a"], "normal", author="Bo")
    verdicts.give(store, run, ["a"], verdicts.TAKEN_BACK, author="Bo")


@pytest.mark.parametrize("form", FORMS)
def test_what_is_written_comes_back_in_another_installation_and_only_once(scored, tmp_path, form):
    store, data, run = scored
    say(store, run)
    file = to_file(verdicts.history(store, data), form)
    other, elsewhere, _ = installation(tmp_path / "two")

    first = import_verdicts(other, elsewhere, from_file(file, f"said.{form}"), "Cy")
    again = import_verdicts(other, elsewhere, from_file(file, f"said.{form}"), "Cy")

    mine, theirs = verdicts.history(store, data), verdicts.history(other, elsewhere)
    assert (first.added, first.same, again.added, again.same) == (7, 0, 0, 7)
    assert mine[PLAIN].to_numpy().tolist() == theirs[PLAIN].to_numpy().tolist()
    pd.testing.assert_frame_equal(mine[["score", "p_value"]], theirs[["score", "p_value"]])
    assert set(verdicts.current(other, elsewhere)["verdict"]) == {"anomaly"}


def test_no_cell_of_the_csv_is_a_formula(scored):
    store, data, run = scored
    say(store, run)

    text = to_file(verdicts.history(store, data), "csv").decode("utf-8-sig")

    cells = pd.read_csv(pd.io.common.StringIO(text), dtype=str, keep_default_na=False)
    assert not cells.map(lambda cell: cell.startswith(("=", "+", "-", "@"))).to_numpy().any()


def test_a_line_of_json_can_be_read_by_any_program(scored):
    store, data, run = scored
    say(store, run)

    lines = [json.loads(line) for line in to_file(verdicts.history(store, data), "jsonl").decode().splitlines()]

    assert lines[0]["threshold"] == {"by": "p", "alpha": 0.05}
    assert lines[4]["score"] is None
    assert lines[-1]["verdict"] == "taken_back"


def test_a_list_typed_by_hand_is_enough_and_is_not_added_twice(scored):
    store, data, _ = scored
    file = b"Row_id;Verdict;note\na;Data error;broken\n00123; normal;\n"

    first = import_verdicts(store, data, from_file(file, "mine.csv"), "Cy")
    again = import_verdicts(store, data, from_file(file, "mine.csv"), "Cy")

    lines = verdicts.current(store, data)
    assert lines[["row_id", "verdict", "note", "author"]].to_numpy().tolist() == [
        ["a", "data_error", "broken", "Cy"],
        ["00123", "normal", "", "Cy"],
    ]
    assert (first.in_words(), again.in_words()) == (
        "2 verdicts were added, 0 there already.",
        "0 verdicts were added, 2 there already.",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "row_id,verdict\na,normal\na,anomly\n",
            "no verdict 'anomly' (line 2 of the file's verdicts). Did you mean 'anomaly'",
        ),
        (
            "row_id,verdict\na,normal\n0123,normal\nx,normal\n",
            "no row '0123' (line 2 of the file's verdicts, and 1 more like it). Did you mean '00123'",
        ),
        ("row_id,verdict,created\na,normal,yesterday\n", "'yesterday' is not a time in the past"),
        ("row_id,verdict,created\na,normal,2999-01-01\n", "'2999-01-01' is not a time in the past"),
        ("row,verdict\na,normal\n", "no column 'row_id'"),
    ],
)
def test_what_is_wrong_is_named_with_its_line_and_nothing_is_added(scored, text, said):
    store, data, _ = scored

    with pytest.raises(DataError) as error:
        import_verdicts(store, data, from_file(text.encode(), "said.csv"), "Cy")

    assert said in str(error.value)
    assert verdicts.count(store, data) == 0


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"x", "said.xlsx"),
        (b"\xff\xfe\x00", "said.csv"),
        (b"no parquet", "said.parquet"),
        (b"[1]\n", "said.jsonl"),
        (b"{", "said.jsonl"),
        (b"", "said.csv"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_one_sentence_that_names_it(content, name):
    with pytest.raises(DataError, match=name):
        from_file(content, name)


def test_rows_are_known_from_the_files_where_nothing_was_scored(scored, payments_file):
    store, _, _ = scored
    data = store.add_dataset("payments", "table", [payments_file], {"id": "payment"}, 300, "f", {}).id

    assert known_rows(store, data) == {f"P{i:05d}" for i in range(300)}


def test_a_run_stands_for_its_data_set(scored):
    store, data, run = scored

    assert dataset_of(store, run) == dataset_of(store, data) == data
    with pytest.raises(StoreError, match="neither a run nor a data set 'x'"):
        dataset_of(store, "x")


def test_verdicts_on_rows_of_other_data_are_added_and_that_is_said(scored):
    """Ids that restart in every file stand for other rows there; a new version of the same file has the same rows."""
    store, data, run = scored
    say(store, run)
    file = from_file(to_file(verdicts.history(store, data), "jsonl"), "said.jsonl")
    same = store.add_dataset("pumps, other roles", "table", ["pumps.csv"], {}, len(ROWS), "f", {}).id
    june = store.add_dataset("june", "table", ["june.csv"], {}, len(ROWS), "g", {}).id
    for other in (same, june):
        scores = pd.DataFrame({"row_id": ROWS, "score": 1.0, "percentile": 50.0, "p_value": 0.1})
        results.publish(store.folder(store.add_run(other, "train", {}, "again").id), "scores", scores)

    into_same, into_june = import_verdicts(store, same, file, "Cy"), import_verdicts(store, june, file, "Cy")

    assert into_same.added == into_june.added == 7
    assert into_same.elsewhere == ()
    assert into_june.in_words() == (
        "7 verdicts were added, 0 there already. Some were given on rows of 'pumps', whose content is not that of this "
        "data set: they were matched by row id alone. Take them back if the ids stand for other rows here."
    )
