"""The user's choices for a training, and what the chosen method is."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from ad_core.errors import MethodError, SettingsError
from ad_core.settings import SECTIONS
from ad_core.training.catalogue import DEFAULT_METHOD, kind_of
from ad_core.types import MethodKind, Modality, TrainingRows


class Choice(BaseModel):
    """The user's choices for a training; the same fields in the app, on the command line and in a run's config."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pretext: str | None = None
    """A pretext task, a classical detector or a recipe; None = the default for this kind of data."""
    scorer: str | None = None
    preset: str = "standard"
    seed: int = 0
    device: str = "auto"
    training_rows: TrainingRows = "unsure"
    trim_calibration: bool | None = None
    """Whether calibration rows that are taken for anomalies are left out of the calibration; None = where the training
    rows are mixed."""
    settings: dict[str, dict[str, Any]] = {}
    """Section -> setting -> value; sections are reader, training, pretext, encoder, scorer."""


def method_of(choice: Choice, modality: Modality) -> tuple[str, MethodKind]:
    """The name of the chosen method and what it is.

    Raises:
        MethodError: it is unknown, doesn't fit the kind of data, or takes no scorer.
        SettingsError: there are settings of an unknown section, or of one that the method doesn't use.
    """
    _check_sections(choice.settings)
    method = choice.pretext or DEFAULT_METHOD
    kind = kind_of(method, modality)
    if choice.scorer and kind != "pretext":
        raise MethodError(
            f"{method!r} scores by itself and takes no scorer. Leave the scorer out, or choose a pretext task."
        )
    if kind != "pretext" and (unused := [s for s in ("training", "encoder", "scorer") if choice.settings.get(s)]):
        raise SettingsError(
            f"{method!r} trains no network of its own: it takes no settings of {' and '.join(unused)}. Leave "
            f"{' and '.join(unused)} out, or choose a pretext task."
        )
    return method, kind


def _check_sections(settings: Mapping[str, Mapping[str, Any]]) -> None:
    for section in settings:
        if section not in SECTIONS:
            raise SettingsError(f"There is no section {section!r} of settings. There is: {', '.join(SECTIONS)}.")
