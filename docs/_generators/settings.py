"""Settings with defaults, ranges and help, from the fields of their pydantic models."""

import re
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MultipleOf
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from _generators import markdown
from _generators.markdown import code, literal, table
from ad_core.settings import SECTIONS

INTRO = """\
A setting is given as `section.key=value`: on the command line with `--set` (repeatable), in Python with
`train(..., settings={{"section": {{"key": value}}}})`, in the app under *More settings*. An unknown name or a value out
of range is an error that names the closest setting. The sections are {sections}.

`training` applies to every pretext task and is described here. The settings of `pretext`, `encoder`, `scorer` and
`reader` belong to the method that is chosen: see [](methods.md)."""


def page() -> str:
    """The settings that all pretext tasks share, and what presets and kinds of data change of them."""
    from ad_core.training.fit import OF_MODALITY, PRESETS, TrainingSettings

    presets = [(code(name), _changes(changes)) for name, changes in PRESETS.items()]
    modalities = [(code(str(name)), _changes(changes)) for name, changes in OF_MODALITY.items()]
    return markdown.page(
        "Settings",
        INTRO.format(sections=", ".join(code(section) for section in SECTIONS)),
        "## Training",
        settings_table("training", TrainingSettings),
        "## Presets",
        "A preset (`--preset`) changes the defaults above; images take a quarter of these steps, because a step on "
        "images costs more.",
        table(["preset", "changes"], presets),
        "## Defaults by kind of data",
        table(["kind of data", "changes"], modalities),
    )


def settings_table(section: str, model: type[BaseModel]) -> str:
    """Name, type, default, range and help of every field; a sentence where there is none."""
    if not model.model_fields:
        return "There is nothing to set."
    rows = [
        (
            code(f"{section}.{key}"),
            code(_type(field.annotation)),
            code(_shown(field.default)),
            limits(field),
            _help(field),
        )
        for key, field in model.model_fields.items()
    ]
    return table(["setting", "type", "default", "range", "meaning"], rows)


def limits(field: FieldInfo) -> str:
    """The range that pydantic enforces, in signs."""
    signs: list[tuple[type, str, str]] = [(Ge, "≥", "ge"), (Gt, ">", "gt"), (Le, "≤", "le"), (Lt, "<", "lt")]
    found = [
        f"{sign} {getattr(limit, key)}"
        for limit in field.metadata
        for cls, sign, key in signs
        if isinstance(limit, cls)
    ]
    found += [f"multiple of {limit.multiple_of}" for limit in field.metadata if isinstance(limit, MultipleOf)]
    return ", ".join(found)


def _help(field: FieldInfo) -> str:
    return literal(field.description or "")


def _type(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return " or ".join(str(choice) for choice in get_args(annotation))
    name = annotation.__name__ if isinstance(annotation, type) and not get_args(annotation) else str(annotation)
    return re.sub(r"\b(?:\w+\.)+", "", name)


def _shown(default: object) -> str:
    return '""' if default == "" else str(default)


def _changes(changes: dict[str, Any]) -> str:
    return ", ".join(code(f"training.{key}={value}") for key, value in changes.items()) or "nothing"
