"""What every page has: a title with help, error messages, and the next step where there is nothing to show yet."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from ad_core.errors import AdError
from ad_core.storage.records import WITH_SCORES
from ad_core.storage.store import RunRecord
from pages._ui.shell import words
from pages._ui.shell.glossary import GLOSSARY, USED_ON
from pages._ui.shell.navigate import choose, current, go_button
from pages._ui.shell.page_words import PAGES
from pages._ui.shell.stored import DAMAGE_SHOWN, store


def page_top(page: str) -> None:
    """Title, one line about the page, the help with the glossary, and the error of the last callback."""
    title, about, help_text = PAGES[page]
    st.session_state[DAMAGE_SHOWN] = set()
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.title(title, anchor=False, width="content")
        with st.popover("Help", icon=":material/help:", type="tertiary"):
            st.markdown(help_text)
            st.markdown("**Terms on this page**")
            st.markdown("\n".join(f"- **{word}**: {GLOSSARY[word]}" for word in USED_ON[page]))
    st.markdown(f":gray[{about}]")
    if problem := st.session_state.pop("_problem", None):
        st.error(problem, icon=":material/error:")


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show the message of an `AdError` and end the page there."""
    try:
        yield
    except AdError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()


def nothing_yet(title: str, text: str, label: str, page: str, **case: str | None) -> None:
    """Name what is missing, offer the button that leads to it, and end the page."""
    st.info(text, title=title, icon=":material/info:")
    go_button(label, page, case=case, type="primary")
    st.stop()


def pick_run() -> RunRecord:
    """The run of the current case. Without one the page offers the newest runs and ends."""
    run_id = current("run")
    if run_id is None:
        _offer_runs("Choose a run", "This page shows the results of one run. None is chosen yet.")
    with _gone("run"):
        return store().run(run_id)  # type: ignore[arg-type]


def pick_scored_run() -> RunRecord:
    """The run of the current case, if it has scores; otherwise the page says why not and ends."""
    run = pick_run()
    if (store().folder(run.id) / "scores.parquet").exists():
        return run
    why = {"queued": "It is waiting for the device.", "running": "The scores are not computed yet."}.get(
        run.status, run.error or ""
    )
    nothing_yet(f"Run “{run.name}” has no scores", f"It is {run.status}. {why}", "Show its progress", "train")
    raise AssertionError  # nothing_yet ends the page


@contextmanager
def _gone(name: str) -> Iterator[None]:
    try:
        yield
    except AdError as error:
        st.error(str(error), icon=":material/link_off:")
        st.button("Clear the selection", on_click=choose, kwargs={name: None})
        st.stop()


def _offer_runs(title: str, text: str) -> None:
    done = [run for run in store().runs(status="done") if run.kind in WITH_SCORES][:6]
    if not done:
        nothing_yet(
            "There are no results yet", "Train a detector first; a sample takes a minute.", "Go to Home", "home"
        )
    st.info(text, title=title, icon=":material/info:")
    for run in done:
        st.button(
            f"{run.name}  ·  {words.KINDS[run.kind]}  ·  {words.ago(run.created)}",
            key=f"offer-{run.id}",
            icon=":material/arrow_forward:",
            on_click=choose,
            kwargs={"run": run.id},
        )
    st.stop()


def table_height(lines: int, most: int) -> int | str:
    """As high as the content, but at most `most` pixels."""
    return "content" if 36 * (lines + 1) <= most else most


def chart(figure: Any, alt: str, caption: str = "", **more: Any) -> Any:
    """A plotly figure with its message as alternative text, and a caption."""
    # plotly draws WebGL at twice the resolution of the screen: four times the pixels without a visible gain
    config = {"displaylogo": False, "scrollZoom": False, "plotGlPixelRatio": 1}
    state = st.plotly_chart(figure, alt=alt, config=config, **more)
    if caption:
        st.caption(caption)
    return state
