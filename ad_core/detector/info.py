"""What a detector remembers of how it came about: method, data, settings, versions."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from ad_core.data.dataset import Declared
from ad_core.types import MethodKind, Modality, TrainingRows


class TrainingData(BaseModel):
    """Which data a detector was trained on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    rows: int
    fingerprint: str
    """See `Dataset.fingerprint`."""


class SplitSizes(BaseModel):
    """Number of items in each part of the split."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fit: int
    early_stop: int
    calibration: int


class DetectorInfo(BaseModel):
    """How a detector came about; the `facts` of its bundle and of the summary of its training run."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    method: str
    """As the user chose it: a pretext task, a classical detector or a recipe."""
    kind: MethodKind
    scorer: str | None
    """None where the method scores by itself."""
    preset: str
    seed: int
    training_rows: TrainingRows
    settings: dict[str, dict[str, Any]]
    """Section -> setting -> value, for those settings that the user changed."""
    modality: Modality
    declared: Declared
    """Role and kind of every column of the training data, see `as_used`: new data are opened with them."""
    data: TrainingData
    split: SplitSizes
    created: str
    """ISO 8601 in UTC."""
    versions: dict[str, str]
    """Package -> version, of what the scores depend on."""
    notices: tuple[str, ...]
    """What was reported to the analyst about the data and the training."""
    training: dict[str, Any]
    """Steps, losses, device and duration of the training, see `TrainingSummary`; {} where no network was trained."""
    more: dict[str, Any] = {}
    """Facts of other versions that this one does not know; a bundle that is saved again keeps them."""

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """The inverse of `to_facts`.

        Raises:
            ValidationError: a fact is missing, or its value is of another type.
        """
        known = {name: facts[name] for name in cls.model_fields if name in facts and name != "more"}
        return cls(**known, more={name: value for name, value in facts.items() if name not in known})

    def to_facts(self) -> dict[str, Any]:
        """JSON-able, with the keys that bundles and run summaries have."""
        facts = self.model_dump(mode="json", exclude={"more"})
        if not self.declared.watch:  # bundles before format 3 have no such key, and are saved again as they were
            del facts["declared"]["watch"]
        return {**facts, **self.more}
