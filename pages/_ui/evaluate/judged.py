"""Metrics of a ranking with labels, beside those of classical detectors on the same rows."""

from typing import Any

import pandas as pd
import streamlit as st

from pages._ui.shell import words
from pages._ui.shell.glossary import sentence

MEASURES = {
    "vus_pr": "VUS-PR",
    "event_recall": "event recall",
    "auroc": "AUROC",
    "average_precision": "average precision",
}
"""Metric -> title, the most important first; the first two are for recordings only."""


def judged(facts: dict[str, Any]) -> None:
    """An expander with the metrics, where there are labels."""
    found = {name: values for name, values in (facts.get("evaluation") or {}).items() if values}
    if not found:
        return
    own = found.get("method", {})
    measures = [measure for measure in MEASURES if measure in own]
    names_shown = [MEASURES[measure] for measure in measures]
    figures = ", ".join(f"{MEASURES[measure]} {words.number(own[measure])}" for measure in measures)
    title = f"Evaluation with labels: {figures}" if own.get("auroc") is not None else "Evaluation with labels"
    with st.expander(title, icon=":material/fact_check:"):
        names = {"method": facts.get("method", "this detector")}
        lines = [
            {"detector": names.get(name, name.replace("_", " ")), **_line(found[name], measures)} for name in found
        ]
        st.dataframe(
            pd.DataFrame(lines).round(3),
            hide_index=True,
            column_config={name: st.column_config.Column(help=sentence(name)) for name in names_shown},
            alt=f"{', '.join(names_shown)} of the detector and of classical ones",
        )
        if own.get("positives") is not None:
            st.caption(f"{own['positives']:,} labelled anomalies among {own['n']:,} rows. Labels are never trained on.")
        if own.get("recordings"):
            st.caption(
                f"They are {words.count(own['events'], 'event')} in {words.count(own['recordings'], 'recording')}; "
                f"VUS-PR and event recall are means over the recordings."
            )
        if own.get("note"):
            st.warning(own["note"], icon=":material/warning:")


def _line(values: dict[str, Any], measures: list[str]) -> dict[str, Any]:
    """The line of one detector: each metric, with its interval where there is one."""
    line: dict[str, Any] = {}
    for place, measure in enumerate(measures):
        line[MEASURES[measure]] = values.get(measure)
        if f"{measure}_low" in values:
            line["95 % interval" + " " * place] = _interval(values, measure)  # each column needs another name
    return line


def _interval(values: dict[str, Any], name: str) -> str:
    low, high = values.get(f"{name}_low"), values.get(f"{name}_high")
    return f"{low:.3f} – {high:.3f}" if low is not None and high is not None else ""
