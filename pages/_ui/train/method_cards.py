"""The methods for these data as cards, one of them suggested, and the form for the settings of the chosen one."""

from typing import Any

import streamlit as st

from ad_core.training.catalogue import DEFAULT_METHOD, MethodCard, encoders, methods, not_loaded, unfit_methods
from ad_core.types import Modality
from pages._ui.shell.forms import form_for
from pages._ui.shell.words import OF_MODALITY

NARROW_PX = 270
"""Three cards of this width fit side by side on a window of 1280 px."""


@st.cache_resource(show_spinner="Loading the installed methods ...")
def _cards(modality: str) -> tuple[list[MethodCard], list[MethodCard]]:
    """The methods for this kind of data, the suggested one first, and those that state why they are not for it."""
    kind = Modality(modality)
    return sorted(methods(kind), key=lambda card: card.name != DEFAULT_METHOD), unfit_methods(kind)


@st.cache_resource(show_spinner=False)
def _encoders(modality: str) -> list[MethodCard]:
    return encoders(Modality(modality))


def chosen_method(modality: str) -> MethodCard:
    """A choice of one of the methods; the suggested one is the default."""
    fitting, unfit = _cards(modality)
    suggested, *others = [card for card in fitting if card.kind != "scorer"]
    key = method_key(modality)
    chosen = next((card for card in fitting if card.name == st.session_state.get(key)), suggested)
    st.subheader("Method", anchor=False)
    _suggested(suggested, chosen is suggested, key)
    recipes, tasks, references = (
        [card for card in others if card.kind == kind] for kind in ("recipe", "pretext", "reference")
    )
    if recipes:
        _grid(recipes, chosen, key)
    if tasks or unfit:
        title = "Other pretext tasks" if suggested.kind == "pretext" else "Pretext tasks"
        st.markdown(f"**{title}** :gray[· a network trained on one task]")
        _grid(tasks, chosen, key, unfit, modality)
    if references:
        label = f"Classical detectors ({len(references)}): for comparison, or to train alone"
        with st.expander(label, icon=":material/history_edu:", expanded=chosen in references):
            _grid(references, chosen, key)
    _problems(not_loaded())
    return chosen


def method_key(modality: str) -> str:
    """Session key of the chosen method's name."""
    return f"_method-{modality}"


def _suggested(card: MethodCard, is_chosen: bool, key: str) -> None:
    with st.container(border=True, key=f"{'chosen' if is_chosen else 'card'}-{card.name}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{card.title}**", width="content")
            st.badge("Suggested", icon=":material/star:", color="green", width="content")
            st.space("stretch")
            _choose(card, is_chosen, key, "content")
        st.markdown(_texts(card))
        st.caption(f"Source: {card.source}")


def _grid(
    cards: list[MethodCard], chosen: MethodCard, key: str, unfit: list[MethodCard] | None = None, modality: str = ""
) -> None:
    with st.grid("auto", min_column_width=NARROW_PX, gap="small"):
        for card in cards:
            is_chosen = card.name == chosen.name
            name = f"{'chosen' if is_chosen else 'card'}-{card.name}"
            with st.container(border=True, height="stretch", gap="xsmall", key=name):
                st.markdown(f"**{card.title}**", help=f"Source: {card.source}")
                st.caption(_texts(card))
                st.space("stretch")
                _choose(card, is_chosen, key, "stretch")
        for card in unfit or []:
            with st.container(border=True, height="stretch", gap="xsmall", key=f"unfit-{card.name}"):
                st.markdown(f":gray[**{card.title}** · not for {OF_MODALITY[modality]}]")
                st.caption(card.not_for[Modality(modality)])


def _problems(cards: list[MethodCard]) -> None:
    """The plug-ins of other packages that could not be loaded, with the reason, if there are any."""
    if not cards:
        return
    with st.expander(f"Plug-ins that could not be loaded ({len(cards)})", icon=":material/extension_off:"):
        for card in cards:
            st.text(f"{card.name}: {card.problem}")


def _texts(card: MethodCard) -> str:
    """Its task, what it finds and what it misses, one line each; of a method without a task, what it does."""
    lines = (("Task", card.task), ("Finds", card.finds), ("Misses", card.misses))
    return "  \n".join(f"**{name}** {text}" for name, text in lines if text) or card.about


def _choose(card: MethodCard, is_chosen: bool, key: str, width: Any) -> None:
    st.button(
        "Chosen" if is_chosen else "Choose",
        key=f"choose-{card.name}",
        icon=":material/check:" if is_chosen else None,
        type="primary" if is_chosen else "secondary",
        on_click=st.session_state.__setitem__,
        args=(key, card.name),
        width=width,
    )


def method_settings(card: MethodCard, modality: str) -> tuple[str | None, dict[str, dict[str, Any]]]:
    """The scorer and everything that differs from the defaults, by section."""
    from ad_core.data.reader import READER_OF, READERS

    settings: dict[str, dict[str, Any]] = {}
    scorer = None
    schemas = {"pretext": card.settings.get("pretext", {})}
    if card.kind == "pretext":
        scorers = [c for c in _cards(modality)[0] if c.kind == "scorer"]
        names = {c.name: c.title for c in scorers}
        about = "  \n".join(f"**{c.title}**: {c.about}" for c in scorers)
        first = list(names).index("own_score") if "own_score" in names else 0
        scorer = st.selectbox(
            "Scorer", list(names), index=first, format_func=names.get, key=f"scorer-{modality}", help=about
        )
        schemas["scorer"] = next((c.settings.get("scorer", {}) for c in scorers if c.name == scorer), {})
        schemas["training"] = card.settings.get("training", {})
    schemas["reader"] = READERS.get(READER_OF[Modality(modality)]).Settings.model_json_schema()
    for name, value in card.reader_defaults.items():
        schemas["reader"]["properties"][name]["default"] = value
    titles = {"pretext": card.title, "scorer": "Scorer", "training": "Training", "reader": "Reading the data"}
    for section, schema in schemas.items():
        if schema.get("properties"):
            st.markdown(f"**{titles[section]}**")
            changed = form_for(schema, f"set-{section}-{card.name}-{scorer}", preset=section == "training")
            if changed:
                settings[section] = changed
        if section == "pretext" and "encoder" in card.settings and modality == Modality.IMAGE:
            chosen = _encoder_settings(card, modality)
            if chosen:
                settings["encoder"] = chosen
    return scorer, settings


def _encoder_settings(card: MethodCard, modality: str) -> dict[str, Any]:
    """The name of the encoder, where it isn't the default one, and the settings that differ from its defaults."""
    field = card.settings["encoder"]["properties"]["name"]
    cards = {encoder.name: encoder for encoder in _encoders(modality)}
    st.markdown("**Encoder**")
    name = st.selectbox(
        "Encoder",
        field["enum"],
        index=field["enum"].index(field["default"]),
        format_func=lambda chosen: cards[chosen].title,
        key=f"encoder-{card.name}",
        label_visibility="collapsed",
    )
    st.caption(cards[name].about)
    schema = cards[name].settings["encoder"]
    own = form_for(schema, f"set-encoder-{card.name}-{name}") if schema.get("properties") else {}
    return own if name == field["default"] else {"name": name, **own}
