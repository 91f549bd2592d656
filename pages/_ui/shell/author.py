"""The name of the person who gives verdicts: kept while the page stays open, never part of the address."""

from getpass import getuser

import streamlit as st


def author() -> str:
    """The name that was typed, else the user name on this computer."""
    return (st.session_state.get("author") or "").strip() or _user()


def author_field() -> None:
    """A field for the name; what is typed stays for all pages of the session."""
    st.text_input(
        "Your name",
        value=_user(),
        key="author",
        persist_state="session",
        icon=":material/person:",
        max_chars=80,
        help="Saved with each of your verdicts. It is kept in this browser tab and in the verdicts.",
    )


def _user() -> str:
    try:
        return getuser()
    except (OSError, KeyError):  # an account without a name, as in some containers
        return "somebody"
