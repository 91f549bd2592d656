"""What a run leaves behind: scores first, then the map, then explanations; new files and further rows join later."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ad_core import pipeline
from ad_core.alerts.rule import Rule
from ad_core.errors import StoreError
from ad_core.explain.grade import GRADES
from ad_core.jobs.kinds import run_job, stored_dataset
from ad_core.pipeline import open_dataset
from ad_core.progress import Silent
from ad_core.projection.of_detector import embedding_map
from ad_core.projection.sprite_sheet import COLUMNS, MAP_PICTURES, SIDE
from ad_core.storage import results, saved_thresholds
from ad_core.storage.run_alerts import alerts_of
from ad_core.storage.run_events import events_of
from ad_core.storage.store import RunRecord, Store
from ad_core.training.references import references_for
from ad_core.training.selection.recommendation import Recommendation
from ad_core.types import Modality
from tests.conftest import FEW_STEPS, payments


class Stages(Silent):
    """Notes which tables were there when each stage began."""

    def __init__(self, folder) -> None:
        self.folder, self.there = folder, {}

    def stage(self, name: str) -> None:
        self.there[name] = {f.stem for f in self.folder.glob("*.parquet")}


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    return Store.open(tmp_path_factory.mktemp("home"))


def add(store: Store, source, **declared) -> str:
    dataset = open_dataset(source, **declared)
    facts = dataset.declared.model_dump(mode="json")
    record = store.add_dataset(
        dataset.name, str(dataset.modality), [str(source)], facts, len(dataset), dataset.fingerprint, {}
    )
    return record.id


def trained(store: Store, dataset_id: str, **config) -> tuple[RunRecord, Stages]:
    run = store.add_run(dataset_id, "train", config, "test")
    stages = Stages(store.folder(run.id))
    store.finish(run.id, "done", summary=run_job(store, run.id, stages))
    return run, stages


@pytest.fixture(scope="module")
def payments_run(store, payments_file) -> tuple[RunRecord, Stages]:
    dataset_id = add(store, payments_file, label="is_fraud", id="payment")
    return trained(store, dataset_id, pretext="masked_cells", settings=FEW_STEPS)


def test_scores_are_published_before_the_map_and_the_map_before_the_explanations(payments_run):
    _, stages = payments_run

    assert {"scores", "references"} <= stages.there["map"]
    assert "map" not in stages.there["map"]
    assert "map" in stages.there["explain"]
    assert "explanations" not in stages.there["explain"]


def test_ranked_rows_come_with_a_severity(store, payments_run):
    ranked = results.ranked(store, payments_run[0].id)

    assert ranked["score"].is_monotonic_decreasing
    assert set(ranked["severity"]) <= {"Critical", "High", "Medium", "Low"}


def test_a_case_holds_what_its_page_shows(store, payments_run):
    top = results.ranked(store, payments_run[0].id)["row_id"].iloc[0]

    case = results.case(store, payments_run[0].id, top)

    assert case.row["severity"]
    assert set(case.explanation["part"]) == {"amount [EUR]", "shop", "hour", "card_present"}
    assert len(case.neighbours) == 5
    assert top not in set(case.neighbours["neighbour"])


def test_the_usual_range_of_a_number_is_made_of_numbers(store, payments_run):
    """`hour` is missing now and then; that it may be missing is no end of its range."""
    explained = pd.read_parquet(store.folder(payments_run[0].id) / "explanations.parquet")
    hours = explained.loc[(explained["part"] == "hour") & (explained["expected"] != "(missing)")]

    low, high = hours["expected_low"].astype(float), hours["expected_high"].astype(float)

    assert (low <= high).all()


def test_the_summary_says_how_good_it_was_where_labels_are_known(store, payments_run):
    evaluation = results.summary(store.folder(payments_run[0].id))["evaluation"]

    assert set(evaluation) == {"method", *references_for(Modality.TABLE)}
    assert evaluation["method"]["auroc"] > 0.8


def test_the_summary_is_json(store, payments_run):
    assert json.loads(json.dumps(results.summary(store.folder(payments_run[0].id))))["method"] == "masked_cells"


def test_a_new_file_is_scored_and_explained_by_the_stored_detector(store, payments_run, tmp_path):
    file = tmp_path / "next.csv"
    new = payments(80, seed=9).drop(columns="is_fraud")
    new.loc[:3, "shop"] = "casino"
    new.to_csv(file, index=False)
    dataset_id = add(store, file, id="payment")
    run = store.add_run(dataset_id, "score", {}, "next", parent=payments_run[0].id)

    summary = run_job(store, run.id, Silent())

    ranked = results.ranked(store, run.id)
    assert len(ranked) == 80
    assert summary["method"] == "masked_cells"
    assert summary["drift"]["state"] == "withdrawn for some rows"
    assert set(ranked.loc[ranked["withdrawn"] != "", "row_id"]) == {"P00000", "P00001", "P00002", "P00003"}
    assert results.case(store, payments_run[0].id, "P00299").check["grade"] in GRADES
    assert results.case(store, run.id, ranked["row_id"].iloc[0]).explanation is not None
    placed = results.table(store.folder(run.id), "map")
    assert len(placed) == 80
    assert {"kept", "far_inside", "pca_kept", "pca_far_inside"} <= set(placed)


def test_the_map_says_of_each_row_how_far_its_place_can_be_trusted(store, payments_run):
    run = payments_run[0]

    placed = results.table(store.folder(run.id), "map")

    assert placed["row_id"].tolist() == results.table(store.folder(run.id), "scores")["row_id"].tolist()
    assert placed[["kept", "pca_kept"]].to_numpy().min() >= 0
    assert placed["kept"].mean() > placed["pca_kept"].mean()  # UMAP's plane keeps neighbours, the flatter one fewer
    assert results.summary(store.folder(run.id))["map"]["items"] == len(placed)


def test_of_more_items_than_fit_on_a_map_the_highest_scores_are_kept(store, payments_run):
    """A sample of 60 of 300 items; the six highest are in it, and the facts say how many there are."""
    run = payments_run[0]
    detector = pipeline.load_detector(store.folder(run.id) / "bundle")
    item_set = detector.item_set(stored_dataset(store, run.dataset_id))
    scores = np.linspace(1, 0, len(item_set))

    placed, facts = embedding_map(detector, item_set, scores, 60, Silent())

    assert (len(placed), facts["shown"], facts["items"]) == (60, 60, len(item_set))
    assert set(item_set.row_ids(np.arange(6))) <= set(placed["row_id"])


def test_a_row_that_was_not_explained_can_be_explained_later(store, payments_run):
    train_run = payments_run[0]
    folder = store.folder(train_run.id)
    last = results.ranked(store, train_run.id)["row_id"].iloc[-1]
    before = results.table(folder, "explanations")
    assert last not in set(before["row_id"])
    run = store.add_run(
        train_run.dataset_id, "explain", {"row_ids": [last], "method": "occlusion"}, "why", parent=train_run.id
    )

    run_job(store, run.id, Silent())

    after = results.table(folder, "explanations")
    assert set(after["row_id"]) == set(before["row_id"]) | {last}
    assert set(after.loc[after["row_id"] == last, "method"]) == {"occlusion"}


def test_a_recording_leaves_events_windows_and_figures_for_labelled_ranges(store, recording_file):
    dataset_id = add(store, recording_file, label="is_anomaly", time="time")
    run, _ = trained(store, dataset_id, pretext="masked_window", settings={**FEW_STEPS, "reader": {"window": 32}})

    events = results.table(store.folder(run.id), "events")
    case = results.case(store, run.id, events["row_id_peak"].iloc[0])

    evaluation = results.summary(store.folder(run.id))["evaluation"]
    assert len(events)
    assert set(evaluation) == {"method", "random scores", *references_for(Modality.SENSOR)}
    assert all(0 <= judged["event_recall"] <= 1 for judged in evaluation.values())
    assert evaluation["method"]["vus_pr"] > evaluation["method"]["base_rate"]
    assert case.window is not None
    assert {"time", "flow [l/s]", "flow [l/s] expected", "pressure [bar]"} <= set(case.window.columns)
    assert case.map.shape == (2, 32)


@pytest.mark.parametrize(
    ("rule", "made_by"),
    [
        (Rule(kind="budget", value=30), Rule(kind="budget", value=30)),
        (Rule(kind="score", value=1.0, segment="entity"), Rule(kind="score", value=1.0)),
    ],
)
def test_events_and_what_is_explained_follow_the_saved_rule(store, recording_file, rule, made_by):
    """A threshold per recording can't be kept where a file does not tell recordings apart: it is said."""
    dataset_id = add(store, recording_file, label="is_anomaly", time="time")
    run, _ = trained(store, dataset_id, pretext="nearest_neighbours", settings={"reader": {"window": 32}})
    by_default = events_of(store, run.id)
    pd.testing.assert_frame_equal(results.table(store.folder(run.id), "events")[list(by_default)], by_default)
    saved_thresholds.save(store, run.id, rule, name="x", reason="", author="Ada")
    scored = store.add_run(dataset_id, "score", {}, "april", run.id)
    heard: list[str] = []

    class Listening(Silent):
        def say(self, message: str) -> None:
            heard.append(message)

    store.finish(scored.id, "done", summary=run_job(store, scored.id, Listening()))

    folder = store.folder(scored.id)
    events = results.table(folder, "events")
    expected = events_of(store, scored.id, alerts_of(store, scored.id, made_by))
    pd.testing.assert_frame_equal(events[list(expected)], expected)
    assert events["n_alarms"].sum() > by_default["n_alarms"].sum()
    assert results.summary(folder)["events"]["rule"] == made_by.model_dump()
    assert set(results.table(folder, "explanations")["row_id"]) == set(events["row_id_peak"].head(20))
    assert any("There is no column 'entity'" in said for said in heard) is (rule != made_by)


def test_images_leave_a_map_of_their_own_size_and_a_sheet_of_small_ones(store, plates_folder):
    dataset_id = add(store, plates_folder, only=["folder=good"])
    run, _ = trained(store, dataset_id, pretext="autoencoder", settings={**FEW_STEPS, "reader": {"size": 32}})

    top = results.ranked(store, run.id)["row_id"].iloc[0]

    assert results.case(store, run.id, top).map.shape == (40, 40)
    with Image.open(store.folder(run.id) / MAP_PICTURES) as sheet:
        assert sheet.width == COLUMNS * SIDE


def test_maps_are_compared_with_masks_and_the_images_join_the_results(store, plates_folder, tmp_path):
    dataset_id = add(store, plates_folder, only=["folder=good"])
    training, _ = trained(store, dataset_id, pretext="autoencoder", settings={**FEW_STEPS, "reader": {"size": 32}})
    (tmp_path / "scratch").mkdir()
    for file in (plates_folder / "scratch").iterdir():
        Image.fromarray(np.asarray(Image.open(file)) > 200).save(tmp_path / "scratch" / f"{file.stem}_mask.png")
    run = store.add_run(dataset_id, "masks", {"masks": str(tmp_path)}, "masks", training.id)

    found = run_job(store, run.id, Silent())["masks"]

    images = results.table(store.folder(training.id), "masks")
    assert len(images) == found["masks"] == len(list((plates_folder / "scratch").iterdir()))
    assert images["row_id"].str.startswith("scratch/").all()
    assert images["auroc"].is_monotonic_increasing
    assert 0.5 < found["pixel_auroc"] <= 1


def test_a_detector_without_gradient_is_explained_by_perturbation(store, payments_file):
    dataset_id = add(store, payments_file, label="is_fraud", id="payment")
    run, _ = trained(store, dataset_id, pretext="isolation_forest")

    explained = pd.read_parquet(store.folder(run.id) / "explanations.parquet")

    assert set(explained["method"]) == {"occlusion"}
    assert explained["expected"].isna().all()


def test_a_row_or_run_that_is_gone_says_so(store, payments_run):
    with pytest.raises(StoreError, match="no row 'P99999'"):
        results.case(store, payments_run[0].id, "P99999")
    with pytest.raises(StoreError, match="does not exist"):
        results.ranked(store, "deadbeef")


def test_names_of_files_for_rows_are_never_paths():
    assert "/" not in results.safe_name("../../etc/passwd")
    assert results.safe_name("a/b") != results.safe_name("a_b")


def test_rows_that_taught_are_marked_when_their_file_is_scored_again(store, payments_run, tmp_path):
    run, _ = payments_run
    fresh = tmp_path / "may.csv"
    payments(60, seed=5).to_csv(fresh, index=False)
    marks = {}
    for name, data in (("same", run.dataset_id), ("may", add(store, fresh, label="is_fraud", id="payment"))):
        scored = store.add_run(data, "score", {}, name, run.id)
        run_job(store, scored.id, Silent())
        marks[name] = set(results.ranked(store, scored.id)["used_for"])

    assert marks == {"same": {"fit"}, "may": {""}}


def test_a_recommendation_is_kept_with_its_run(store, payments_file):
    dataset_id = add(store, payments_file, label="is_fraud", id="payment")
    config = {"training_rows": "clean", "only": ["masked_cells", "histogram"], "plan": {"seeds": 1, "steps": 5}}
    run = store.add_run(dataset_id, "recommend", config, "which task")

    found = run_job(store, run.id, Silent())["recommendation"]

    assert Recommendation.model_validate(found).task == "masked_cells"
    assert json.loads(json.dumps(found)) == found


def test_what_alerts_hang_on_joins_the_results_of_the_training(store, payments_file):
    dataset_id = add(store, payments_file, label="is_fraud", id="payment")
    training, _ = trained(store, dataset_id, pretext="histogram")
    run = store.add_run(dataset_id, "sensitivity", {}, "sensitivity", training.id)

    assert run_job(store, run.id, Silent()) == {"trainings": 3}

    table = results.table(store.folder(training.id), "sensitivity")
    assert list(table["row_id"]) == list(results.table(store.folder(training.id), "scores")["row_id"])
