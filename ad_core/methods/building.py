"""Build an untrained model from names and settings: a pretext task, its encoder and a scorer."""

from typing import Any

from ad_core.errors import MethodError
from ad_core.methods.encoder import ENCODERS, Encoder, EncoderChoice, build_encoder
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.methods.scorer import SCORERS, TaskModel
from ad_core.registry import Registry
from ad_core.settings import Settings
from ad_core.types import ItemShape, Modality


def build_model(
    method: str,
    scorer: str,
    shape: ItemShape,
    pretext_settings: dict[str, Any],
    scorer_settings: dict[str, Any],
    encoder: EncoderChoice | None = None,
) -> TaskModel:
    """An untrained pretext task with its encoder and scorer.

    Args:
        encoder: None = the task's default encoder with the task's settings for it. Chosen settings take precedence;
            another encoder than the default gets none of the task's settings.

    Raises:
        MethodError: a name is unknown or does not fit the kind of data.
        SettingsError: a setting is unknown or out of range.
    """
    task_class, scorer_class = PRETEXTS.get(method), SCORERS.get(scorer)
    check_fits(PRETEXTS, method, shape.modality)
    check_fits(SCORERS, scorer, shape.modality)
    settings = task_class.Settings.parse(pretext_settings, "pretext")
    network = _network(task_class, settings, shape, encoder or EncoderChoice())
    return TaskModel(
        task_class(settings, shape, network), scorer_class(scorer_class.Settings.parse(scorer_settings, "scorer"))
    )


def _network(task_class: type[Pretext], settings: Settings, shape: ItemShape, chosen: EncoderChoice) -> Encoder:
    """The chosen encoder, or the task's default one."""
    usual = task_class.usual_encoder(shape.modality)
    name = chosen.name or usual
    if shape.modality in task_class.without_encoder and chosen.facts is None and (chosen.name or chosen.settings):
        raise MethodError(
            f"{task_class.title} uses no encoder for {shape.modality} data. Leave the settings encoder.* out."
        )
    check_fits(ENCODERS, name, shape.modality)
    if name != usual and task_class.encoder_name:
        raise MethodError(
            f"{task_class.title} works with the encoder {usual!r} only, not with {name!r}. Leave encoder.name out, or "
            f"choose another pretext task."
        )
    own = task_class.encoder_settings(settings, shape) if name == usual else {}
    return build_encoder(name, task_class.encoder_shape(settings, shape), own | chosen.settings, chosen.facts)


def check_fits(registry: Registry[Any], name: str, modality: Modality) -> None:
    """Whether a plug-in of that name works on that kind of data.

    Raises:
        MethodError: it doesn't; names those that do.
    """
    if modality not in registry.get(name).modalities:
        fitting = ", ".join(registry.names(modality))
        raise MethodError(f"{name!r} does not work on {modality} data. What does: {fitting}.")
