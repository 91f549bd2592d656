"""Moving between pages, and the case (data set, run, row) that all pages share through the URL."""

from typing import Any

import streamlit as st

from ad_core.storage.records import WITH_SCORES, RunRecord

PAGES = {
    "home": "prepare/home.py",
    "data": "prepare/data.py",
    "train": "model/train.py",
    "runs": "model/runs.py",
    "alerts": "investigate/alerts.py",
    "map": "investigate/map.py",
    "calibration": "investigate/calibration.py",
    "reasons": "investigate/reasons.py",
    "explain": "investigate/explain.py",
    "review": "investigate/review.py",
    "score_file": "operate/score_file.py",
    "evaluate": "operate/evaluate.py",
}

CASE = ("data", "run", "row")
"""Session keys of the current case; each is bound to the query parameter of the same name."""


def choose(**case: str | None) -> None:
    """Change the current case. Only in a callback: the fields of the case exist when a page is drawn."""
    if "run" in case and case["run"] != st.session_state.get("run"):
        case = {"row": None, **case}  # a row belongs to its run
    for name, value in case.items():
        if name not in CASE:
            raise KeyError(name)
        st.session_state[name] = value or ""


def go(page: str, **case: str | None) -> None:
    """Open a page, with another case if one is named (then only from a callback)."""
    choose(**case)
    # Without the empty mapping Streamlit tries to clear bound parameters itself and raises.
    st.switch_page(PAGES[page], query_params={})


def go_filtered(page: str, **filters: str) -> None:
    """Callback: open a page with some of its bound fields set, so that they are part of its address."""
    for name in filters:
        st.session_state.pop(name, None)  # otherwise the earlier choice on that page would be used
    st.switch_page(PAGES[page], query_params=filters)


def where(run: RunRecord) -> tuple[str, dict[str, str | None]]:
    """The page that shows the progress or the result of a job, and the case that it needs."""
    if run.kind == "recommend":
        return "train", {"data": run.dataset_id, "run": None}
    if run.kind in WITH_SCORES:
        return "train", {"run": run.id}
    of_a_row = run.kind in ("explain", "whatif", "counterfactual")
    return "explain" if of_a_row else "alerts", {"run": run.parent}


def go_button(label: str, page: str, *, case: dict[str, str | None] | None = None, **look: Any) -> None:
    """A button that opens a page; `look` is what `st.button` takes."""
    st.button(label, on_click=go, args=(page,), kwargs=case or {}, **look)


def current(name: str) -> str | None:
    """An id of the current case, or None."""
    return st.session_state.get(name) or None
