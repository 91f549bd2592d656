"""How well a ranking finds labelled anomalies, beside classical detectors on the same rows."""

from typing import Any

import pandas as pd
import streamlit as st

from pages._ui import words


def judged(facts: dict[str, Any]) -> None:
    """An expander with the metrics, where there are labels."""
    found = {name: values for name, values in (facts.get("evaluation") or {}).items() if values}
    if not found:
        return
    own = found.get("method", {})
    title = (
        f"Judged by labels: AUROC {words.number(own.get('auroc'))}, average precision "
        f"{words.number(own.get('average_precision'))}"
    )
    with st.expander(title if own.get("auroc") is not None else "Judged by labels", icon=":material/fact_check:"):
        names = {"method": facts.get("method", "this detector")}
        lines = [
            {
                "detector": names.get(name, name.replace("_", " ")),
                "AUROC": values.get("auroc"),
                "95 % interval": _interval(values, "auroc"),
                "average precision": values.get("average_precision"),
                "95 % interval ": _interval(values, "average_precision"),
            }
            for name, values in found.items()
        ]
        st.dataframe(
            pd.DataFrame(lines).round(3),
            hide_index=True,
            alt="AUROC and average precision of the detector and of classical ones",
        )
        if own.get("positives") is not None:
            st.caption(f"{own['positives']:,} labelled anomalies among {own['n']:,} rows. Labels are never trained on.")
        if own.get("note"):
            st.warning(own["note"], icon=":material/warning:")


def _interval(values: dict[str, Any], name: str) -> str:
    low, high = values.get(f"{name}_low"), values.get(f"{name}_high")
    return f"{low:.3f} – {high:.3f}" if low is not None and high is not None else ""
