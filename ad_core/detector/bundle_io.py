"""Detectors to bundles and back: which part of a bundle holds what of a detector.

`ad_core.storage.bundle` knows the files and their checksums, this module what is in them. Plug-ins are found again by
their names, so a bundle loads as long as these stay.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pydantic import ValidationError
from torch import Tensor

from ad_core.alerts.calibration import Calibration
from ad_core.alerts.saved_threshold import read_thresholds
from ad_core.data.histograms import ColumnHistogram
from ad_core.data.reader import READERS, Reader
from ad_core.detector.bundle_check import what_does_not_fit
from ad_core.detector.info import DetectorInfo
from ad_core.detector.kept_scores import with_positions
from ad_core.detector.normals import Normals
from ad_core.detector.usual_parts import UsualParts
from ad_core.errors import AdError, BundleError
from ad_core.methods.encoder import EncoderChoice
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.recipe import RECIPES, Recipe
from ad_core.methods.reference import REFERENCES, ReferenceModel
from ad_core.methods.scorer import ScoreModel, TaskModel
from ad_core.methods.watched import Watched
from ad_core.storage import bundle
from ad_core.storage.run_calibration import REVIEW, reviewed
from ad_core.training.fit import build_model
from ad_core.types import ItemShape, Modality

if TYPE_CHECKING:
    from ad_core.detector.detector import Detector

ELSEWHERE = 1e-3
"""Relative tolerance within which a loaded detector must repeat its stored scores: other processors round otherwise."""

NO_ARRAYS = "__none__"
"""Stands in a safetensors file that would be empty, which the format does not allow."""


def write_detector(detector: "Detector", folder: Path) -> None:
    """Write a detector as a bundle; see `ad_core.storage.bundle` for its form.

    Raises:
        BundleError: the folder holds something else than a bundle.
    """
    own = detector.model.model if isinstance(detector.model, Watched) else detector.model
    model_facts, tensors = _model_state(own, detector.recipe)
    reader_facts, reader_arrays = detector.reader.state()
    parts: dict[str, Any] = {
        "reader": {
            "name": detector.reader.name,
            "settings": detector.reader.settings.model_dump(mode="json"),
            "facts": reader_facts,
        },
        "reader_arrays": _or_empty(reader_arrays),
        "model": model_facts,
        "weights": _or_empty(tensors),
        "calibration": detector.calibration.to_frame(),
        "calibration_facts": detector.calibration.facts(),
        "normals": {
            "x": detector.normals.x.numpy(),
            "embeddings": detector.normals.embeddings.numpy(),
            "score": _normal_scores(detector),
        },
        "normal_rows": {"row_ids": detector.normals.row_ids},
    }
    if isinstance(detector.model, Watched):
        parts["watched"] = {"spread": detector.model.spread, "change": detector.model.change}
    if detector.residuals is not None:
        parts["residuals"] = {"quantiles": detector.residuals}
    if detector.out_of_bag is not None:
        parts["out_of_bag"] = detector.out_of_bag
    if detector.usual_parts is not None:
        parts["part_levels"] = detector.usual_parts.arrays()
    if detector.calibration_rows is not None:
        parts["calibration_rows"] = detector.calibration_rows
    if detector.histograms is not None:
        parts["histograms"] = [one.model_dump(mode="json") for one in detector.histograms]
    if detector.thresholds:
        parts["threshold"] = [saved.model_dump(mode="json") for saved in detector.thresholds]
    bundle.write(folder, detector.info.to_facts(), parts)


def read_detector(folder: Path, detector_class: "type[Detector]") -> "Detector":
    """Read a detector from its bundle and check that it still gives the scores that were stored with it.

    Args:
        detector_class: what is made of the parts.

    Raises:
        BundleError: it is damaged, of a newer version, or gives other scores here.
    """
    facts, parts = bundle.read(folder)
    info = _read_info(facts, folder)
    try:
        detector = _detector(info, parts, folder, detector_class)
        scores = _normal_scores(detector)
        same = np.allclose(scores, parts["normals"]["score"], rtol=ELSEWHERE, atol=ELSEWHERE)
        wrong = what_does_not_fit(detector)
    except (KeyError, IndexError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        if isinstance(error, AdError):
            raise
        raise bundle.edited(folder, f"its parts do not fit together ({type(error).__name__}: {error})") from error
    if wrong:
        raise bundle.edited(folder, wrong)
    if not same:
        raise BundleError(
            f"The detector in {folder} gives other scores here than where it was trained. "
            "Train it again with these versions."
        )
    return detector


def _detector(
    info: DetectorInfo, parts: Mapping[str, Any], folder: Path, detector_class: "type[Detector]"
) -> "Detector":
    model, recipe = _restored_model(parts["model"], _without_marker(parts["weights"]), info.modality)
    inner = model
    reader = _restored_reader(parts["reader"], parts["reader_arrays"])
    if "watched" in parts and (limits := reader.limits) is not None:
        own = parts["watched"]
        model = Watched(model, limits, float(own["spread"]), float(own["change"])).eval()
    return detector_class(
        reader=reader,
        model=model,
        calibration=Calibration.from_frame(parts["calibration"], parts["calibration_facts"]),
        normals=Normals(
            torch.from_numpy(parts["normals"]["x"]),
            parts["normal_rows"]["row_ids"],
            torch.from_numpy(parts["normals"]["embeddings"]),
        ),
        info=info,
        residuals=parts["residuals"]["quantiles"] if "residuals" in parts else None,
        out_of_bag=with_positions(parts.get("out_of_bag"), None if recipe is None else recipe.fitted_to(inner)),
        recipe=recipe,
        usual_parts=UsualParts(**parts["part_levels"]) if "part_levels" in parts else None,
        calibration_rows=reviewed(parts.get("calibration_rows"), parts.get(REVIEW)),
        thresholds=read_thresholds(parts.get("threshold"), folder),
        histograms=_histograms(parts.get("histograms"), folder),
    )


def read_reader(folder: Path) -> Reader:
    """The reader of a bundle alone, to compare new data with the training data before the detector is loaded.

    Raises:
        BundleError: the folder is no bundle, or damaged.
    """
    return _restored_reader(bundle.part(folder, "reader"), bundle.part(folder, "reader_arrays") or {})


def _read_info(facts: Mapping[str, Any], folder: Path) -> DetectorInfo:
    try:
        return DetectorInfo.from_facts(facts)
    except ValidationError as error:
        wrong = sorted({".".join(map(str, problem["loc"])) for problem in error.errors(include_url=False)})
        raise BundleError(
            f"The facts of the bundle {folder} are missing or not understood: {', '.join(wrong)}. "
            "Update Anomaly Lens, or export the detector again."
        ) from None


def _histograms(part: Any, folder: Path) -> tuple[ColumnHistogram, ...] | None:
    if part is None:
        return None
    try:
        return tuple(ColumnHistogram.model_validate(one) for one in part)
    except (ValidationError, TypeError):
        raise BundleError(
            f"The histograms in the bundle {folder} are not understood. Update Anomaly Lens, or export the detector "
            "again."
        ) from None


def _normal_scores(detector: "Detector") -> np.ndarray:
    """(at most 32,) scores of the first normals: where a loaded model gives other ones, it behaves differently here."""
    with torch.no_grad():
        return detector.model.score(detector.normals.x[:32].to(detector.device)).double().cpu().numpy()


def _or_empty(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return dict(arrays) or {NO_ARRAYS: np.zeros(1, dtype=np.float32)}


def _without_marker(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: value for name, value in arrays.items() if name != NO_ARRAYS}


def _restored_reader(facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Reader:
    reader_class = READERS.get(facts["name"])
    reader = reader_class(reader_class.Settings.parse(facts["settings"], "reader"))
    reader.restore(facts["facts"], _without_marker(arrays))
    return reader


def _model_state(model: ScoreModel, recipe: Recipe | None) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What a model is rebuilt from: JSON-able facts, and arrays."""
    if recipe is not None:
        facts, arrays = recipe.state(model)
        plain = {name: a.numpy() if isinstance(a, Tensor) else a for name, a in arrays.items()}
        return {
            "kind": "recipe",
            "name": recipe.name,
            "settings": recipe.settings.model_dump(mode="json"),
            "seed": recipe.seed,
            "facts": facts,
        }, plain
    if isinstance(model, ReferenceModel):
        reference = model.reference
        settings = reference.settings.model_dump(mode="json")
        return {"kind": "reference", "name": reference.name, "settings": settings, "seed": reference.seed}, {
            "rows": model.rows
        }
    if isinstance(model, TaskModel):
        facts = {
            "kind": "pretext",
            "name": model.task.name,
            "settings": model.task.settings.model_dump(mode="json"),
            "scorer": model.scorer.name,
            "scorer_settings": model.scorer.settings.model_dump(mode="json"),
            "shape": model.task.shape.model_dump(mode="json"),
            "encoder": EncoderChoice.of(model.task.encoder).model_dump(mode="json"),
        }
        return facts, {name: value.detach().cpu().numpy() for name, value in model.state_dict().items()}
    raise TypeError(f"{type(model)} can't be put in a bundle")


def _restored_model(
    facts: dict[str, Any], arrays: dict[str, np.ndarray], modality: Modality
) -> tuple[ScoreModel, Recipe | None]:
    """The inverse of `_model_state`; a setting that an older bundle does not name has its value of then (`before`)."""
    if facts["kind"] == "recipe":
        recipe_class = RECIPES.get(facts["name"])
        recipe = recipe_class(recipe_class.Settings.parse(facts["settings"], "pretext"), facts["seed"])
        return recipe.restore(facts["facts"], arrays), recipe
    if facts["kind"] == "reference":
        reference_class = REFERENCES.get(facts["name"])
        reference = reference_class(reference_class.Settings.parse(facts["settings"], "pretext"), facts["seed"])
        return ReferenceModel(reference, modality, arrays["rows"]), None
    shape = ItemShape.model_validate(facts["shape"])
    encoder = EncoderChoice.model_validate(facts["encoder"]) if "encoder" in facts else None
    settings = {**PRETEXTS.get(facts["name"]).before, **facts["settings"]}
    model = build_model(facts["name"], facts["scorer"], shape, settings, facts["scorer_settings"], encoder)
    model.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in arrays.items()})
    return model.eval(), None
