"""Downloads of a report on a whole run, made on a click."""

from typing import Any

import streamlit as st

from pages._ui.shell.stored import batch_or_none, store
from pages._ui.shell.threshold import threshold_at


def report_buttons(run_id: str) -> None:
    """Downloads as HTML and JSON, with the threshold that the page shows now."""
    st.download_button(
        "Report",
        data=lambda: _html(run_id),
        file_name=f"report-{run_id}.html",
        mime="text/html",
        icon=":material/summarize:",
        on_click="ignore",
        help="The whole run as one HTML file: global feature importance, groups of alerts, the highest alerts with "
        "their explanations, and the provenance of the results. It opens offline.",
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
    """Facts and figures of the report."""
    from ad_core.review.reports import run_report

    return run_report.gather(store(), run_id, batch_or_none(run_id), threshold_at(run_id).found)
