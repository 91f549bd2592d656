"""What can be trained: recipes, pretext tasks and classical detectors, with their cards and settings."""

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from ad_core.errors import MethodError
from ad_core.types import MethodKind, Modality, PlugInKind

if TYPE_CHECKING:
    from ad_core.methods.recipe import Recipe
    from ad_core.registry import Registry

DEFAULT_METHOD = "balanced"
"""What is trained where the user names no method: there is such a recipe for every kind of data."""


SUFFIX: dict[Modality, str] = {Modality.TABLE: "tabular", Modality.IMAGE: "image", Modality.SENSOR: "sensor"}
"""Ends the file name of a recipe, which is one file per kind of data."""


class MethodCard(BaseModel):
    """One method as the app, the command line and the documentation show it."""

    model_config = ConfigDict(frozen=True)

    name: str
    """What `--pretext` takes; a recipe has the same name for every kind of data."""
    kind: PlugInKind
    modalities: tuple[Modality, ...]
    title: str
    source: str
    about: str = ""
    task: str = ""
    """What a pretext task predicts."""
    finds: str = ""
    misses: str = ""
    not_for: dict[Modality, str] = {}
    """Kinds of data for which a pretext task makes no sense, and why, in a sentence."""
    settings: dict[str, dict[str, Any]]
    """Section -> JSON schema of its settings."""
    reader_defaults: dict[str, Any] = {}
    """Settings of the reader that suit a recipe, where they are not the normal ones."""
    problem: str = ""
    """Why the plug-in could not be loaded; "" = it was. One that could not has no kinds of data and no settings."""


def methods(modality: Modality | None = None) -> list[MethodCard]:
    """Recipes, pretext tasks, scorers and classical detectors that could be loaded; of one modality if given."""
    from ad_core.methods.pretext import PRETEXTS
    from ad_core.methods.recipe import RECIPES
    from ad_core.methods.reference import REFERENCES
    from ad_core.methods.scorer import SCORERS

    kinds = (("recipe", RECIPES), ("pretext", PRETEXTS), ("scorer", SCORERS), ("reference", REFERENCES))
    return [_card(kind, registry.get(name), modality) for kind, registry in kinds for name in registry.names(modality)]


def encoders(modality: Modality) -> list[MethodCard]:
    """The encoders that `encoder.name` takes for this kind of data."""
    from ad_core.methods.encoder import ENCODERS

    return [_card("encoder", ENCODERS.get(name), modality) for name in ENCODERS.names(modality)]


def unfit_methods(modality: Modality) -> list[MethodCard]:
    """Pretext tasks that make no sense for this kind of data and say in `not_for` why."""
    from ad_core.methods.pretext import PRETEXTS

    every = (PRETEXTS.get(name) for name in PRETEXTS.names())
    return [_card("pretext", cls, modality) for cls in every if modality in cls.not_for]


def not_loaded() -> list[MethodCard]:
    """Plug-ins of other packages that could not be loaded, of all kinds, with the reason in `problem`."""
    from ad_core.data.reader import READERS
    from ad_core.methods.encoder import ENCODERS
    from ad_core.methods.pretext import PRETEXTS
    from ad_core.methods.recipe import RECIPES
    from ad_core.methods.reference import REFERENCES
    from ad_core.methods.scorer import SCORERS

    registries: dict[Any, Registry[Any]] = {
        "recipe": RECIPES,
        "pretext": PRETEXTS,
        "scorer": SCORERS,
        "reference": REFERENCES,
        "encoder": ENCODERS,
        "reader": READERS,
    }
    return [
        MethodCard(name=name, kind=kind, modalities=(), title=name, source="", settings={}, problem=reason)
        for kind, registry in registries.items()
        for name, reason in registry.not_loaded().items()
    ]


def kind_of(method: str, modality: Modality) -> MethodKind:
    """What a method's name stands for, checked against the modality.

    Raises:
        MethodError: there is no such method, or it does not fit this kind of data; names those that do.
    """
    from ad_core.methods.pretext import PRETEXTS
    from ad_core.methods.recipe import RECIPES
    from ad_core.methods.reference import REFERENCES

    if recipe_name(method, modality) in RECIPES:
        return "recipe"
    for kind, registry in (("pretext", PRETEXTS), ("reference", REFERENCES)):
        if method in registry:
            if modality not in registry.get(method).modalities:
                raise MethodError(f"{method!r} does not work on {modality} data. What does: {_trainable(modality)}.")
            return kind  # type: ignore[return-value]
    raise MethodError(f"There is no method {method!r} for {modality} data. There is: {_trainable(modality)}.")


def recipe_name(method: str, modality: Modality) -> str:
    """Recipes are one file per modality: `balanced` of tables is `balanced_tabular`."""
    return f"{method}_{SUFFIX[modality]}"


def recipe_class(method: str, modality: Modality) -> "type[Recipe]":
    """The recipe of this name for this kind of data.

    Raises:
        MethodError: there is none.
    """
    from ad_core.methods.recipe import RECIPES

    return RECIPES.get(recipe_name(method, modality))


def _trainable(modality: Modality) -> str:
    return ", ".join(card.name for card in methods(modality) if card.kind != "scorer")


def _card(kind: Any, cls: Any, modality: Modality | None) -> MethodCard:
    from ad_core.training.fit import TrainingSettings

    section = kind if kind in ("scorer", "encoder") else "pretext"
    settings = {section: cls.Settings.model_json_schema()}
    if kind == "pretext":
        settings["training"] = TrainingSettings.model_json_schema()
        if choice := _choice_of_encoders(cls, modality):
            settings["encoder"] = choice
    texts = {text: getattr(cls, text, "") for text in ("about", "task", "finds", "misses")}
    return MethodCard(
        name=cls.name if kind != "recipe" else cls.name.rpartition("_")[0],  # see `recipe_name`
        kind=kind,
        modalities=tuple(sorted(cls.modalities)),
        title=cls.title,
        source=getattr(cls, "source", ""),
        reader_defaults=dict(getattr(cls, "reader_defaults", {})),
        not_for=dict(getattr(cls, "not_for", {})),
        settings=settings,
        **texts,
    )


def _choice_of_encoders(cls: Any, modality: Modality | None) -> dict[str, Any]:
    """JSON schema of `encoder.name` for one kind of data; {} where there is nothing to choose."""
    from ad_core.methods.encoder import ENCODERS

    if modality is None and len(cls.modalities) == 1:
        (modality,) = cls.modalities
    if modality not in cls.modalities - cls.without_encoder or cls.encoder_name:
        return {}
    names = [n for n in ENCODERS.names(modality) if cls.pretrained_fits or not ENCODERS.get(n).pretrained]
    name = {
        "type": "string",
        "enum": names,
        "default": cls.usual_encoder(modality),
        "description": "The network that looks at an item. Its own settings stand beside its name.",
    }
    return {"type": "object", "properties": {"name": name}} if len(names) > 1 else {}
