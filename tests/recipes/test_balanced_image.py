"""Balanced for images: it finds damage and other objects, and its file gives the same scores."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from ad_core.detector.detector import Detector
from ad_core.errors import BundleError
from ad_core.pipeline import Trained, open_dataset, train_all
from ad_core.progress import Silent
from ad_core.storage import bundle
from ad_core.training.choice import Choice

QUICK = {"steps": 60, "copies": 64}


def parts(folder: Path, count: int = 48, seed: int = 0) -> Path:
    """Rings on a rough ground; twelve of the test images are scratched, twelve show squares."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:64, :64]
    for n in range(count + 36):
        dx, dy, radius = random.uniform(-4, 4), random.uniform(-4, 4), random.uniform(17, 20)
        distance = np.hypot(y - 32 - dy, x - 32 - dx)
        if n >= count + 24:
            distance = np.maximum(np.abs(y - 32 - dy), np.abs(x - 32 - dx))
        image = np.where(np.abs(distance - radius) < 4, 190.0, 90.0) + random.normal(0, 6, (64, 64))
        if count + 12 <= n < count + 24:
            at = random.integers(12, 40)
            image[at : at + 14, at + 3 : at + 5] = 20
        kind = "train/good" if n < count else ("good", "scratch", "square")[(n - count) // 12]
        file = folder / kind / f"{n:03d}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(file)
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = parts(tmp_path_factory.mktemp("parts"))

    @cache
    def train(question: str = "unsure", features: str = "imagenet", steps: int = 60) -> Trained:
        dataset = open_dataset(folder, modality="image", only=["folder=train"])
        settings = {"pretext": {**QUICK, "question": question, "features": features, "steps": steps}}
        return train_all(dataset, Choice(settings=settings), Silent(), references=False)

    return train


def auroc(result: Trained, kind: str) -> float:
    names = result.scores["row_id"]
    judged = names.str.startswith((f"{kind}/", "good/"))
    return float(roc_auc_score(names[judged].str.startswith(kind), result.scores["score"][judged]))


def test_it_is_the_default_for_images_and_small_images_are_enlarged_to_96_pixels(trained):
    detector = trained().detector

    assert detector.info.method == "balanced"
    assert detector.reader.shape.size == (1, 96, 96)


def test_small_damage_is_found_and_where(trained):
    result = trained("defect")

    assert auroc(result, "scratch") > 0.95
    row = result.scores.index[result.scores["row_id"].str.startswith("scratch/")][3]
    image = result.item_set.take(np.array([row]))
    map_ = result.detector.model.part_scores(image)[0].detach().numpy()
    dark = image[0, 0].numpy() < 0.2
    assert map_[dark].mean() > np.quantile(map_, 0.9)


def test_another_object_is_found(trained):
    assert auroc(trained("object"), "square") > 0.95


def test_who_is_not_sure_finds_both(trained):
    assert auroc(trained(), "scratch") > 0.9
    assert auroc(trained(), "square") > 0.9


def test_without_weights_from_elsewhere_it_learns_from_these_images_alone(trained):
    result = trained("defect", "own", 100)

    assert auroc(result, "scratch") > 0.8
    usual = result.item_set.take(result.split.fit)
    assert result.detector.model.features(usual)[0].std() == pytest.approx(1, abs=0.2)  # filters know their scale
    assert not any("ImageNet" in notice for notice in result.detector.info.notices)


def test_the_filters_scale_comes_from_images_of_every_folder(tmp_path):
    """The first folder by name holds blank images only, more than the scale is learnt from."""
    random = np.random.default_rng(0)
    for n in range(160):
        image = np.full((32, 32), 100.0) if n < 80 else random.normal(100, 30, (32, 32))
        file = tmp_path / ("a" if n < 80 else "b") / f"{n}.png"
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(file)
    settings = {"pretext": {"question": "object", "features": "own"}}

    result = train_all(open_dataset(tmp_path), Choice(training_rows="clean", settings=settings), Silent())

    every = result.detector.model.features(result.item_set.take(result.split.fit))[0]
    assert every.std() == pytest.approx(1, abs=0.2)


def test_a_detector_whose_features_were_learnt_otherwise_asks_for_a_new_training(trained, tmp_path):
    folder = trained("object", "own", 60).detector.save(tmp_path / "bundle")
    _, parts = bundle.read(folder)
    arrays = {name: part for name, part in parts.items() if isinstance(part, dict) and "backbone.centre" in part}
    ((stem, old),) = arrays.items()
    bundle.change(folder, {stem: {name: value for name, value in old.items() if "backbone" not in name}})

    with pytest.raises(BundleError, match="Train it again"):
        Detector.load(folder)


@pytest.mark.parametrize(("question", "features"), [("unsure", "imagenet"), ("object", "own")])
def test_the_bundle_gives_the_same_scores(trained, tmp_path, question, features):
    result = trained(question, features, 60)

    loaded = Detector.load(result.detector.save(tmp_path / "bundle"))

    x = result.item_set.take(np.arange(5))
    np.testing.assert_allclose(
        loaded.model.score(x).detach(), result.detector.model.score(x).detach(), rtol=1e-5, atol=1e-6
    )


def test_rows_that_calibrate_did_not_teach(trained):
    result = trained()

    used = result.scores.set_index("row_id")["used_for"]
    assert set(used) == {"fit", "early_stop", "calibration", ""}
    p = result.scores.loc[result.scores["used_for"] == "calibration", "p_value"]
    assert 0.3 < p.mean() < 0.75


def test_twenty_images_are_enough_to_be_useful(tmp_path):
    folder = parts(tmp_path, count=20)
    dataset = open_dataset(folder, modality="image", only=["folder=train"])

    result = train_all(dataset, Choice(settings={"pretext": QUICK}), Silent(), references=False)

    assert auroc(result, "scratch") > 0.8
    assert auroc(result, "square") > 0.8


@pytest.mark.parametrize("question", ["unsure", "object"])
def test_among_equal_images_the_one_that_differs_stands_out(tmp_path, question):
    image = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    for n in range(30):  # the same pixels in files that differ
        Image.fromarray(image).save(tmp_path / f"{n:02d}.png", compress_level=n % 10)
    image[20:30, 20:30] = 0
    Image.fromarray(image).save(tmp_path / "other.png")
    settings = {"pretext": {"steps": 20, "copies": 16, "question": question}}

    scores = train_all(open_dataset(tmp_path), Choice(settings=settings), Silent(), references=False).scores

    assert np.isfinite(scores["score"]).all()
    assert scores["row_id"][scores["score"].idxmax()] == "other.png"
