"""Settings are declared once, as fields of a frozen pydantic model.

Validation, the web form, `--set section.key=value`, the stored JSON and the documentation all read that one line.
"""

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from typing_extensions import TypeVar

from ad_core.errors import SettingsError

SECTIONS = ("reader", "training", "pretext", "encoder", "scorer")
"""The sections that `--set` and the web form know."""


class Settings(BaseModel):
    """Base of every settings model: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def parse(cls, values: Mapping[str, Any], section: str) -> Self:
        """Build from plain values.

        Args:
            values: setting name -> value; strings are converted to the field's type.
            section: where the values came from, for the error text.

        Raises:
            SettingsError: names every unknown or invalid setting.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise SettingsError(_in_words(error, cls, section)) from None


S = TypeVar("S", bound=Settings)

S_co = TypeVar("S_co", bound=Settings, covariant=True, default=Settings)
"""The settings of a plug-in, as in `class Rotation(Pretext[RotationSettings])`.

Covariant, since settings are frozen: a function that takes a `Pretext` takes every pretext task. A plug-in that names
none is one with `Settings`.
"""

SettingsClass = type[Settings]
"""For the contracts, in whose class bodies the name `Settings` means the plug-in's own."""


def parse_assignments(assignments: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Turn `section.key=value` texts into a mapping by section; values are read as JSON where they are JSON.

    Raises:
        SettingsError: an assignment has no `=`, no section, or a section that does not exist.
    """
    sections: dict[str, dict[str, Any]] = {}
    for text in assignments:
        target, equals, value = text.partition("=")
        section, dot, key = target.strip().partition(".")
        if not equals or not dot or not key:
            raise SettingsError(
                f"{text!r} is not a setting. Write it as section.key=value, for example training.max_epochs=5."
            )
        if section not in SECTIONS:
            raise SettingsError(f"There is no section {section!r}{_did_you_mean(section, SECTIONS)} in {text!r}.")
        sections.setdefault(section, {})[key] = _value(value.strip())
    return sections


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else f" (there is: {', '.join(known) or 'none'})"


def _in_words(error: ValidationError, cls: type[BaseModel], section: str) -> str:
    sentences = []
    for problem in error.errors(include_url=False):
        key = ".".join(str(part) for part in problem["loc"]) or section
        if problem["type"] == "extra_forbidden":
            sentences.append(f"There is no setting {section}.{key}{_did_you_mean(key, cls.model_fields)}.")
        else:
            sentences.append(f"{section}.{key} = {problem['input']!r}: {problem['msg']}.")
    return " ".join(sentences)
