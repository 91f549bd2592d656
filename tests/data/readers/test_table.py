"""Tables: what is proposed for their columns, how rows are named, and how columns become entries and back."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ad_core.data.dataset import ColumnKind, Dataset, Declared, Role
from ad_core.data.item_set import ItemSet
from ad_core.data.readers import table
from ad_core.data.readers.table import Table, TableSettings
from ad_core.data.tables.row_identity import ids_from_column, ids_from_content
from ad_core.errors import DataError
from ad_core.types import PartKind

N = 200


def mixed(n: int = N, seed: int = 0) -> pd.DataFrame:
    """One column of each kind."""
    generator = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "speed [m/s]": generator.normal(50, 10, n),
            "temp (°C)": np.where(generator.random(n) < 0.2, np.nan, generator.normal(20, 2, n)),
            "city": generator.choice(["Rome", "Oslo", "Bern"], n, p=[0.6, 0.3, 0.1]),
            "shop": generator.choice([f"shop {i}" for i in range(40)], n),
            "open": generator.random(n) < 0.7,
            "when": pd.date_range("2024-01-01", periods=n, freq="7h"),
        }
    )


def opened(data: pd.DataFrame, **declared: object) -> Dataset:
    return Table.open(data, Declared(**declared))


def fitted(data: pd.DataFrame, rows: np.ndarray | None = None, **declared: object) -> tuple[Table, Dataset, ItemSet]:
    dataset = opened(data, **declared)
    reader = Table(TableSettings())
    reader.fit(dataset, np.ones(len(dataset), dtype=bool) if rows is None else rows)
    return reader, dataset, reader.item_set(dataset)


def column(dataset: Dataset, name: str):
    return next(c for c in dataset.schema.columns if c.name == name)


# --- proposals


def test_kinds_and_units_are_found_out():
    dataset = opened(mixed())

    kinds = {c.name: c.kind for c in dataset.schema.columns}
    assert kinds == {
        "speed [m/s]": ColumnKind.NUMBER,
        "temp (°C)": ColumnKind.NUMBER,
        "city": ColumnKind.CATEGORY,
        "shop": ColumnKind.CATEGORY,
        "open": ColumnKind.BOOLEAN,
        "when": ColumnKind.CALENDAR,
    }
    assert [c.unit for c in dataset.schema.columns[:3]] == ["m/s", "°C", None]
    assert column(dataset, "temp (°C)").missing == pytest.approx(mixed()["temp (°C)"].isna().mean())


@pytest.mark.parametrize(
    ("values", "role", "kind", "grade"),
    [
        ([7] * N, Role.WATCHED, ColumnKind.NUMBER, "C"),
        ([np.nan] * N, Role.WATCHED, ColumnKind.NUMBER, "C"),
        ([1.5, np.nan, 2.5, np.nan, np.nan] * (N // 5), Role.FEATURE, ColumnKind.NUMBER, "A"),
        ([1.5, 2.5] + [np.nan] * (N - 2), Role.WATCHED, ColumnKind.NUMBER, "C"),
        ([1.5, 2.5, *[np.nan] * 6] * (N // 8), Role.FEATURE, ColumnKind.NUMBER, "B"),
        ([f"a text of its own, number {i}" for i in range(N)], Role.IGNORE, ColumnKind.TEXT, "C"),
        (["yes", "no"] * (N // 2), Role.FEATURE, ColumnKind.BOOLEAN, "A"),
        (["01.02.2024", "14.02.2024"] * (N // 2), Role.FEATURE, ColumnKind.DATE, "A"),
        (["2024-02-01T10:00", "2024-02-14T11:00"] * (N // 2), Role.FEATURE, ColumnKind.DATE, "A"),
        (["01/02/2024", "03/04/2024"] * (N // 2), Role.FEATURE, ColumnKind.DATE, "B"),
        (["1.5", "2.5", "?", "4"] * (N // 4), Role.FEATURE, ColumnKind.NUMBER, "A"),
        (["1.5", "2.5", "broken", "4"] * (N // 4), Role.FEATURE, ColumnKind.CATEGORY, "B"),
        ([str(i / 7) for i in range(N - 1)] + ["broken"], Role.FEATURE, ColumnKind.NUMBER, "B"),
        ([str(i / 7) if i % 4 else f"broken {i}" for i in range(N)], Role.IGNORE, ColumnKind.TEXT, "C"),
        (["007", "012", "100", "099"] * (N // 4), Role.FEATURE, ColumnKind.CATEGORY, "A"),
    ],
)
def test_a_column_gets_role_kind_and_grade(values, role, kind, grade):
    data = mixed()[["speed [m/s]"]].assign(x=values)

    found = column(opened(data), "x")

    assert (found.role, found.kind, found.grade) == (role, kind, grade)
    assert bool(found.reason) == (grade != "A")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("transaction_id", np.random.default_rng(0).permutation(N) * 3),
        ("whatever", np.arange(N) + 17),
        ("code", [f"{i:032x}" for i in range(N)]),
        ("orderId", [f"O-{i}" for i in range(N)]),
    ],
)
def test_a_column_that_names_the_rows_becomes_the_id(name, values):
    data = mixed().assign(**{name: values})

    dataset = opened(data)

    assert column(dataset, name).role is Role.ID
    assert dataset.rows["row_id"].tolist() == [str(v) for v in values]


def test_an_identifier_that_repeats_is_left_out():
    data = mixed().assign(customer_id=np.random.default_rng(0).integers(0, 90, N))

    found = column(opened(data), "customer_id")

    assert (found.role, found.grade) == (Role.IGNORE, "C")
    assert "identifier" in found.reason


def test_a_measurement_that_differs_in_every_row_stays_a_feature():
    assert column(opened(mixed()), "speed [m/s]").role is Role.FEATURE


def test_a_label_is_proposed_and_a_second_one_is_left_out():
    truth = np.arange(N) % 20 == 0
    dataset = opened(mixed().assign(is_anomaly=truth.astype(int), outlier=np.roll(truth, 1)))

    assert column(dataset, "is_anomaly").role is Role.LABEL
    assert column(dataset, "outlier").role is Role.IGNORE
    assert dataset.rows["label"].tolist() == truth.astype(float).tolist()
    assert "is_anomaly" not in dataset.schema.names(Role.FEATURE)


def test_a_declared_label_of_words_may_have_gaps():
    words = ["normal", "Anomaly", None, "OK"] * (N // 4)

    label = opened(mixed().assign(verdict=words), label="verdict").rows["label"]

    assert label[:4].tolist()[:2] == [0.0, 1.0]
    assert np.isnan(label[2])


def test_a_near_copy_is_graded_but_kept():
    data = mixed()
    data["kmh"] = data["speed [m/s]"] * 3.6

    found = column(opened(data), "kmh")

    assert (found.role, found.grade) == (Role.FEATURE, "B")
    assert "speed [m/s]" in found.reason


@pytest.mark.parametrize(
    "values_of",
    [
        lambda truth: np.where(truth, "refund", "none at all"),
        lambda truth: np.where(truth, 1, 2),
        lambda truth: np.where(truth, 3.5, np.nan),
        lambda truth: truth * 10 + np.random.default_rng(0).normal(0, 0.01, N),
    ],
)
def test_a_column_that_knows_the_label_is_named_but_kept(values_of):
    """Labels never choose what is learnt from: the analyst decides."""
    truth = np.arange(N) % 10 == 0
    dataset = opened(mixed().assign(fraud=truth.astype(int), leak=values_of(truth)), label="fraud")

    found = column(dataset, "leak")
    assert (found.role, found.grade) == (Role.FEATURE, "B")
    assert "Predicts 'fraud' without an error" in found.reason
    assert column(dataset, "speed [m/s]").grade == "A"


def test_a_good_measurement_that_separates_the_known_anomalies_is_kept():
    truth = np.arange(N) % 10 == 0
    values = np.random.default_rng(0).normal(0, 1, N).clip(-2, 2) + 6 * truth

    found = column(opened(mixed().assign(fraud=truth, value=values), label="fraud"), "value")

    assert (found.role, found.grade) == (Role.FEATURE, "B")


def test_what_is_declared_wins_over_what_is_found():
    data = mixed().assign(const=1, number=np.arange(N))

    dataset = opened(data, id="shop", ignore=("city",), use=("const", "number"), kinds={"number": ColumnKind.CATEGORY})

    roles = {c.name: c.role for c in dataset.schema.columns}
    assert (roles["shop"], roles["city"], roles["const"]) == (Role.ID, Role.IGNORE, Role.FEATURE)
    assert column(dataset, "number").kind is ColumnKind.CATEGORY
    assert dataset.rows["row_id"].is_unique


def test_a_declared_column_that_is_not_there_is_an_error():
    with pytest.raises(DataError, match="no column 'nope'"):
        opened(mixed(), label="nope")
    with pytest.raises(DataError, match="no column 'nope'"):
        opened(mixed(), kinds={"nope": ColumnKind.NUMBER})


@pytest.mark.parametrize(
    ("kind", "values", "sentence"),
    [
        (
            ColumnKind.NUMBER,
            ["1", "2", "abc", "4"],
            "has text in 50 of 200 rows, first in row 3 ('abc'). Mark it as a category",
        ),
        (ColumnKind.DATE, ["2024-01-01", "soon"] * 2, "other than a date"),
        (ColumnKind.BOOLEAN, ["a", "b", "c", "d"], "4 different values, so it is not true or false"),
    ],
)
def test_a_kind_that_does_not_fit_is_told(kind, values, sentence):
    with pytest.raises(DataError) as caught:
        opened(mixed().assign(x=values * (N // 4)), use=("x",), kinds={"x": kind})

    assert sentence in str(caught.value)


def test_only_chooses_the_rows_that_teach():
    dataset = opened(mixed(), only=("city=Oslo",))

    assert dataset.is_training.tolist() == (mixed()["city"] == "Oslo").tolist()


def test_a_row_without_any_value_has_a_note_and_does_not_teach():
    data = mixed().astype({"open": object})
    data.loc[3] = [np.nan, np.nan, None, None, None, pd.NaT]
    _, dataset, item_set = fitted(data)

    assert dataset.rows["note"][3]
    assert not dataset.is_training[3]
    assert item_set.rows["sample"].tolist()[2:5] == [2, -1, 3]
    assert len(item_set.x) == N - 1


# --- files


def test_several_files_become_one_table_whatever_the_order_of_columns(tmp_path):
    mixed(seed=1).to_csv(tmp_path / "a.csv", index=False)
    mixed(seed=2)[list(reversed(mixed().columns))].to_parquet(tmp_path / "b.parquet")

    dataset = Table.open([tmp_path / "a.csv", tmp_path / "b.parquet"], Declared())

    assert len(dataset) == 2 * N
    assert dataset.name == "a and 1 more"
    assert dataset.data["city"].tolist() == [*mixed(seed=1)["city"], *mixed(seed=2)["city"]]
    assert column(dataset, "when").kind is ColumnKind.CALENDAR


def test_files_of_other_columns_are_refused_by_name(tmp_path):
    mixed().to_csv(tmp_path / "a.csv", index=False)
    mixed().drop(columns="city").assign(more=1).to_csv(tmp_path / "b.csv", index=False)

    with pytest.raises(DataError, match=r"b.csv has other columns than a.csv: it lacks 'city' and also has 'more'"):
        Table.open([tmp_path / "a.csv", tmp_path / "b.csv"], Declared())


def test_the_same_file_gives_the_same_fingerprint(tmp_path):
    mixed().to_csv(tmp_path / "a.csv", index=False)
    first, again = (Table.open([tmp_path / "a.csv"], Declared()) for _ in range(2))

    assert first.fingerprint == again.fingerprint
    assert opened(mixed(seed=1)).fingerprint != opened(mixed(seed=2)).fingerprint


# --- encoding


def test_numbers_are_z_scores_of_the_rows_that_teach():
    teaches = np.arange(N) < 50
    data = mixed()
    _, _, item_set = fitted(data, teaches)

    z = item_set.x[:, item_set.shape.parts.entries(0)[0]]
    values = data["speed [m/s]"].to_numpy()
    np.testing.assert_allclose(z, (values - values[:50].mean()) / values[:50].std(), rtol=1e-5, atol=1e-6)


def test_a_missing_number_is_the_median_and_flagged_in_the_same_part():
    data = mixed()
    _, _, item_set = fitted(data)

    z, flag = (item_set.x[:, entry] for entry in item_set.shape.parts.entries(1))
    gone = data["temp (°C)"].isna().to_numpy()
    assert flag.tolist() == gone.astype(float).tolist()
    values = data["temp (°C)"]
    np.testing.assert_allclose(z[gone], (values.median() - values.mean()) / values.std(ddof=0), rtol=1e-5)


def test_a_category_is_one_block_whose_argmax_is_the_level():
    data = mixed()
    reader, _, item_set = fitted(data)

    part = item_set.shape.parts.names.index("city")
    block = item_set.x[:, item_set.shape.parts.entries(part)]
    assert item_set.shape.parts.kinds[part] is PartKind.CATEGORY
    assert item_set.shape.parts.entries(part) == list(
        range(min(item_set.shape.parts.entries(part)), max(item_set.shape.parts.entries(part)) + 1)
    )
    assert block.shape[1] == 4  # three levels and "other"
    assert (block.sum(axis=1) == 1).all()
    assert reader.expected_in_units(part, block) == data["city"].tolist()


def test_an_unseen_level_is_the_last_entry():
    data = mixed()
    reader, _, frame = fitted(data)
    new = reader.item_set(opened(data.assign(city="Lima")))

    part = frame.shape.parts.names.index("city")
    assert (new.x[:, frame.shape.parts.entries(part)] == [0, 0, 0, 1]).all()
    assert reader.expected_in_units(part, new.x[:2, frame.shape.parts.entries(part)]) == ["(other)"] * 2


def test_a_missing_level_is_an_entry_of_its_own_where_it_occurred():
    data = mixed().astype({"city": object})
    data.loc[::4, "city"] = None
    reader, _, item_set = fitted(data)

    part = item_set.shape.parts.names.index("city")
    block = item_set.x[:, item_set.shape.parts.entries(part)]
    assert block.shape[1] == 5
    assert (block[::4] == [0, 0, 0, 1, 0]).all()
    assert reader.expected_in_units(part, block[:1]) == ["(missing)"]


def test_many_levels_count_by_how_frequent_they_are():
    data = mixed()
    _, _, item_set = fitted(data)

    part = item_set.shape.parts.names.index("shop")
    values = item_set.x[:, item_set.shape.parts.entries(part)]
    counts = data["shop"].map(data["shop"].value_counts()).to_numpy()
    assert item_set.shape.parts.kinds[part] is PartKind.NUMBER
    assert values.shape[1] == 1
    assert np.corrcoef(values[:, 0], np.log1p(counts))[0, 1] == pytest.approx(1, abs=1e-5)


def test_the_highest_number_of_levels_is_a_setting():
    dataset = opened(mixed())
    reader = Table(TableSettings(max_levels=2))
    reader.fit(dataset, np.ones(N, dtype=bool))

    assert len(reader.shape.parts.entries(reader.shape.parts.names.index("city"))) == 1


def test_a_date_has_elapsed_time_and_the_cycles_that_vary():
    reader, _, item_set = fitted(mixed(), use=("when",))
    part = item_set.shape.parts.names.index("when")

    entries = item_set.shape.parts.entries(part)
    assert len(entries) == 7  # elapsed; hour, weekday and month as sine and cosine
    assert reader.expected_in_units(part, item_set.x[[0], :][:, entries]) == ["2024-01-01T00:00:00"]
    daily = mixed().assign(when=pd.date_range("2024-01-01", periods=N, freq="D").strftime("%d.%m.%Y"))
    _, _, item_set = fitted(daily, use=("when",))
    assert len(item_set.shape.parts.entries(part)) == 5  # the hour is always midnight


def test_later_rows_are_not_unusual_for_being_later():
    data = mixed()
    reader, _, item_set = fitted(data)
    later = reader.item_set(opened(data.assign(when=data["when"] + pd.Timedelta(days=365))))

    entry = item_set.shape.parts.entries(item_set.shape.parts.names.index("when"))[0]
    assert later.learnt().take(np.arange(N))[:, entry].max() == item_set.x[:, entry].max()
    assert later.x[:, entry].max() <= item_set.limits.entries[entry].usual_high


def test_numbers_come_back_in_the_users_unit():
    data = mixed()
    reader, _, item_set = fitted(data)

    back = reader.expected_in_units(0, item_set.x[:, item_set.shape.parts.entries(0)])
    np.testing.assert_allclose(back, data["speed [m/s]"], rtol=1e-5)
    back = reader.expected_in_units(1, item_set.x[:, item_set.shape.parts.entries(1)])
    assert [v == "(missing)" for v in back] == data["temp (°C)"].isna().tolist()
    part = item_set.shape.parts.names.index("open")
    assert (
        reader.expected_in_units(part, item_set.x[:, item_set.shape.parts.entries(part)])
        == data["open"].map(str).tolist()
    )


def test_what_never_changes_among_the_training_rows_is_not_learnt_from_but_watched_and_told():
    data = mixed()
    data["flat"] = np.where(np.arange(N) < 100, 1.0, 2.0)
    _, _, item_set = fitted(data, np.arange(N) < 100)

    assert "flat" not in item_set.learnt().shape.parts.names
    assert item_set.shape.parts.names[-1] == "flat"
    assert item_set.x[:, -1].tolist() == [0] * 100 + [1] * (N - 100)
    assert "Constant in the training rows, so a change there is an alarm: 'flat'." in item_set.notices


def test_a_method_sees_far_away_numbers_at_the_clip():
    data = mixed()
    reader, _, _ = fitted(data)
    far = data.copy()
    far.loc[0, "speed [m/s]"] = 1e300

    item_set = reader.item_set(opened(far))
    assert item_set.x.max() == np.float32(1e30)
    assert item_set.learnt().take(np.arange(N)).max() == 30.0


def test_infinities_count_as_missing_and_are_told():
    data = mixed()
    data.loc[[4, 9], "speed [m/s]"] = [np.inf, -np.inf]
    _, dataset, item_set = fitted(data)

    assert "2 infinite cells, first in row 5" in dataset.notices[0]
    assert np.isfinite(item_set.x).all()
    assert item_set.x[[4, 9]][:, item_set.shape.parts.entries(0)[1]].tolist() == [1, 1]


def test_huge_numbers_do_not_overflow():
    data = pd.DataFrame({"x": np.linspace(-1, 1, 50) * 1e308, "y": np.linspace(0, 1e-300, 50)})
    _, _, item_set = fitted(data)

    assert np.isfinite(item_set.x).all()
    np.testing.assert_allclose(item_set.x.std(axis=0), 1, rtol=1e-3)


def test_classes_become_codes_and_are_no_feature():
    data = mixed()
    _, _, frame = fitted(data, class_column="city")

    assert frame.shape.classes == 3
    assert "city" not in frame.shape.parts.names
    assert [["Bern", "Oslo", "Rome"][code] for code in frame.items["cls"]] == data["city"].tolist()


def test_a_class_never_seen_has_no_code():
    data = mixed()
    reader, _, _ = fitted(data, class_column="city")

    assert set(reader.item_set(opened(data.assign(city="Lima"), class_column="city")).items["cls"]) == {-1}


# --- new data


def test_missing_columns_are_all_named():
    reader, _, _ = fitted(mixed())

    with pytest.raises(DataError, match="needs 'city', 'open', which"):
        reader.match(opened(mixed().drop(columns=["city", "open"])))


def test_a_changed_type_is_named():
    reader, _, _ = fitted(mixed())

    with pytest.raises(DataError, match=r"'speed \[m/s\]' was a number and now holds 'fast'"):
        reader.match(opened(mixed().assign(**{"speed [m/s]": ["fast", "slow"] * (N // 2)})))


def test_what_differs_but_can_be_handled_is_told():
    data = mixed()
    reader, _, _ = fitted(data)
    new = data.assign(city="Lima", extra=1, **{"speed [m/s]": 1000.0})[["extra", *reversed(data.columns)]]

    told = " ".join(reader.match(opened(new)))

    for part in ("'extra'", "another order", "'Lima' (200 rows)", "100% of 'speed [m/s]' lies outside"):
        assert part in told
    assert reader.match(opened(data)) == []


def test_the_order_of_columns_does_not_matter():
    data = mixed()
    reader, _, item_set = fitted(data)

    np.testing.assert_array_equal(reader.item_set(opened(data[list(reversed(data.columns))])).x, item_set.x)


def test_a_single_cell_of_text_in_a_number_column_counts_as_missing_and_its_row_says_so():
    data = mixed()
    reader, _, item_set = fitted(data)
    broken = data.astype({"speed [m/s]": object})
    broken.loc[7, "speed [m/s]"] = "n.a. (sensor off)"

    new = reader.item_set(opened(broken))

    assert "'n.a. (sensor off)', which is not a number: it counts as missing" in new.rows["note"][7]
    assert (new.rows["note"].drop(7) == "").all()
    speed, expected = data["speed [m/s]"], item_set.x.copy()
    expected[7, 0] = (speed.median() - speed.mean()) / speed.std(ddof=0)
    np.testing.assert_allclose(new.x, expected, atol=1e-6)
    sentences = reader.match(opened(broken))
    assert any("1 of 200 cells of 'speed [m/s]' can't be read as a number, first in row 8" in one for one in sentences)


def test_rows_are_encoded_alike_however_many_at_a_time(monkeypatch):
    data = mixed()
    data.loc[::9] = data.loc[::9].assign(**{"speed [m/s]": np.nan, "city": None})
    reader, dataset, item_set = fitted(data)

    monkeypatch.setattr(table, "AT_A_TIME", 7)

    np.testing.assert_array_equal(reader.item_set(dataset).x, item_set.x)


def test_restoring_gives_exactly_the_same_items():
    reader, dataset, item_set = fitted(mixed(), class_column="city")
    facts, arrays = reader.state()
    again = Table(TableSettings())

    again.restore(json.loads(json.dumps(facts)), arrays)

    np.testing.assert_array_equal(again.item_set(dataset).x, item_set.x)
    assert again.shape == reader.shape
    assert again.match(dataset) == reader.match(dataset)
    assert again.classes == ["Bern", "Oslo", "Rome"]


# --- bad input


@pytest.mark.parametrize("data", [pd.DataFrame(), pd.DataFrame({"a": []}), pd.DataFrame(index=range(3))])
def test_an_empty_frame_is_refused(data):
    with pytest.raises(DataError, match=r"0 rows|0 columns"):
        opened(data)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (pd.DataFrame({"a": [1.5], "b": ["x"]}), "at least 2 are needed"),
        (pd.DataFrame({"a": [np.nan] * 30, "b": [None] * 30}), "No column is used"),
        (pd.DataFrame({"a": [1] * 30, "b": ["x"] * 30}), "No column is used"),
        (pd.DataFrame({"id": range(30), "uuid": [f"u{i}" for i in range(30)]}), "No column is used"),
    ],
)
def test_data_that_teach_nothing_are_refused_when_fitting(data, sentence):
    dataset = opened(data)

    with pytest.raises(DataError, match=sentence):
        Table(TableSettings()).fit(dataset, np.ones(len(dataset), dtype=bool))


def test_one_column_is_enough():
    _, _, item_set = fitted(pd.DataFrame({"a": np.random.default_rng(0).normal(size=50)}))

    assert item_set.x.shape == (50, 1)


def test_rows_that_teach_nothing_are_refused():
    data = mixed()[["speed [m/s]"]].assign(flat=np.where(np.arange(N) < 100, 1.0, 2.0))
    data.loc[:99, "speed [m/s]"] = 5.0
    dataset = opened(data)

    with pytest.raises(DataError, match="None of the 2 used columns changes"):
        Table(TableSettings()).fit(dataset, np.arange(N) < 100)


def test_ten_thousand_columns_become_items():
    data = pd.DataFrame(np.random.default_rng(0).normal(size=(25, 10_000))).rename(columns=str)
    reader, dataset, item_set = fitted(data)

    assert item_set.x.shape == (25, 10_000)
    assert len(reader.match(dataset)) == 0


# --- row ids


def test_equal_rows_get_numbers_in_input_order():
    ids = ids_from_content(pd.DataFrame({"a": [1, 2, 1, 1]}), ["a"])

    assert ids[2] == f"{ids[0]}#2"
    assert ids[3] == f"{ids[0]}#3"
    assert len(ids[0]) == 16


def test_a_row_id_is_the_hash_of_canonical_json():
    """Written down once by hand: sha256 of {"a":1,"b":"x","c":null} begins with these digits."""
    frame = pd.DataFrame({"c": [np.nan], "b": ["x"], "a": [1.0]})
    import hashlib

    expected = hashlib.sha256(b'{"a":1,"b":"x","c":null}').hexdigest()[:16]

    assert ids_from_content(frame, ["c", "b", "a"]).tolist() == [expected]


def test_a_row_id_takes_numbers_of_any_size_as_json_writes_them():
    numbers = [1e-300, -1.5e-5, 1e-4, 0.1, 1 / 3, -0.0, 7.0, 999_999_999.5, 1e9, 1.5e10, 2e15, 1e16, 1e22, np.inf]
    import hashlib

    texts = [json.dumps(n + 0.0).removesuffix(".0") for n in numbers[:-1]] + ["null"]
    expected = [hashlib.sha256(f'{{"a":{text}}}'.encode()).hexdigest()[:16] for text in texts]

    assert ids_from_content(pd.DataFrame({"a": numbers}), ["a"]).tolist() == expected


def test_a_row_id_does_not_depend_on_how_pandas_holds_the_column():
    plain = pd.DataFrame({"n": [1, 2, 3], "w": ["a", "b", "a"], "f": [0.5, 2.0, -0.0]})
    other = plain.astype({"n": "float64", "w": "category", "f": "float32"})

    assert ids_from_content(plain, list(plain)).tolist() == ids_from_content(other, list(plain)).tolist()


def test_an_id_column_may_repeat_and_have_gaps():
    ids = ids_from_column(pd.Series(["a", "a", "a#2", None, None]))

    assert ids.is_unique
    assert ids.tolist() == ["a", "a#2", "a#2#2", "(no id)", "(no id)#2"]
    assert ids_from_column(pd.Series([1.0, 2.0, np.nan])).tolist() == ["1", "2", "(no id)"]


# --- any table

values = st.one_of(
    st.floats(),
    st.integers(-(2**40), 2**40),
    st.text(max_size=8),
    st.none(),
    st.booleans(),
    st.sampled_from(["a", "b", "c", "NA", "?", "-", "2024-01-01", "1,5"]),
    st.datetimes(),
)
kinds = st.sampled_from(["float", "int", "word", "text", "bool", "date", "any"])


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    n = draw(st.integers(2, 25))
    generator = np.random.default_rng(draw(st.integers(0, 2**20)))
    makers = {
        "float": lambda: np.where(
            generator.random(n) < 0.2, np.nan, generator.normal(0, 10.0 ** generator.integers(-9, 9), n)
        ),
        "int": lambda: generator.integers(-5, 5, n),
        "word": lambda: generator.choice(["a", "b", "c", None], n),
        "text": lambda: np.array([f"some text {i}" for i in generator.integers(0, 99, n)]),
        "bool": lambda: generator.random(n) < 0.5,
        "date": lambda: pd.Timestamp("2024-01-01") + pd.to_timedelta(generator.integers(0, 10**6, n), unit="s"),
        "any": lambda: pd.Series([draw(values) for _ in range(n)], dtype=object),
    }
    return pd.DataFrame({f"c{i}": makers[draw(kinds)]() for i in range(draw(st.integers(1, 5)))})


@settings(deadline=None, max_examples=60)
@given(data=tables())
def test_any_table_becomes_finite_items_that_survive_a_round_trip(data):
    dataset = opened(data)
    reader = Table(TableSettings())
    try:
        reader.fit(dataset, np.ones(len(dataset), dtype=bool))
    except DataError:
        return
    item_set = reader.item_set(dataset)
    facts, arrays = reader.state()
    again = Table(TableSettings())
    again.restore(json.loads(json.dumps(facts)), arrays)

    assert np.isfinite(item_set.x).all()
    assert np.abs(item_set.x).max(initial=0) <= 30
    assert len(item_set.rows) == len(data)
    assert item_set.rows["row_id"].tolist() == dataset.rows["row_id"].tolist()
    np.testing.assert_array_equal(again.item_set(dataset).x, item_set.x)
    for part in range(len(item_set.shape.parts.names)):
        entries = item_set.shape.parts.entries(part)
        assert len(reader.expected_in_units(part, item_set.x[:, entries])) == len(item_set.x)


@settings(deadline=None, max_examples=40)
@given(data=tables(), seed=st.integers(0, 99))
def test_row_ids_are_unique_and_follow_their_rows_when_shuffled(data, seed):
    columns = list(data.columns)
    ids = ids_from_content(data, columns)
    assert ids.is_unique

    order = np.random.default_rng(seed).permutation(len(data))
    shuffled = ids_from_content(data.iloc[order].reset_index(drop=True), columns)

    plain = ids.str.partition("#")[0].to_numpy()
    assert shuffled.str.partition("#")[0].tolist() == plain[order].tolist()
    assert set(shuffled) == set(ids)
