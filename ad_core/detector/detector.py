"""A detector: a fitted reader, a fitted model and its calibration. It scores files and travels as a bundle."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from ad_core.alerts.calibration import Calibration
from ad_core.data.dataset import Dataset
from ad_core.data.item_set import ItemSet
from ad_core.data.reader import READERS, Reader
from ad_core.errors import BundleError
from ad_core.methods.encoder import EncoderChoice
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.recipe import RECIPES, Recipe
from ad_core.methods.reference import REFERENCES, ReferenceModel
from ad_core.methods.scorer import ScoreModel, TaskModel
from ad_core.progress import Report, Silent
from ad_core.storage import bundle
from ad_core.training.fit import build_model, score_items
from ad_core.types import ItemShape, Modality

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ad_core.alerts.threshold import Alerts, Rule
    from ad_core.detector.stream import Stream

ELSEWHERE = 1e-3
"""Relative tolerance within which a loaded detector must repeat its stored scores: another processor rounds otherwise.
"""


@dataclass
class Normals:
    """A sample of the training items: neighbours and baselines of explanations come from it."""

    x: Tensor
    """(m, *item) float32."""
    row_ids: list[str]
    embeddings: Tensor
    """(m, d); for models without an embedding the flat items."""


@dataclass
class Detector:
    """What a training ends in.

    `score` gives one line per input row; `frame`, `model` and `normals` are what explanations and maps are made from.
    """

    reader: Reader
    model: ScoreModel
    calibration: Calibration
    normals: Normals
    facts: dict[str, Any]
    """method, kind, scorer, preset, seed, settings, modality, data (name, rows, fingerprint), versions, created,
    notices, training.
    """
    residuals: np.ndarray | None = None
    """(2, feature): 5 % and 95 % quantile of actual minus expected on held-out rows, for tables whose model predicts.
    """
    out_of_bag: pd.DataFrame | None = None
    """`row_id`, `score` of training rows, by members that did not see them; used when such a row is scored again."""
    recipe: Recipe | None = None
    part_levels: np.ndarray | None = None
    """(channel,) 99 % level of each channel's part scores, of recordings; see `event_leads`."""
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    calibration_rows: pd.DataFrame | None = None
    """See `calibration_rows.of_items`: all that calibrated at first, also those that were left out later. None in older
    bundles.
    """
    thresholds: list[dict[str, Any]] = field(default_factory=list)
    """Every rule that was ever saved, oldest first: `rule`, `name`, `reason`, `author`, `created`."""

    @property
    def threshold(self) -> "Rule | None":
        """The newest saved rule; None while nobody has saved one."""
        from ad_core.alerts.threshold import Rule

        return Rule.parse(self.thresholds[-1]["rule"], "threshold") if self.thresholds else None

    @property
    def rule(self) -> "Rule":
        """The rule in force, which decides alerts and events: the saved one, else the default."""
        from ad_core.alerts.rule import rule_in_force

        return rule_in_force(self.threshold, self.calibration.smallest_p)

    def rule_in_words(self) -> str:
        """One sentence: which rule is in force, and whether it was saved or is the default."""
        from ad_core.alerts.rule import in_force_in_words

        return in_force_in_words(self.rule, is_saved=self.threshold is not None)

    @property
    def modality(self) -> Modality:
        """Kind of data that it takes."""
        return Modality(self.facts["modality"])

    def to(self, device: str | torch.device) -> "Detector":
        """Move the model; the rest stays in main memory."""
        self.device = torch.device(device)
        if isinstance(self.model, nn.Module):
            self.model.to(self.device)
        return self

    def item_set(self, dataset: Dataset, report: Report | None = None) -> ItemSet:
        """Items of a data set, prepared as in training; what differs from it is said.

        Raises:
            DataError: the data don't fit what was learnt from.
        """
        for sentence in self.reader.match(dataset):
            (report or Silent()).say(sentence)
        return self.reader.item_set(dataset)

    def score(self, dataset: Dataset, report: Report | None = None) -> pd.DataFrame:
        """Score every row.

        Returns:
            One line per input row in input order: `row_id`, `entity` and `time` where they exist, `score`,
            `percentile` (0..100 among calibration rows), `p_value`, `note` (why there is no score, else ""), `excluded`
            where times were excluded, extras.

        Raises:
            DataError: the data don't fit what was learnt from.
        """
        item_set = self.item_set(dataset, report)
        scores = score_items(self.model, item_set, np.arange(len(item_set)), device=self.device, report=report)
        return self.scored_rows(item_set, scores)

    def scored_rows(self, item_set: ItemSet, item_scores: np.ndarray) -> pd.DataFrame:
        """Lead item scores back to rows and calibrate them; columns as in `score`."""
        score = item_set.reduce(item_scores)
        if self.out_of_bag is not None:
            kept = item_set.rows["row_id"].map(self.out_of_bag.set_index("row_id")["score"]).to_numpy(np.float64)
            score = np.where(np.isnan(kept), score, kept)
        table = item_set.rows[[c for c in ("row_id", "entity", "time") if c in item_set.rows]].copy()
        table["score"] = score
        table["percentile"] = self.calibration.percentile(score)
        table["p_value"] = self.calibration.p_value(score)
        note = item_set.rows["note"].to_numpy(dtype=object)
        table["note"] = np.where(
            np.isnan(score) & (note == ""), "No score: the row is not part of any complete item.", note
        )
        if "excluded" in item_set.rows:
            table["excluded"] = item_set.rows["excluded"].to_numpy()
        for name, values in self._extras(item_set).items():
            table[name] = item_set.reduce(values)
        return table.reset_index(drop=True)

    def alerts(self, scores: pd.DataFrame, dataset: Dataset) -> "Alerts":
        """The alerts among the scores of a data set, by the rule in force.

        Args:
            scores: as `score` gives them. Training rows are outside every guarantee: those marked in a column
                `used_for`, or without it those that `used_in_training` finds.
            dataset: that they are of.

        Raises:
            DataError: the rule has a segment that is not known of these rows.
        """
        from ad_core.alerts.threshold import apply

        return apply(self.rule, self.marked(scores, dataset), self.calibration, self.calibration_rows)

    def marked(self, scores: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
        """Scores with the column `used_for`, which marks training rows; as they are where they have it."""
        if "used_for" in scores:
            return scores
        return scores.assign(used_for=np.where(self.used_in_training(scores, dataset), "fit", ""))

    def used_in_training(self, scores: pd.DataFrame, dataset: Dataset) -> np.ndarray:
        """(rows,) bool: training rows the model or calibrate it, as far as the detector knows: those of the very
        file that it learnt from, and those with the id and the score of a calibration row.
        """
        if dataset.fingerprint == self.facts["data"]["fingerprint"]:
            return np.ones(len(scores), dtype=bool)
        known = [rows for rows in (self.calibration_rows, self.out_of_bag) if rows is not None]
        taught = np.zeros(len(scores), dtype=bool)
        for rows in known:
            theirs = scores["row_id"].map(rows.set_index("row_id")["score"]).to_numpy(dtype=np.float64)
            taught |= np.isclose(theirs, scores["score"].to_numpy(dtype=np.float64), rtol=ELSEWHERE)
        return taught

    def stream(self, gap_s: float | None = None, together: int = 1) -> "Stream":
        """Score a recording while it is made: see `ad_core.detector.stream`.

        Args:
            gap_s: a longer interval between two ticks ends a stretch [s]; None = as in the recordings learnt from.
            together: so many windows are scored at once, which is faster, and later by all but one of their strides.

        Raises:
            DataError: the detector is not one of recordings.
        """
        from ad_core.detector.stream import Stream

        return Stream(self, gap_s, together)

    def _extras(self, item_set: ItemSet) -> dict[str, np.ndarray]:
        found: dict[str, list[np.ndarray]] = {}
        with torch.no_grad():
            for batch in item_set.batches(np.arange(len(item_set)), item_set.items_at_a_time):
                extras = self.model.extras(batch.x.to(self.device))
                if not extras:
                    return {}
                for name, values in extras.items():
                    found.setdefault(name, []).append(values.double().cpu().numpy())
        return {name: np.concatenate(values) for name, values in found.items()}

    def save(self, folder: str | Path) -> Path:
        """Write the bundle; see `ad_core.storage.bundle` for its form."""
        model_facts, tensors = _model_state(self.model, self.recipe)
        reader_facts, reader_arrays = self.reader.state()
        parts: dict[str, Any] = {
            "reader": {
                "name": self.reader.name,
                "settings": self.reader.settings.model_dump(mode="json"),
                "facts": reader_facts,
            },
            "reader_arrays": _or_empty(reader_arrays),
            "model": model_facts,
            "weights": _or_empty(tensors),
            "calibration": self.calibration.to_frame(),
            "calibration_facts": self.calibration.facts(),
            "normals": {
                "x": self.normals.x.numpy(),
                "embeddings": self.normals.embeddings.numpy(),
                "score": self._normal_scores(),
            },
            "normal_rows": {"row_ids": self.normals.row_ids},
        }
        if self.residuals is not None:
            parts["residuals"] = {"quantiles": self.residuals}
        if self.out_of_bag is not None:
            parts["out_of_bag"] = self.out_of_bag
        if self.part_levels is not None:
            parts["part_levels"] = {"levels": self.part_levels}
        if self.calibration_rows is not None:
            parts["calibration_rows"] = self.calibration_rows
        if self.thresholds:
            parts["threshold"] = self.thresholds
        bundle.write(Path(folder), self.facts, parts)
        return Path(folder)

    @classmethod
    def load(cls, folder: str | Path) -> "Detector":
        """Read a bundle and check that it still gives the scores that were stored with it.

        Raises:
            BundleError: it is damaged, of a newer format, or gives other scores here.
        """
        facts, parts = bundle.read(Path(folder))
        reader_class = READERS.get(parts["reader"]["name"])
        reader = reader_class(reader_class.Settings.parse(parts["reader"]["settings"], "reader"))
        reader.restore(parts["reader"]["facts"], _without_marker(parts["reader_arrays"]))
        model, recipe = _restored_model(parts["model"], _without_marker(parts["weights"]), Modality(facts["modality"]))
        normals = Normals(
            torch.from_numpy(parts["normals"]["x"]),
            parts["normal_rows"]["row_ids"],
            torch.from_numpy(parts["normals"]["embeddings"]),
        )
        detector = cls(
            reader,
            model,
            Calibration.from_frame(parts["calibration"], parts["calibration_facts"]),
            normals,
            facts,
            parts["residuals"]["quantiles"] if "residuals" in parts else None,
            parts.get("out_of_bag"),
            recipe,
            parts["part_levels"]["levels"] if "part_levels" in parts else None,
            calibration_rows=parts.get("calibration_rows"),
            thresholds=parts.get("threshold") or [],
        )
        if not np.allclose(detector._normal_scores(), parts["normals"]["score"], rtol=ELSEWHERE, atol=ELSEWHERE):
            raise BundleError(
                f"The detector in {folder} gives other scores here than where it was trained. "
                "Train it again with these versions."
            )
        return detector

    def _normal_scores(self) -> np.ndarray:
        """(at most 32,) scores of the first normals, stored to notice a model that behaves differently elsewhere."""
        with torch.no_grad():
            return self.model.score(self.normals.x[:32].to(self.device)).double().cpu().numpy()


def _or_empty(arrays: "Mapping[str, np.ndarray]") -> dict[str, np.ndarray]:
    """A safetensors file needs one tensor at least."""
    return dict(arrays) or {"__none__": np.zeros(1, dtype=np.float32)}


def _without_marker(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: value for name, value in arrays.items() if name != "__none__"}


def _model_state(model: ScoreModel, recipe: Recipe | None) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
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
