"""What can be trained: pretext tasks, references and recipes with their cards and settings."""

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from ad_core.errors import MethodError
from ad_core.types import Modality

if TYPE_CHECKING:
    from ad_core.recipe import Recipe

DEFAULT_METHOD: dict[Modality, str] = {
    Modality.TABLE: "masked_cells",
    Modality.IMAGE: "autoencoder",
    Modality.SENSOR: "masked_window",
}
"""What is trained where the user names no method and there is no `balanced` recipe for the modality yet."""

READER_OF: dict[Modality, str] = {Modality.TABLE: "table", Modality.IMAGE: "images", Modality.SENSOR: "sensor"}


class MethodCard(BaseModel):
    """One method as the app, the command line and the documentation show it."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: Literal["pretext", "reference", "recipe", "scorer"]
    modalities: tuple[Modality, ...]
    title: str
    source: str
    about: str = ""
    asks: str = ""
    finds: str = ""
    misses: str = ""
    settings: dict[str, dict[str, Any]]
    """Section -> JSON schema of its settings."""


def methods(modality: Modality | None = None) -> list[MethodCard]:
    """Every installed method, recipes first, then pretext tasks, scorers and references; of one modality if given."""
    from ad_core.pretext import PRETEXTS
    from ad_core.recipe import RECIPES
    from ad_core.reference import REFERENCES
    from ad_core.scorer import SCORERS

    kinds = (("recipe", RECIPES), ("pretext", PRETEXTS), ("scorer", SCORERS), ("reference", REFERENCES))
    return [_card(kind, registry.get(name)) for kind, registry in kinds for name in registry.names(modality)]


def kind_of(method: str, modality: Modality) -> Literal["pretext", "reference", "recipe"]:
    """What a method's name stands for, checked against the modality.

    Raises:
        MethodError: there is no such method, or it does not fit this kind of data; names those that do.
    """
    from ad_core.pretext import PRETEXTS
    from ad_core.recipe import RECIPES
    from ad_core.reference import REFERENCES

    if recipe_name(method, modality) in RECIPES:
        return "recipe"
    for kind, registry in (("pretext", PRETEXTS), ("reference", REFERENCES)):
        if method in registry:
            if modality not in registry.get(method).modalities:
                fitting = ", ".join([*PRETEXTS.names(modality), *REFERENCES.names(modality)])
                raise MethodError(f"{method!r} does not work on {modality} data. What does: {fitting}.")
            return kind  # type: ignore[return-value]
    known = ", ".join([*PRETEXTS.names(modality), *REFERENCES.names(modality)])
    raise MethodError(f"There is no method {method!r} for {modality} data. There is: {known}.")


def recipe_name(method: str, modality: Modality) -> str:
    """Recipes are one file per modality: `balanced` of tables is `balanced_tabular`."""
    suffix = {Modality.TABLE: "tabular", Modality.IMAGE: "image", Modality.SENSOR: "sensor"}[modality]
    return f"{method}_{suffix}"


def recipe_class(method: str, modality: Modality) -> "type[Recipe]":
    """The recipe of this name for this kind of data.

    Raises:
        MethodError: there is none.
    """
    from ad_core.recipe import RECIPES

    return RECIPES.get(recipe_name(method, modality))


def default_method(modality: Modality) -> str:
    """`balanced` where there is such a recipe, else the modality's plainest strong pretext task."""
    from ad_core.recipe import RECIPES

    return "balanced" if recipe_name("balanced", modality) in RECIPES else DEFAULT_METHOD[modality]


def _card(kind: Any, cls: Any) -> MethodCard:
    from ad_core.training import TrainingSettings

    section = "pretext" if kind != "scorer" else "scorer"
    settings = {section: cls.Settings.model_json_schema()}
    if kind == "pretext":
        settings["training"] = TrainingSettings.model_json_schema()
    texts = {text: getattr(cls, text, "") for text in ("about", "asks", "finds", "misses")}
    return MethodCard(
        name=cls.name,
        kind=kind,
        modalities=tuple(sorted(cls.modalities)),
        title=cls.title,
        source=cls.source,
        settings=settings,
        **texts,
    )
