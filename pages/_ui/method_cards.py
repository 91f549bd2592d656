"""The methods that fit the data as cards, one of them suggested, and the form for the chosen one's settings."""

from typing import Any

import streamlit as st

from ad_core.catalogue import MethodCard, default_method, methods, recipe_name
from ad_core.types import Modality
from pages._ui.forms import form_for


@st.cache_resource(show_spinner="Looking for the installed methods ...")
def _cards(modality: str) -> tuple[list[MethodCard], str]:
    """The methods for this kind of data, the suggested one first, and its name."""
    kind = Modality(modality)
    found, default = methods(kind), default_method(kind)
    suggested = {default, recipe_name(default, kind)}
    return sorted(found, key=lambda card: card.name not in suggested), default


def chosen_method(modality: str) -> MethodCard:
    """Let the analyst choose one of the methods; the suggestion is chosen to begin with."""
    cards = [card for card in _cards(modality)[0] if card.kind != "scorer"]
    st.subheader("Method", anchor=False)
    key = f"_method-{modality}"
    names = [card.name for card in cards]
    now = st.session_state.get(key, names[0])
    with st.grid("auto", min_column_width=300, gap="small"):
        for card in cards:
            _card(card, now == card.name, card.name == names[0], key)
    return next(card for card in cards if card.name == now)


def _card(card: MethodCard, is_chosen: bool, is_suggested: bool, key: str) -> None:
    with st.container(border=True, height="stretch", key=f"{'chosen' if is_chosen else 'card'}-{card.name}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{card.title}**", width="content")
            if is_suggested:
                st.badge("Suggested", icon=":material/star:", color="green", width="content")
            elif card.kind == "reference":
                st.badge("classical", color="gray", width="content")
        lines = (
            [("Asks", card.asks), ("Finds", card.finds), ("Misses", card.misses)] if card.asks else [("", card.about)]
        )
        st.markdown("\n\n".join(f":gray[{name}] {text}" if name else text for name, text in lines if text))
        st.caption(f"Source: {card.source}")
        st.button(
            "Chosen" if is_chosen else "Choose",
            key=f"choose-{card.name}",
            icon=":material/check:" if is_chosen else None,
            type="primary" if is_chosen else "secondary",
            on_click=st.session_state.__setitem__,
            args=(key, card.name),
            width="stretch",
        )


def method_settings(card: MethodCard, modality: str) -> tuple[str | None, dict[str, dict[str, Any]]]:
    """The scorer and everything that differs from the defaults, by section."""
    from ad_core.catalogue import READER_OF
    from ad_core.reader import READERS

    settings: dict[str, dict[str, Any]] = {}
    scorer = None
    schemas = {"pretext": card.settings.get("pretext", {})}
    if card.kind == "pretext":
        scorers = [c for c in _cards(modality)[0] if c.kind == "scorer"]
        names = {c.name: c.title for c in scorers}
        about = "  \n".join(f"**{c.title}**: {c.about}" for c in scorers)
        first = list(names).index("own_score") if "own_score" in names else 0
        scorer = st.selectbox(
            "Score", list(names), index=first, format_func=names.get, key=f"scorer-{modality}", help=about
        )
        schemas["scorer"] = next((c.settings.get("scorer", {}) for c in scorers if c.name == scorer), {})
        schemas["training"] = card.settings.get("training", {})
    schemas["reader"] = READERS.get(READER_OF[Modality(modality)]).Settings.model_json_schema()
    titles = {"pretext": card.title, "scorer": "Scorer", "training": "Training", "reader": "Reading the data"}
    for section, schema in schemas.items():
        if schema.get("properties"):
            st.markdown(f"**{titles[section]}**")
            changed = form_for(schema, f"set-{section}-{card.name}-{scorer}", preset=section == "training")
            if changed:
                settings[section] = changed
    return scorer, settings
