"""What never changed in training, from file to alarm: tables, recordings and streams, by every kind of method."""

import numpy as np
import pandas as pd
import pytest

from ad_core import pipeline
from ad_core.data.dataset import Role
from ad_core.detector.stream import as_table
from ad_core.explain.attribution import How, methods_for
from ad_core.explain.counterfactual.find import counterfactual
from ad_core.explain.explain import explain_rows
from ad_core.explain.what_if import what_if
from ad_core.progress import Silent

N = 300
METHODS = ("balanced", "masked_cells", "nearest_neighbours")
OF_RECORDINGS = ("balanced", "masked_window", "nearest_neighbours")
FEW = {"training": {"max_steps": 20}}

CHANGES = {"errors": 5000, "firmware": "v2", "alarm": True, "message": "OVERHEAT", "rare": 1e6}
"""Column -> a value that it never held; the row is the position of the column here."""


def machines(n: int = N, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    load = random.normal(50, 5, n)
    rare = np.where(np.arange(n) % 100 == 0, 5.0, np.nan)
    table = pd.DataFrame({"load": load, "heat": 2 * load + random.normal(0, 1, n), "errors": 0, "firmware": "v1"})
    return table.assign(alarm=False, message=pd.Series([None] * n, dtype="object"), rare=rare)


def moved(table: pd.DataFrame) -> pd.DataFrame:
    table = table.astype(dict.fromkeys(CHANGES, "object"))
    for at, (column, value) in enumerate(CHANGES.items()):
        table.loc[at, column] = value
    return table.infer_objects()


@pytest.fixture(scope="module", params=METHODS)
def detector(request):
    return pipeline.train(
        pipeline.open_dataset(machines()), request.param, settings=FEW if "cells" in request.param else None
    )


@pytest.fixture(scope="module")
def balanced():
    return pipeline.train(pipeline.open_dataset(machines()), "balanced")


def test_a_row_in_which_a_constant_moved_scores_above_all_calibration_rows_and_it_is_named_first(detector):
    new = pipeline.open_like(detector, moved(machines(50, 1)))
    scores = detector.score(new)
    top = detector.calibration.scores.max()

    assert (scores["score"][: len(CHANGES)] > top).all()
    for method in methods_for(detector.model):
        parts = explain_rows(detector, new, scores["row_id"][: len(CHANGES)].tolist(), How(method), Silent()).parts
        assert parts.groupby("row_id", sort=False)["part"].first().tolist() == list(CHANGES)


def test_rows_in_which_nothing_moved_score_as_without_these_columns(detector):
    columns = ["load", "heat"]
    alone = pipeline.train(
        pipeline.open_dataset(machines()[columns]), detector.info.method, settings=detector.info.settings
    )
    new = machines(50, 1)

    np.testing.assert_array_equal(
        detector.score(pipeline.open_like(detector, new))["score"],
        alone.score(pipeline.open_like(alone, new[columns]))["score"],
    )


def test_the_shares_add_up_to_the_score(detector):
    new = pipeline.open_like(detector, moved(machines(50, 1)))
    rows = detector.score(new)["row_id"][: len(CHANGES)].tolist()

    found = explain_rows(detector, new, rows, How("shapley_sampling"), Silent())

    assert (found.checks["gap"] < 1e-4).all()
    assert (found.checks["grade"] == "supported").all()


def test_a_larger_change_scores_higher(balanced):
    new = machines(50, 1)
    new.loc[:4, "errors"] = [0, 1, 7, 70, 5000]
    new.loc[1:4, ["load", "heat"]] = new.loc[0, ["load", "heat"]].to_list()

    found = balanced.score(pipeline.open_like(balanced, new))["score"][:5].tolist()

    assert found == sorted(set(found))


def test_a_training_row_in_which_a_constant_moved_does_not_keep_its_score(balanced):
    """Its id is made of the columns that are learnt from, so it is that of the training row."""
    before, after = (balanced.score(pipeline.open_like(balanced, table)) for table in (machines(), moved(machines())))

    assert before["row_id"].tolist() == after["row_id"].tolist()
    assert (after["score"][: len(CHANGES)] > balanced.calibration.scores.max()).all()
    np.testing.assert_array_equal(after["score"][len(CHANGES) :], before["score"][len(CHANGES) :])
    assert not balanced.used_in_training(after, pipeline.open_like(balanced, moved(machines())))[: len(CHANGES)].any()


def test_a_saved_detector_gives_the_same_scores(detector, tmp_path):
    new = moved(machines(50, 1))
    again = pipeline.load_detector(detector.save(tmp_path / "bundle"))

    np.testing.assert_array_equal(
        again.score(pipeline.open_like(again, new))["score"], detector.score(pipeline.open_like(detector, new))["score"]
    )


def test_the_analyst_is_told_at_training_and_at_scoring(balanced):
    told = " ".join(balanced.info.notices)
    said = " ".join(balanced.reader.match(pipeline.open_like(balanced, moved(machines(50, 1)))))

    assert "Constant in the training rows, so a change there is an alarm: 'errors', 'firmware', 'alarm'." in told
    assert "Empty in the training rows, so a value there is an alarm: 'message'." in told
    assert "Nearly empty in the training rows, so a value that they never held is an alarm: 'rare'." in told
    for at, column in enumerate(CHANGES):
        assert f"'{column}' " in said
        assert f"row {at + 1} (" in said


def test_an_ignored_column_never_alarms_and_a_declared_one_does():
    random = np.random.default_rng(0)
    table = machines().assign(mode=random.choice(["a", "b"], N))
    dataset = pipeline.open_dataset(table, ignore=["errors"], watch=["mode"])
    new = table.astype({"mode": "object"})
    new.loc[0, "errors"] = 9
    new.loc[1, "mode"] = "c"

    detector = pipeline.train(dataset, "nearest_neighbours")
    found, before = (detector.score(pipeline.open_like(detector, table))["score"].to_numpy() for table in (new, table))

    assert "mode" not in detector.reader.item_set(dataset).learnt().shape.parts.names
    assert np.flatnonzero(found != before).tolist() == [1]


@pytest.mark.parametrize("name", ["is_fraud", "label", "attack"])
def test_a_constant_that_may_hold_the_truth_is_not_watched(name):
    schema = pipeline.open_dataset(machines().assign(**{name: 0})).schema

    assert name not in schema.scored


def test_a_file_without_a_watched_column_is_scored_and_that_is_said(balanced):
    new = machines(50, 1)
    without = pipeline.open_like(balanced, new.drop(columns=["errors", "rare"]))

    np.testing.assert_array_equal(
        balanced.score(without)["score"], balanced.score(pipeline.open_like(balanced, new))["score"]
    )
    assert "'errors' is not in these data, so no change of it can be seen." in balanced.reader.match(without)
    explain_rows(balanced, without, balanced.score(without)["row_id"][:1].tolist(), How(), Silent())


def test_the_drift_check_compares_these_columns(balanced):
    quiet, loud = (pipeline.open_like(balanced, table) for table in (machines(50, 1), moved(machines(50, 1))))

    same, found = (balanced.compared(balanced.score(new), new) for new in (quiet, loud))

    assert not (same.outside != "").any()
    assert [text.split()[0] for text in found.outside[: len(CHANGES)]] == list(CHANGES)
    assert set(CHANGES) <= {*found.columns["column"], "message"}
    new = pipeline.open_like(balanced, machines(50, 1).assign(errors=-1))
    below = balanced.compared(balanced.score(new), new)
    assert below.columns.set_index("column").at["errors", "verdict"] == "act"


def test_what_if_and_the_smallest_change_can_set_it_back(balanced):
    new = pipeline.open_like(balanced, moved(machines(50, 1)))
    rows = balanced.score(new)["row_id"].tolist()
    begin = balanced.calibration.scores.max()

    tried = what_if(balanced, new, rows[0], [{"errors": 0}, {"errors": 3}, {"firmware": "v9"}])
    assert tried["score"][1] < begin < tried["score"][2] < tried["score"][0] < tried["score"][3]
    for at, name in enumerate(CHANGES):
        answer = counterfactual(balanced, new, rows[at], begin, Silent()).facts
        assert answer.found
        assert answer.changes[0]["part"] == name


def test_a_column_with_one_value_or_none_is_watched_for_a_second_value():
    """It is learnt from, as whether it is missing may matter; a new value must not look like the known one."""
    table = machines().assign(
        level=np.where(np.arange(N) % 2, 5.0, np.nan),
        word=np.where(np.arange(N) % 3, "ok", None),
        on=np.where(np.arange(N) % 4, True, None),
    )
    detector = pipeline.train(pipeline.open_dataset(table), "nearest_neighbours")
    new = table.copy().astype({"word": "object", "on": "object"})
    new.loc[1, "level"], new.loc[2, "word"], new.loc[3, "on"] = 5.5, "bad", False

    found = detector.score(pipeline.open_like(detector, new))["score"]

    assert (found[1:4] > detector.calibration.scores.max()).all()


# --- dates and numbers far outside


def test_outside_is_outside_on_both_sides(detector):
    random = np.random.default_rng(0)
    day = pd.Timestamp("2015-01-01") + pd.to_timedelta(random.integers(0, 5 * 365, N), unit="D")
    own = pipeline.train(
        pipeline.open_dataset(machines().assign(day=day)[["load", "heat", "day"]]),
        detector.info.method,
        settings=detector.info.settings,
    )
    days = [
        "2015-01-01",
        "2014-01-01",
        "1990-01-01",
        "1890-01-01",
        "2019-12-31",
        "2028-01-01",
        "2090-01-01",
        "2190-01-01",
    ]
    loads = [50.0, 250.0, 5e3, 5e6, 5e9]
    rows = pd.DataFrame({"load": 50.0, "heat": 100.0, "day": pd.to_datetime([*days, *["2017-05-05"] * 5])})
    rows.loc[len(days) :, "load"] = loads

    new = pipeline.open_like(own, rows)
    found = own.score(new)["score"].tolist()
    early, late, far = found[:4], found[4:8], found[8:]

    assert early == sorted(set(early))
    assert late[1:] == sorted(set(late[1:]))
    assert far == sorted(set(far))
    assert min(early[2:] + late[2:] + far[2:]) > own.calibration.scores.max()
    said = " ".join(own.reader.match(new))
    assert "row 4 ('1890-01-01" in said
    assert "'load' lies more than 30 standard deviations from the mean of the training rows in 4 rows: row 10" in said


# --- recordings


def recording(n: int = 900, seed: int = 0) -> pd.DataFrame:
    t, random = np.arange(n), np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "time": pd.Timestamp(f"2026-01-0{1 + seed}") + pd.to_timedelta(t, unit="s"),
            "flow": np.sin(t / 7) + random.normal(0, 0.05, n),
            "errors": 0,
            "mode": "RUN",
            "step": np.array([0, 1, 3])[t // 40 % 3],
            "phase": np.array(["a", "b", "c"])[t // 30 % 3],
            "gone": np.nan,
        }
    )


STEPS = {
    "errors": (100, 7),
    "mode": (220, "TRIP"),
    "step": (340, 2),
    "phase": (460, "d"),
    "gone": (580, 4.0),
    "flow": (700, 1e6),
}
"""Channel -> the first of two time stamps in which it has a value that it never had."""


def broken(table: pd.DataFrame) -> pd.DataFrame:
    table = table.astype(dict.fromkeys(STEPS, "object"))
    for channel, (at, value) in STEPS.items():
        table.loc[at : at + 1, channel] = value
    return table.infer_objects()


@pytest.fixture(scope="module", params=OF_RECORDINGS)
def of_recordings(request):
    settings = {"reader": {"window": 32}, **(FEW if "window" in request.param else {})}
    return pipeline.train(pipeline.open_dataset(recording()), request.param, settings=settings)


def test_a_state_that_was_never_seen_raises_its_time_stamps_above_all_calibration_rows(of_recordings):
    new = pipeline.open_like(of_recordings, broken(recording(800, 1)))
    scores = of_recordings.score(new)["score"].to_numpy()

    for channel, (at, _) in STEPS.items():
        assert (scores[at : at + 2] > of_recordings.calibration.scores.max()).all(), channel


def test_the_explanation_of_its_window_names_the_channel_first(of_recordings):
    new = pipeline.open_like(of_recordings, broken(recording(800, 1)))
    rows = of_recordings.score(new)["row_id"]

    found = explain_rows(of_recordings, new, [rows[at] for at, _ in STEPS.values()], How(), Silent())

    by_channel = found.parts.groupby(["row_id", "channel"], sort=False)["attribution"].sum()
    for channel, (at, _) in STEPS.items():
        assert by_channel[rows[at]].idxmax() == channel
        assert found.maps[rows[at]].shape == (len(of_recordings.reader.shape.parts.names), 32)


def test_a_quiet_recording_scores_as_without_what_is_only_watched(of_recordings):
    columns = ["time", "flow", "errors", "mode", "step"]
    alone = pipeline.train(
        pipeline.open_dataset(recording()[columns]), of_recordings.info.method, settings=of_recordings.info.settings
    )
    new = recording(800, 1)

    np.testing.assert_array_equal(
        of_recordings.score(pipeline.open_like(of_recordings, new))["score"],
        alone.score(pipeline.open_like(alone, new[columns]))["score"],
    )


def test_a_stream_gives_the_scores_of_the_file(of_recordings):
    table = broken(recording(800, 1))
    of_file = of_recordings.score(pipeline.open_like(of_recordings, table))["score"]
    stream = of_recordings.stream()

    block = stream.push_table(table.iloc[:400])
    ticks = [one for line in table.iloc[400:].to_dict("records") for one in stream.push(line.pop("time"), line)]
    found = pd.concat([block, as_table(ticks), as_table(stream.close())])

    final = found[found["is_final"]]["score"].to_numpy()
    np.testing.assert_allclose(final, of_file, rtol=1e-4, atol=1e-6)


def test_the_smallest_change_of_a_window_is_in_that_channel(of_recordings):
    new = pipeline.open_like(of_recordings, broken(recording(800, 1)))
    row = of_recordings.score(new)["row_id"][STEPS["step"][0]]
    begin = of_recordings.calibration.scores.max()
    if of_recordings.info.method != "balanced":
        pytest.skip("short trainings do not know what is normal")

    answer = counterfactual(of_recordings, new, row, begin, Silent()).facts

    assert answer.found
    assert [change["part"] for change in answer.changes] == ["step"]


def test_roles_of_a_recording(of_recordings):
    schema = pipeline.open_dataset(recording()).schema

    assert schema.names(Role.WATCHED) == ["phase", "gone"]
    assert any("Nothing can be learnt from phase, gone" in notice for notice in of_recordings.info.notices)
    assert any("so another one is an alarm: step" in notice for notice in of_recordings.info.notices)
