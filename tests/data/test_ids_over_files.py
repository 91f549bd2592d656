"""Row ids of several files: each says its row, whichever files are opened together, and each file counts once."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from ad_core.data.dataset import Dataset, Declared
from ad_core.data.opening import as_used, open_dataset, open_declared
from ad_core.detector.detector import Detector
from ad_core.pipeline import Choice, open_like, train_all
from ad_core.progress import Silent


def month(file: Path, rows: int = 150, seed: int = 0, odd: int = 0, **columns: object) -> Path:
    """Orders whose weight follows their length, but in the first `odd` rows; ids begin at 0."""
    random = np.random.default_rng(seed)
    length = random.normal(10, 2, rows).round(3)
    weight = (3 * length + random.normal(0, 0.3, rows)).round(3)
    weight[:odd] += 12
    pd.DataFrame({"id": range(rows), "length": length, "weight": weight, **columns}).to_csv(file, index=False)
    return file


def ids(*files: Path, **declared: object) -> list[str]:
    return open_dataset(list(files), **declared).rows["row_id"].tolist()


def test_an_id_that_occurs_in_two_files_says_which_one(tmp_path):
    may, june = month(tmp_path / "may.csv", 3), month(tmp_path / "june.csv", 4)

    assert ids(may, june, id="id") == [
        *("may.csv|0", "may.csv|1", "may.csv|2"),
        *("june.csv|0", "june.csv|1", "june.csv|2", "3"),
    ]
    assert set(ids(june, may, id="id")) == set(ids(may, june, id="id"))
    assert ids(may, id="id") == ["0", "1", "2"]


def test_equal_rows_are_numbered_within_their_file(tmp_path):
    may, june = tmp_path / "may.csv", tmp_path / "june.csv"
    may.write_text("a,b\n1,2\n1,2\n3,4\n5,5\n")
    june.write_text("a,b\n3,4\n1,2\n7,8\n")
    first, again, second, lonely = ids(may)

    assert again == f"{first}#2"
    assert ids(may, june) == [
        *(f"may.csv|{first}", again, f"may.csv|{second}", lonely),
        *(f"june.csv|{second}", f"june.csv|{first}", ids(june)[2]),
    ]


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path):
    files = []
    for folder in ("a/north", "b/north", "south"):
        (tmp_path / folder).mkdir(parents=True)
        files.append(month(tmp_path / folder / "may.csv", 1))

    assert ids(*files, id="id") == ["a/north/may.csv|0", "b/north/may.csv|0", f"{tmp_path.name}/south/may.csv|0"]


def test_recordings_of_one_file_name_are_two_recordings(tmp_path):
    for folder in ("a/x", "b/x"):
        (tmp_path / folder).mkdir(parents=True)
        pd.DataFrame({"time": pd.date_range("2026-01-01", periods=40, freq="s"), "flow": np.arange(40.0)}).to_csv(
            tmp_path / folder / "pump.csv", index=False
        )
    found = open_dataset([tmp_path / folder / "pump.csv" for folder in ("a/x", "b/x")], time="time")

    assert found.rows["entity"].unique().tolist() == ["a/x/pump", "b/x/pump"]
    assert found.rows["row_id"].is_unique


def test_recordings_with_names_of_their_own_say_the_file_where_times_repeat(tmp_path):
    for name in ("may.csv", "june.csv"):
        time = pd.date_range("2026-01-01", periods=40, freq="s")
        pd.DataFrame({"time": time, "pump": "p1", "flow": np.arange(40.0)}).to_csv(tmp_path / name, index=False)
    found = open_dataset([tmp_path / "may.csv", tmp_path / "june.csv"], time="time", entity="pump")

    assert found.rows["row_id"].iloc[[0, 40]].tolist() == [
        "may.csv|p1|2026-01-01T00:00:00",
        "june.csv|p1|2026-01-01T00:00:00",
    ]


def test_data_sets_of_older_versions_keep_their_ids(tmp_path):
    files = [month(tmp_path / "may.csv", 2), month(tmp_path / "june.csv", 2)]
    older = Declared.model_validate({"id": "id"})

    assert open_declared(files, older).rows["row_id"].tolist() == ["0", "1", "0#2", "1#2"]
    assert "ids_by_source" not in older.model_dump(mode="json")
    assert as_used(open_declared(files, older)).ids_by_source is False
    assert as_used(open_dataset(files, id="id")).ids_by_source is True


@pytest.mark.parametrize("kind", ["table", "recording"])
def test_a_file_that_is_given_twice_is_read_once_and_that_is_said(tmp_path, kind):
    time = {"time": pd.date_range("2026-01-01", periods=60, freq="s")} if kind == "recording" else {}
    file = month(tmp_path / "may.csv", 60, **time)
    once: Dataset = open_dataset(file)

    for sources in ([file, file], [tmp_path, file]):
        twice = open_dataset(sources, modality=once.modality)
        assert len(twice) == len(once)
        assert twice.fingerprint == once.fingerprint
        assert twice.notices[0] == "Given more than once, and read once: may.csv."
    assert "Given more than once" not in " ".join(once.notices)


def test_kept_scores_are_found_whichever_files_are_opened_together(tmp_path):
    """Both months have ids from 0: each row keeps its own score, and rows of a third month get new ones."""
    may, june = month(tmp_path / "may.csv"), month(tmp_path / "june.csv", seed=1)
    july = month(tmp_path / "july.csv", seed=2, odd=15)
    trained = train_all(open_dataset([may, june], id="id"), Choice(training_rows="clean"), Silent(), references=False)
    detector, scores = trained.detector, trained.scores["score"].to_numpy()

    for files, before in (([may], scores[:150]), ([june], scores[150:]), ([june, may], np.roll(scores, 150))):
        opened = open_like(detector, files)
        found = detector.score(opened)
        np.testing.assert_allclose(found["score"], before, rtol=1e-6)
        assert detector.used_in_training(found, opened).all()
    new = open_like(detector, [july])
    found = detector.score(new)
    assert roc_auc_score(np.arange(150) < 15, found["score"]) == 1.0
    assert not detector.used_in_training(found, new).any()


def test_scores_of_one_file_are_found_when_it_is_opened_with_another(tmp_path):
    may, june = month(tmp_path / "may.csv"), month(tmp_path / "june.csv", seed=1)
    trained = train_all(open_dataset(may, id="id"), Choice(training_rows="clean"), Silent(), references=False)
    loaded = Detector.load(trained.detector.save(tmp_path / "detector"))

    together = loaded.score(open_like(loaded, [june, may]))["score"].to_numpy()

    np.testing.assert_allclose(together[150:], trained.scores["score"], rtol=1e-5)
    np.testing.assert_allclose(together[:150], loaded.score(open_like(loaded, june))["score"], rtol=1e-5)
