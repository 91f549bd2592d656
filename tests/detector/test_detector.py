"""A bundle gives the same scores wherever it is loaded, and notices when it can't."""

import shutil

import numpy as np
import pytest

from ad_core import pipeline
from ad_core.detector.detector import Detector
from ad_core.detector.events import find_events
from ad_core.errors import BundleError
from ad_core.progress import Silent
from ad_core.storage import bundle
from tests.contracts.checkpoint import write_checkpoint


@pytest.mark.parametrize("kind", ["payments", "recording", "plates"])
def test_a_loaded_detector_gives_the_same_scores(kind, request, tmp_path):
    trained = request.getfixturevalue(f"trained_on_{kind}")
    source = request.getfixturevalue({"plates": "plates_folder"}.get(kind, f"{kind}_file"))

    loaded = Detector.load(trained.detector.save(tmp_path / "bundle"))
    again = loaded.score(pipeline.open_like(loaded, source))

    np.testing.assert_allclose(again["score"], trained.scores["score"], rtol=1e-5)
    np.testing.assert_allclose(again["percentile"], trained.scores["percentile"])


@pytest.mark.parametrize("scorer", ["nearest_normals", "gaussian"])
def test_scorers_with_statistics_of_their_own_travel_along(scorer, payments_file, tmp_path):
    dataset = pipeline.open_dataset(payments_file, label="is_fraud", id="payment")
    choice = pipeline.Choice(pretext="autoencoder", scorer=scorer, settings={"training": {"max_steps": 20}})
    trained = pipeline.train_all(dataset, choice, Silent())

    loaded = Detector.load(trained.detector.save(tmp_path / "bundle"))

    np.testing.assert_allclose(loaded.score(dataset)["score"], trained.scores["score"], rtol=1e-5)


@pytest.fixture(scope="module")
def seen_through_imagenet(plates_folder):
    choice = pipeline.Choice(
        pretext="autoencoder",
        preset="quick",
        settings={
            "training": {"max_steps": 3},
            "encoder": {"name": "efficientnet_lite0"},
            "reader": {"size": 32},
            "pretext": {"similarity": 0.0},
        },
    )
    return pipeline.train_all(pipeline.open_dataset(plates_folder), choice, Silent(), references=False)


def test_a_chosen_encoder_travels_along(seen_through_imagenet, tmp_path):
    loaded = Detector.load(seen_through_imagenet.detector.save(tmp_path / "bundle"))

    assert loaded.model.task.encoder.name == "efficientnet_lite0"
    assert any("ImageNet" in notice for notice in loaded.info.notices)


def test_a_bundle_that_names_neither_encoder_nor_weight_of_structure_loads_as_it_was(plates_folder, tmp_path):
    """Both came later: the encoder was the task's own, and images were compared pixel by pixel."""
    settings = {"training": {"max_steps": 3}, "reader": {"size": 32}, "pretext": {"similarity": 0.0}}
    choice = pipeline.Choice(pretext="autoencoder", preset="quick", settings=settings)
    trained = pipeline.train_all(pipeline.open_dataset(plates_folder), choice, Silent(), references=False)
    folder = trained.detector.save(tmp_path / "bundle")
    facts, parts = bundle.read(folder)
    del parts["model"]["encoder"], parts["model"]["settings"]["similarity"]
    bundle.write(folder, facts, parts)

    loaded = Detector.load(folder)

    assert loaded.model.task.encoder.name == "residual_image"
    assert loaded.model.task.settings.similarity == 0


def test_a_vision_transformer_needs_its_folder_only_once(plates_folder, tmp_path):
    checkpoint = tmp_path / "checkpoint"
    write_checkpoint(checkpoint)
    settings = {
        "training": {"max_steps": 3},
        "reader": {"size": 32},
        "encoder": {"name": "vision_transformer", "folder": str(checkpoint)},
    }
    dataset = pipeline.open_dataset(plates_folder)
    choice = pipeline.Choice(pretext="rotation", scorer="nearest_normals", preset="quick", settings=settings)
    trained = pipeline.train_all(dataset, choice, Silent(), references=False)
    folder = trained.detector.save(tmp_path / "bundle")
    shutil.rmtree(checkpoint)

    loaded = Detector.load(folder)

    np.testing.assert_allclose(loaded.score(dataset)["score"], trained.scores["score"], rtol=1e-5)


def test_a_reference_is_fitted_again_from_its_rows(payments_file, tmp_path):
    dataset = pipeline.open_dataset(payments_file, label="is_fraud", id="payment")
    trained = pipeline.train_all(dataset, pipeline.Choice(pretext="isolation_forest"), Silent())

    loaded = Detector.load(trained.detector.save(tmp_path / "bundle"))

    np.testing.assert_allclose(loaded.score(dataset)["score"], trained.scores["score"], rtol=1e-5)


def test_weights_that_give_other_scores_are_noticed_even_with_right_checksums(trained_on_payments, tmp_path):
    folder = trained_on_payments.detector.save(tmp_path / "bundle")
    facts, parts = bundle.read(folder)
    parts["weights"] = {name: value * 1.5 for name, value in parts["weights"].items()}
    bundle.write(folder, facts, parts)

    with pytest.raises(BundleError, match="other scores"):
        Detector.load(folder)


def test_the_bundle_remembers_how_it_came_about(trained_on_payments, tmp_path):
    info = Detector.load(trained_on_payments.detector.save(tmp_path / "bundle")).info

    assert info == trained_on_payments.detector.info
    assert (info.method, info.kind, info.scorer, info.modality) == ("masked_cells", "pretext", "own_score", "table")
    assert info.data.rows == 300
    assert len(info.data.fingerprint) == 64
    assert info.declared.label == "is_fraud"
    assert info.split.fit == len(trained_on_payments.split.fit)
    assert 0 < info.training["steps"] <= 60
    assert "notices" not in info.training  # they stand beside those of the data
    assert "torch" in info.versions


def test_facts_of_another_version_are_kept_when_a_bundle_is_saved_again(trained_on_payments, tmp_path):
    folder = trained_on_payments.detector.save(tmp_path / "bundle")
    facts, parts = bundle.read(folder)
    bundle.write(folder, {**facts, "site": {"country": "NL"}}, parts)

    loaded = Detector.load(folder)
    again, _ = bundle.read(loaded.save(tmp_path / "again"))

    assert loaded.info.more == {"site": {"country": "NL"}}
    assert again == {**facts, "site": {"country": "NL"}}


def test_facts_that_are_missing_or_not_understood_are_named(trained_on_payments, tmp_path):
    folder = trained_on_payments.detector.save(tmp_path / "bundle")
    facts, parts = bundle.read(folder)
    del facts["method"]
    bundle.write(folder, {**facts, "modality": "sound"}, parts)

    with pytest.raises(BundleError, match=r"facts .* not understood: method, modality\. Update"):
        Detector.load(folder)


def test_a_bundle_of_format_1_still_scores_and_streams(trained_on_recording, recording_file, tmp_path, monkeypatch):
    """It knew neither gaps nor scales of entities nor shared channels nor usual levels, and fewer settings."""
    folder = trained_on_recording.detector.save(tmp_path / "bundle")
    facts, parts = bundle.read(folder)
    for name in ("gap_s", "shared", "entities"):
        del parts["reader"]["facts"][name]
    for name in ("resample", "scale_per_entity", "merge_windows"):
        del parts["reader"]["settings"][name]
    del parts["part_levels"], facts["declared"]["exclude"]
    monkeypatch.setattr(bundle, "FORMAT", 1)
    bundle.write(folder, facts, parts)
    monkeypatch.undo()

    old = Detector.load(folder)
    data = pipeline.open_like(old, recording_file)
    scores = old.score(data)
    final = [answer for answer in old.stream().push_table(data.data).itertuples() if answer.is_final]

    np.testing.assert_allclose(scores["score"], trained_on_recording.scores["score"], rtol=1e-5)
    assert old.reader.gap_s == 5.0
    assert len(final) > 1000
    assert "leads" not in find_events(old, scores, old.item_set(data), old.alerts(scores, data))
