"""From a file to scores, for each kind of data, through the public Python functions."""

import numpy as np
import pandas as pd
import pytest

import ad_core
from ad_core import pipeline
from ad_core.errors import DataError, MethodError, SettingsError
from ad_core.progress import Silent
from ad_core.training.references import references_for
from ad_core.types import Modality
from tests.conftest import payments, recording


@pytest.fixture(params=["payments", "recording", "plates"])
def trained(request) -> pipeline.Trained:
    return request.getfixturevalue(f"trained_on_{request.param}")


def test_the_kind_of_data_is_found_out(payments_file, recording_file, plates_folder):
    found = [pipeline.open_dataset(source).modality for source in (payments_file, recording_file, plates_folder)]

    assert found == [Modality.TABLE, Modality.SENSOR, Modality.IMAGE]


def test_there_is_one_line_per_input_row_in_input_order(trained):
    assert trained.scores["row_id"].tolist() == trained.item_set.rows["row_id"].tolist()
    assert trained.scores["score"].notna().all()
    assert trained.scores["percentile"].between(0, 100).all()


def test_no_row_calibrates_a_model_that_trained_on_it(trained):
    parts = [set(p.tolist()) for p in (trained.split.fit, trained.split.early_stop, trained.split.calibration)]

    assert all(parts)
    assert not parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]


def test_windows_of_different_parts_do_not_share_a_sample(trained_on_recording):
    item_set, split = trained_on_recording.item_set, trained_on_recording.split
    starts = item_set.items["start"].to_numpy()

    assert starts[split.fit].max() + item_set.span <= starts[split.calibration].min()


def test_the_broken_rows_have_the_highest_scores(trained_on_payments):
    top = trained_on_payments.scores.nlargest(5, "score")

    assert top["label"].sum() >= 4


def test_the_broken_stretch_has_higher_scores_than_the_rest(trained_on_recording):
    scores = trained_on_recording.scores
    broken = scores["label"] == 1

    assert scores.loc[broken, "score"].median() > scores.loc[~broken, "score"].quantile(0.9)


def test_a_scratched_plate_scores_above_the_median_good_one(trained_on_plates):
    scores = trained_on_plates.scores
    scratched = scores["row_id"].str.startswith("scratch")

    assert scores.loc[scratched, "score"].min() > scores.loc[~scratched, "score"].median()


def test_references_of_the_same_run_are_there_for_every_row(trained):
    assert list(trained.references.columns) == ["row_id", *references_for(trained.item_set.shape.modality)]
    assert trained.references.notna().all(axis=None)


def test_scoring_the_same_file_again_gives_the_same_scores(trained_on_payments, payments_file):
    again = trained_on_payments.detector.score(pipeline.open_like(trained_on_payments.detector, payments_file))

    np.testing.assert_allclose(again["score"], trained_on_payments.scores["score"], rtol=1e-6)
    assert again["row_id"].tolist() == trained_on_payments.scores["row_id"].tolist()


def test_a_row_keeps_its_score_when_it_is_alone_in_a_new_file(trained_on_payments):
    """Neither the rest of the file nor what a column looks like in it may change a row's score."""
    alone = pipeline.open_like(trained_on_payments.detector, payments().iloc[[7]])

    score = trained_on_payments.detector.score(alone)["score"].iloc[0]

    assert score == pytest.approx(trained_on_payments.scores["score"].iloc[7], rel=1e-5)


def test_a_recording_without_its_label_column_can_be_scored(trained_on_recording):
    new = recording(rows=200, seed=5, broken=False).drop(columns="is_anomaly")

    scores = trained_on_recording.detector.score(pipeline.open_like(trained_on_recording.detector, new))

    assert len(scores) == 200
    assert scores["score"].notna().all()


def test_only_chosen_rows_teach_but_all_are_scored(payments_file):
    dataset = ad_core.open_dataset(payments_file, label="is_fraud", id="payment", only=["shop=food"])
    trained = pipeline.train_all(dataset, pipeline.Choice(pretext="isolation_forest"), Silent())

    assert len(trained.scores) == len(dataset)
    assert (dataset.data["shop"][trained.scores["used_for"] != ""] == "food").all()


def test_a_reference_can_be_the_detector(payments_file):
    detector = ad_core.train(ad_core.open_dataset(payments_file, label="is_fraud"), "nearest_neighbours")

    assert detector.info.kind == "reference"
    assert not detector.model.differentiable


def test_a_missing_column_is_named_before_anything_is_scored(trained_on_payments):
    new = pipeline.open_like(trained_on_payments.detector, payments().drop(columns="shop"))

    with pytest.raises(DataError, match="shop"):
        trained_on_payments.detector.score(new)


def test_a_path_that_does_not_exist_says_so(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        pipeline.open_dataset(tmp_path / "nothing.csv")


def test_a_section_that_does_not_exist_is_an_error(payments_file):
    with pytest.raises(SettingsError, match="trainin"):
        ad_core.train(ad_core.open_dataset(payments_file), settings={"trainin": {}})


def test_a_scorer_for_a_method_that_scores_by_itself_is_an_error(payments_file):
    with pytest.raises(MethodError, match="scores by itself"):
        ad_core.train(ad_core.open_dataset(payments_file), "isolation_forest", scorer="gaussian")


def test_too_few_rows_say_what_is_needed():
    with pytest.raises(DataError, match="row"):
        ad_core.train(ad_core.open_dataset(pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [1.0, 5.0, 2.0]})))
