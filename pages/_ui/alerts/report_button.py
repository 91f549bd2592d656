"""A whole run as a file to keep or to send, made when somebody clicks."""

from typing import Any

import streamlit as st

from pages._ui.shell.stored import batch_or_none, store
from pages._ui.shell.threshold import threshold_at


def report_buttons(run_id: str) -> None:
    """Two downloads; the threshold is the one that is looked at."""
    st.download_button(
        "Report",
        data=lambda: _html(run_id),
        file_name=f"report-{run_id}.html",
        mime="text/html",
        icon=":material/summarize:",
        on_click="ignore",
        help="The whole run as one file: what drives its alerts, their groups, the highest ones and their reasons, and "
        "where it all comes from. It opens without a network.",
    )
    st.download_button(
        "Report as JSON",
        data=lambda: _json(run_id),
        file_name=f"report-{run_id}.json",
        mime="application/json",
        icon=":material/data_object:",
        on_click="ignore",
    )


def _html(run_id: str) -> str:
    from ad_core.review.reports import run_report

    facts, shown = gathered(run_id)
    return run_report.to_html(facts, shown)


def _json(run_id: str) -> str:
    from ad_core.review.reports import run_report

    return run_report.to_json(gathered(run_id)[0])


def gathered(run_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the report says and shows."""
    from ad_core.review.reports import run_report

    return run_report.gather(store(), run_id, batch_or_none(run_id), threshold_at(run_id).found)
