"""True labels are never trained on: certain ones are taken, unsure ones asked about, plain columns left alone."""

import numpy as np
import pandas as pd
import pytest

from ad_core import pipeline
from ad_core.data.dataset import Dataset, Role
from ad_core.data.label_questions import questions
from ad_core.data.label_search import find_labels
from ad_core.data.opening import as_trained, as_used
from ad_core.data.profiling import profile
from ad_core.data.tables.labels import label_values, read_labels
from ad_core.errors import DataError
from ad_core.estimator import AnomalyDetector

N = 400
ODD = np.arange(N) % 20 == 7
"""One row in twenty is anomalous."""


def table(**columns: object) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"a": rng.normal(size=N), "b": rng.normal(size=N)}).assign(**columns)


def recording(**columns: object) -> pd.DataFrame:
    time = pd.date_range("2026-01-01", periods=N, freq="min")
    return table(**columns).assign(time=time)


def values(normal: object, odd: object, more: object = None) -> np.ndarray:
    """The normal value, and in every twentieth row the odd one, or at times a further one."""
    found = np.where(ODD, odd, normal).astype(object)
    if more is not None:
        found[np.flatnonzero(ODD)[::2]] = more
    return found


def words(normal: str, *kinds: str) -> np.ndarray:
    return values(normal, *kinds)


CERTAIN = [
    ("attack", values(0, 1)),
    ("failure", values(0, 1)),
    ("Machine failure", values(0, 1)),
    ("isFraud", values(0, 1)),
    ("fault_flag", values(False, True)),
    ("class", words("normal.", "neptune.")),
    ("Label", words("BENIGN", "Bot", "DDoS")),
    ("Normal/Attack", words("Normal", "Attack", "A ttack")),
    ("Pass/Fail", words("pass", "fail")),
    ("machine_status", words("NORMAL", "BROKEN", "RECOVERING")),
    ("fraud", words("Non-Fraud", "Fraud")),
    ("target", values(0, 1)),
    ("y", values("no", "yes")),
    ("ground_truth", np.zeros(N, dtype=int)),
]
UNSURE = [
    ("target", values(1, 2)),
    ("y", values(1, -1)),
    ("class", np.array(["First", "Second", "Third"])[np.arange(N) % 3]),
    ("label", values(0, 1, 2)),
    ("label", np.where(ODD, 0.37, 0.0)),
    ("attack_P1", values(0, 1)),
    ("anomaly_score_label", values(0, 1)),
    ("event", values(0, 1)),
    ("verdict_of_shift", words("ok", "nok")),
    ("is_ok", values(1, 0)),
    ("kind", words("benign", "botnet", "scan")),
]
PLAIN = [
    ("target_temp", 20 + np.arange(N) % 5),
    ("target", np.linspace(3.0, 90.0, N)),
    ("valve_status", np.where(np.arange(N) % 2, "open", "closed")),
    ("status", np.arange(N) // 10 % 2),
    ("pump_alarm_count", values(0, 1)),
    ("num_failed_logins", values(0, 1)),
    ("failure_rate", np.linspace(0, 1, N)),
    ("defect_size", np.linspace(0, 9, N)),
    ("anomaly", np.linspace(-2, 2, N)),
    ("cabin_class", np.array(["First", "Second", "Third"])[np.arange(N) % 3]),
    ("pressure_state", np.array(["low", "normal", "high"])[np.arange(N) % 3]),
    ("smoker", values("no", "yes")),
]


@pytest.mark.parametrize("modality", ["table", "sensor"])
@pytest.mark.parametrize(("name", "held"), CERTAIN)
def test_a_column_whose_name_and_values_are_those_of_labels_is_the_label(name, held, modality):
    dataset = pipeline.open_dataset(recording(**{name: held}), modality=modality, time="time")

    assert dataset.schema.one(Role.LABEL) == name
    assert name not in dataset.schema.names(Role.FEATURE)
    expected = np.zeros(N) if name == "ground_truth" else ODD.astype(float)
    assert dataset.rows["label"].tolist() == expected.tolist()
    assert f"label {name!r}" in dataset.report().summary


@pytest.mark.parametrize("modality", ["table", "sensor"])
@pytest.mark.parametrize(("name", "held"), UNSURE)
def test_a_column_that_may_hold_labels_is_asked_about_and_trained_on_only_by_word_of_the_user(name, held, modality):
    data = recording(**{name: held})
    dataset = pipeline.open_dataset(data, modality=modality, time="time")

    assert name not in dataset.schema.names(Role.FEATURE)
    assert f"--label {name}" in " ".join(questions(dataset, "shell"))
    assert f"--use {name}" in " ".join(questions(dataset, "shell"))
    with pytest.raises(DataError, match=rf"label='{name}' if it does, or use=\['{name}'\]"):
        pipeline.train(dataset, "histogram")
    assert f"Column {name!r} may hold true labels" in " ".join(profile(dataset).blockers)
    for answer, role in ({"label": name}, Role.LABEL), ({"ignore": [name]}, Role.IGNORE):
        told = pipeline.open_dataset(data, modality=modality, time="time", **answer)
        assert not questions(told, "python")
        assert next(c.role for c in told.schema.columns if c.name == name) is role
        assert profile(told).blockers == ()


@pytest.mark.parametrize(("name", "held"), [(n, v) for n, v in UNSURE if n not in ("class", "kind")])
def test_a_column_that_the_user_wants_is_trained_on(name, held):
    told = pipeline.open_dataset(table(**{name: held}), use=[name])

    assert name in pipeline.train(told, "histogram").reader.shape.parts.names


@pytest.mark.parametrize(("name", "held"), PLAIN)
def test_a_plain_column_with_a_similar_name_is_used_without_a_question(name, held):
    dataset = pipeline.open_dataset(table(**{name: held}))

    assert name in dataset.schema.names(Role.FEATURE)
    assert not questions(dataset, "shell")


def test_labels_beside_the_label_are_left_out_and_named():
    data = recording(
        attack=values(0, 1),
        attack_P1=ODD & (np.arange(N) < 200),
        event=values(0, 1),
        y=values(0, 1),
        Class=values(0, 1),
    )

    dataset = pipeline.open_dataset(data)

    assert dataset.schema.one(Role.LABEL) == "attack"
    assert dataset.schema.names(Role.FEATURE) == ["a", "b"]
    assert "Not trained on, as true labels: 'attack_P1', 'event', 'y', 'Class'." in " ".join(dataset.notices)
    assert "'event'. Holds what the label 'attack' says" in dataset.report().summary


def test_with_a_label_that_can_be_compared_only_its_copies_are_left_out():
    cabin = np.array(["First", "Second", "Third"])[np.arange(N) % 3]
    dataset = pipeline.open_dataset(
        table(truth=values(0, 1), cls=cabin, Class=cabin, event=np.roll(ODD, 1).astype(int))
    )

    assert {"Class", "event"} <= set(dataset.schema.names(Role.FEATURE))
    assert "its values are not those of 'truth': used" in str(dataset.report())


def test_minus_one_and_one_are_labels_of_which_it_is_not_known_which_is_the_anomaly():
    dataset = pipeline.open_dataset(table(label=values(1, -1)))

    assert dataset.schema.names(Role.FEATURE) == ["a", "b"]
    assert "label" not in dataset.rows
    assert "they can't be read (1 in 380 rows, -1 in 20 rows)" in dataset.report().summary
    pipeline.train(dataset, "histogram")


def test_a_constant_label_of_normal_rows_is_no_channel():
    """Its first 1 in a later file would be the loudest alarm."""
    dataset = pipeline.open_dataset(recording(attack=0, **{"Normal/Attack": "Normal"}))

    assert dataset.schema.names(Role.FEATURE) == ["a", "b"]


def test_coordinates_are_no_labels():
    dataset = pipeline.open_dataset(table(x=np.arange(N) % 7, y=np.arange(N) % 5))

    assert {"x", "y"} <= set(dataset.schema.names(Role.FEATURE))


def test_one_odd_cell_does_not_make_a_label_a_feature():
    cells = values("0", "1")
    cells[-1] = "Total"
    dataset = pipeline.open_dataset(table(label=cells))

    assert dataset.schema.one(Role.LABEL) == "label"
    assert np.isnan(dataset.rows["label"].iloc[-1])
    assert "1 of 400 cells that can't be read as true labels, such as 'Total'" in " ".join(dataset.notices)


def test_a_declared_label_that_can_t_be_read_is_used_for_nothing():
    dataset = pipeline.open_dataset(table(grade=values("A", "B")), label="grade")

    assert dataset.schema.names(Role.FEATURE) == ["a", "b"]
    assert "label" not in dataset.rows
    assert "it can't be read: used for nothing" in str(dataset.report())


@pytest.mark.parametrize(
    ("name", "cells", "expected"),
    [
        ("label", ["Normal.", " attack ", "A ttack", "DDoS", None], [0, 1, 1, 1, np.nan]),
        ("is_ok", [1, 0, 1, None], [0, 1, 0, np.nan]),
        ("passed", ["yes", "no"], [0, 1]),
        ("fault", ["none", "leak"], [0, 1]),
        ("label", ["Non-Fraud", "Fraud", "not ok", "no_failure"], [0, 1, 1, 0]),
        ("io", ["i.O.", "n.i.O."], [0, 1]),
    ],
)
def test_words_are_read_as_an_analyst_writes_them(name, cells, expected):
    np.testing.assert_array_equal(label_values(pd.Series(cells), name), expected)


def test_numbers_are_not_guessed_even_beside_many_that_can_be_read():
    truth, notices = read_labels(pd.Series([1] * 995 + [-1] * 5), "label")

    assert truth is None
    assert "has the value '-1'" in notices[0]


def test_one_question_for_each_column_and_one_of_them_is_the_label():
    dataset = pipeline.open_dataset(table(target=values(1, 2), **{"attack P1": values(0, 1)}))

    said = " ".join(questions(dataset, "shell"))
    assert "--label target if it does, or --use target" in said
    assert "--label 'attack P1'" in said
    assert "Only one of them can be the label: --ignore the others" in said


def test_a_matrix_with_names_of_labels_is_refused_and_one_without_names_is_not():
    data = table(attack=values(0, 1).astype(int))

    with pytest.raises(DataError, match=r"Column 'attack' of X may hold true labels.*X\.to_numpy\(\)"):
        AnomalyDetector("histogram").fit(data)
    AnomalyDetector("histogram").fit(data.to_numpy())
    AnomalyDetector("histogram").fit(data.drop(columns=["attack"]))


def test_no_sample_asks_anything(every_sample):
    assert not find_labels(every_sample.data, every_sample.declared.label, every_sample.declared.roles()).asked


@pytest.fixture(params=["breast_cancer", "card_payments_synthetic", "laguardia_flights", "thyroid_lab_tests"])
def every_sample(request) -> Dataset:
    from ad_core.data.sample_datasets import sample

    chosen = sample(request.param)
    return pipeline.open_dataset(list(chosen.train), **chosen.declared)


def test_a_run_of_an_older_version_keeps_the_columns_that_it_was_trained_on(tmp_path):
    """It took the failures as a feature; its rows are named by what they hold, so their ids must not change."""
    file = tmp_path / "machine.csv"
    table(failure=values(0, 1)).to_csv(file, index=False)
    old = pipeline.open_dataset(file, use=["failure"], only=["failure=0"])
    today = pipeline.open_dataset(file, only=["failure=0"])
    assert today.rows["row_id"].tolist() != old.rows["row_id"].tolist()

    again = as_trained(today, as_used(old).model_dump(mode="json"))

    assert again.rows["row_id"].tolist() == old.rows["row_id"].tolist()
    assert again.is_training.tolist() == old.is_training.tolist()
    assert as_trained(today, as_used(today).model_dump(mode="json")) is today
    assert as_trained(today, None) is today
