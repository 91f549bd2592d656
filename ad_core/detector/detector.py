"""A detector: a fitted reader, a fitted model and its calibration. It scores data sets and is saved as a bundle."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from ad_core.alerts.calibration import Calibration
from ad_core.alerts.saved_threshold import SavedThreshold
from ad_core.data.dataset import Dataset
from ad_core.data.histograms import ColumnHistogram
from ad_core.data.item_set import ItemSet
from ad_core.data.opening import open_as
from ad_core.data.reader import Reader
from ad_core.data.row_content import by_id, known_rows
from ad_core.detector.bundle_io import ELSEWHERE, read_detector, write_detector
from ad_core.detector.info import DetectorInfo
from ad_core.detector.kept_scores import by_id_alone, keeping, positions_of
from ad_core.detector.normals import Normals
from ad_core.detector.usual_parts import UsualParts
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.recipe import Recipe
from ad_core.methods.scorer import ScoreModel
from ad_core.progress import Report, Silent
from ad_core.training.fit import score_items
from ad_core.types import Modality

if TYPE_CHECKING:
    from ad_core.alerts.threshold import Alerts, Rule
    from ad_core.detector.drift_gate import Gate
    from ad_core.detector.stream import Stream


@dataclass
class Detector:
    """The result of a training.

    `score` gives one line per input row; explanations and maps are made from `reader`, `model` and `normals`.
    """

    reader: Reader
    model: ScoreModel
    calibration: Calibration
    normals: Normals
    info: DetectorInfo
    residuals: np.ndarray | None = None
    """(2, feature): 5 % and 95 % quantile of actual minus expected on held-out rows, for tables whose model predicts.
    """
    out_of_bag: pd.DataFrame | None = None
    """Scores of training rows by models that were not fitted to them, as `kept_scores` gives them. Such a row keeps
    this score when it is scored again with the same values.
    """
    recipe: Recipe | None = None
    """The recipe that built the model, where one did."""
    usual_parts: UsualParts | None = None
    """The usual part scores of each channel of recordings; see `leading_channels`."""
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    calibration_rows: pd.DataFrame | None = None
    """All rows of the first calibration, those left out later among them; see `calibration_rows.of_items`. None in
    older bundles.
    """
    thresholds: tuple[SavedThreshold, ...] = ()
    """Every rule for alerts that was ever saved, oldest first."""
    histograms: tuple[ColumnHistogram, ...] | None = None
    """Of the training rows' columns, with which new data are compared; None for images and in older bundles."""

    @property
    def threshold(self) -> "Rule | None":
        """The rule for alerts that was saved last; None while nobody has saved one."""
        return self.thresholds[-1].rule if self.thresholds else None

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
        return self.info.modality

    def to(self, device: str | torch.device) -> "Detector":
        """Move the model; the rest stays in main memory."""
        self.device = torch.device(device)
        if isinstance(self.model, nn.Module):
            self.model.to(self.device)
        return self

    def open(self, sources: Any, also: Mapping[str, Any] | None = None, *, allow_missing: bool = False) -> Dataset:
        """Open new data with the roles and kinds that the training data had.

        A value that the training data did not have is no reason to refuse: it is scored, and `score` names it.

        Args:
            sources: a path, several, or a data frame.
            also: declarations for the new data; their label and entity columns take precedence.
            allow_missing: whether columns that the detector uses may be missing, empty, or unreadable: they are filled
                in from similar training rows, and only the other columns are scored.

        Raises:
            DataError: the data can't be read, or are of another kind than the detector's.
        """
        return open_as(self.info.declared, sources, also, allow_missing=allow_missing)

    def item_set(self, dataset: Dataset, report: Report | None = None) -> ItemSet:
        """Items of a data set, prepared as in training; differences from the training data are reported.

        Raises:
            DataError: the data lack what the detector needs.
        """
        for sentence in self.match(dataset):
            (report or Silent()).say(sentence)
        return self.matched_items(dataset)

    def matched_items(self, dataset: Dataset) -> ItemSet:
        """Items of a data set that was compared with the training data before, by `reader.match`.

        Parts of which the data hold no value are filled in from similar training items.
        """
        return self.reader.item_set(dataset).filled_in(self.normals.x)

    def match(self, dataset: Dataset) -> list[str]:
        """What the analyst should know before these data are scored: how they differ from the training data, and where
        ids alone decide.

        Raises:
            DataError: the data lack what the detector needs.
        """
        is_new = dataset.fingerprint != self.info.data.fingerprint
        return [*self.reader.match(dataset), *(by_id_alone(self.out_of_bag, dataset) if is_new else [])]

    def score(self, dataset: Dataset, report: Report | None = None) -> pd.DataFrame:
        """Score every row.

        Returns:
            One line per input row in input order: `row_id`, `entity` and `time` where they exist, `score`,
            `percentile` (0..100 among calibration rows), `p_value`, `note` (why there is no score, else ""), `excluded`
            where times were excluded, extras.

        Raises:
            DataError: the data lack what the detector needs.
        """
        item_set = self.item_set(dataset, report)
        return self.scored_rows(item_set, self.item_scores(item_set, report))

    def item_scores(self, item_set: ItemSet, report: Report | None = None) -> np.ndarray:
        """Scores of all items, as returned by `training.fit.score_items`."""
        return score_items(self.model, item_set, np.arange(len(item_set)), device=self.device, report=report)

    def scored_rows(self, item_set: ItemSet, item_scores: np.ndarray) -> pd.DataFrame:
        """Scores of rows from scores of items, calibrated; columns as in `score`."""
        score = item_set.reduce(item_scores)
        if self.out_of_bag is not None and len(self.out_of_bag):
            kept = keeping(self.out_of_bag, item_set)
            score = np.where(kept >= 0, self.out_of_bag["score"].to_numpy(np.float64)[kept], score)
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

    def sources(self, item_set: ItemSet, index: np.ndarray) -> SourceItems:
        """Items as the sources of changed copies, so that the model scores copies as it scored the items themselves.

        Args:
            index: (k,) positions in the item set.
        """
        positions = torch.from_numpy(positions_of(self.out_of_bag, item_set, index))
        return SourceItems.each(item_set.take(index).to(self.device), positions.to(self.device))

    def alerts(self, scores: pd.DataFrame, dataset: Dataset) -> "Alerts":
        """The alerts among the scores of a data set, by the rule in force.

        Args:
            scores: as `score` gives them. Training rows are outside every guarantee: those marked in a column
                `used_for`, or without it those that `used_in_training` finds. So are rows with a text in a column
                `withdrawn`, or without it those that the drift check `compared` finds.
            dataset: that they are of.

        Raises:
            DataError: the rule has a segment that is not known of these rows.
        """
        from ad_core.alerts.threshold import apply

        rows, unchecked = self.marked(scores, dataset), False
        if "withdrawn" not in rows and (rows["used_for"] == "").any():
            found = self.compared(rows, dataset)
            rows, unchecked = rows.assign(withdrawn=found.withdrawn), found.state == "unknown"
        alerts = apply(self.rule, rows, self.calibration, self.calibration_rows)
        return alerts.without_drift_check() if unchecked else alerts

    def compared(self, scores: pd.DataFrame, dataset: Dataset, item_set: ItemSet | None = None) -> "Gate":
        """How new data and their scores compare with the training data and the calibration: the drift check.

        Args:
            scores: as `score` gives them.
            item_set: of the data set, where it is known already.
        """
        from ad_core.detector.drift import gate

        return gate(self, dataset, self.marked(scores, dataset), item_set or self.reader.item_set(dataset))

    def marked(self, scores: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
        """Scores with the column `used_for`, which marks training rows; as they are where they have it."""
        if "used_for" in scores:
            return scores
        return scores.assign(used_for=np.where(self.used_in_training(scores, dataset), "fit", ""))

    def used_in_training(self, scores: pd.DataFrame, dataset: Dataset) -> np.ndarray:
        """(rows,) bool: rows that trained or calibrated the detector, as far as it knows.

        These are all rows of the very data that it was trained on, and rows with the id, the score and the values of a
        calibration row or of a row with an out-of-bag score; bundles of older versions don't know the values.
        """
        if dataset.fingerprint == self.info.data.fingerprint:
            return np.ones(len(scores), dtype=bool)
        used, item_set = np.zeros(len(scores), dtype=bool), None
        place = pd.Index(dataset.rows["row_id"]).get_indexer(scores["row_id"])  # scores may be of some rows only
        for rows in (self.calibration_rows, self.out_of_bag):
            if rows is None or not len(rows):
                continue
            at, theirs = np.where(place < 0, -1, by_id(rows, dataset.rows)[place]), rows["score"].to_numpy(np.float64)
            alike = np.isclose(theirs[at], scores["score"].to_numpy(np.float64), rtol=ELSEWHERE) & (at >= 0) & ~used
            if alike.any():  # only then the data are prepared once more, to compare their values
                item_set = self.reader.item_set(dataset) if item_set is None else item_set
                used |= alike & (known_rows(rows, item_set)[place] >= 0)
        return used

    def stream(self, gap_s: float | None = None, together: int = 1) -> "Stream":
        """Score a recording while it is made: see `ad_core.detector.stream`.

        Args:
            gap_s: a longer interval between two ticks ends a contiguous segment [s]; None = as in training.
            together: number of windows that are scored at once. More are faster, and delay a score by one stride for
                each window after the first.

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
        """Write the detector as a bundle; see `ad_core.storage.bundle` for its form.

        Raises:
            BundleError: the folder holds something else than a bundle.
        """
        write_detector(self, Path(folder))
        return Path(folder)

    @classmethod
    def load(cls, folder: str | Path) -> "Detector":
        """Read a bundle and check that it still gives the scores that were stored with it.

        Raises:
            BundleError: it is damaged, of a newer version, or gives other scores here.
        """
        return read_detector(Path(folder), cls)
