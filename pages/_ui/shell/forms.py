"""A form made from the JSON schema of a settings model, so that settings are declared only once."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

Json = dict[str, Any]


def form_for(schema: Json, key: str, *, preset: bool = False) -> Json:
    """Widgets for every setting of a model.

    Args:
        schema: JSON schema of a pydantic settings model.
        key: prefix of the widgets' keys; another schema needs another key.
        preset: fields start empty; the preset sets those that stay empty.

    Returns:
        Only the settings that differ from their default, without those that have a field elsewhere on the page.
    """
    changed: Json = {}
    properties = {name: field for name, field in schema.get("properties", {}).items() if not field.get("asked_above")}
    if not properties:
        st.markdown(":gray[No settings.]")
    with st.grid("auto", min_column_width=220, gap="small"):
        for name, field in properties.items():
            with st.container():
                value = _widget(name, _plain(field, schema), f"{key}-{name}", preset)
            if value is not None and (preset or value != field.get("default")):
                changed[name] = value
    return changed


def label_of(name: str) -> str:
    """`mask_share` -> `Mask share`."""
    return name.replace("_", " ").capitalize()


def _plain(field: Json, schema: Json) -> Json:
    """The field without a reference or an `or null` around it."""
    if "$ref" in field:
        field = {**schema["$defs"][field["$ref"].rpartition("/")[2]], **field}
    for option in field.get("anyOf", []):
        if option.get("type") != "null":
            return {**_plain(option, schema), **{k: v for k, v in field.items() if k != "anyOf"}, "optional": True}
    return field


def _widget(name: str, field: Json, key: str, preset: bool) -> Any:
    label, about = label_of(name), field.get("description")
    default = None if preset else field.get("default")
    hint = "set by the preset" if preset else "not set" if field.get("optional") else None
    if "enum" in field:
        options = list(field["enum"])
        return st.selectbox(
            label,
            options,
            index=None if default is None else options.index(default),
            key=key,
            help=about,
            placeholder=hint,
        )
    kind = field.get("type")
    if kind == "boolean":
        if preset or field.get("optional"):
            words = {"yes": True, "no": False}
            chosen = st.selectbox(
                label,
                list(words),
                index=None if default is None else list(words.values()).index(default),
                key=key,
                help=about,
                placeholder=hint,
            )
            return None if chosen is None else words[chosen]
        return st.toggle(label, value=bool(default), key=key, help=about)
    if kind in ("integer", "number"):
        return _number(label, field, default, key, about, hint)
    if kind == "array":
        text = st.text_input(
            label,
            value=", ".join(map(str, default or [])),
            key=key,
            help=f"{about or ''} Separated by commas.",
            placeholder=hint,
        )
        return _numbers(text) if text else None
    return st.text_input(label, value=default, key=key, help=about, placeholder=hint) or None


def _number(label: str, field: Json, default: Any, key: str, about: str | None, hint: str | None) -> float | int | None:
    cast = int if field["type"] == "integer" else float
    low, high = _bounds(field, cast)
    step = cast(field.get("multipleOf", 1)) if cast is int else None
    texts = {"help": f"{about or ''} {_range(field)}".strip(), "placeholder": hint, "key": key}
    value = None if default is None else cast(default)
    if cast is float:
        # A step of 0.01 would round a learning rate of 0.0003 away.
        return st.number_input(label, low, high, value, format="%g", step=_step(default), **texts)
    return st.number_input(label, low, high, value, step=step, **texts)


def _bounds(field: Json, cast: type) -> tuple[Any, Any]:
    low, high = field.get("minimum"), field.get("maximum")
    if low is None and "exclusiveMinimum" in field:
        low = field["exclusiveMinimum"] + (1 if cast is int else 0)
    if high is None and "exclusiveMaximum" in field:
        high = field["exclusiveMaximum"] - (1 if cast is int else 0)
    return None if low is None else cast(low), None if high is None else cast(high)


def _range(field: Mapping[str, Any]) -> str:
    low, high = field.get("minimum", field.get("exclusiveMinimum")), field.get("maximum", field.get("exclusiveMaximum"))
    if low is None and high is None:
        return ""
    return f"({low if low is not None else '…'} to {high:,})" if high is not None else f"(from {low})"


def _step(default: Any) -> float:
    size = abs(default or 0.1)
    step = 1.0
    while step > size / 3:
        step /= 10
    return step


def _numbers(text: str) -> list[Any]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return [float(p) if any(c in p for c in ".eE") else int(p) if p.lstrip("-").isdigit() else p for p in parts]
