"""Everything that was ever said of a row: who, when, beside which run, and what its score was then."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from ad_core.errors import AdError
from ad_core.storage import verdicts
from pages._ui.shell import words
from pages._ui.shell.stored import store

RULES = {
    "p": "p ≤ {}",
    "percentile": "percentile ≥ {}",
    "fdr": "false discovery rate ≤ {}",
    "fdr_dependent": "false discovery rate ≤ {}",
    "budget": "at most {} alerts",
    "tail": "rate per row ≤ {}",
}
"""Kind of rule -> how it is written."""


def verdict_history(dataset_id: str, row_id: str) -> None:
    """An expander with all words on the row, newest first; nothing where there is none."""
    lines = verdicts.history(store(), dataset_id, row_id).iloc[::-1]
    if lines.empty:
        return
    with st.expander(f"What was said of this row ({len(lines)})", icon=":material/history:"):
        st.dataframe(
            pd.DataFrame(
                {
                    "when": pd.to_datetime(lines["created"], utc=True),
                    "who": lines["author"],
                    "verdict": [words.VERDICTS[word][0] if word else "– taken back" for word in lines["verdict"]],
                    "tag": lines["tag"],
                    "note": lines["note"],
                    "run": [_run_name(run_id) for run_id in lines["run_id"]],
                    "score then": lines["score"],
                    "p then": lines["p_value"],
                    "threshold then": [rule_in_words(rule) for rule in lines["threshold"]],
                }
            ),
            hide_index=True,
            placeholder="–",
            alt=f"{len(lines)} verdicts on this row, newest first",
            column_config={
                "when": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm"),
                "score then": st.column_config.NumberColumn(format="%.3g"),
                "p then": st.column_config.NumberColumn(format="%.2g"),
            },
        )


def rule_in_words(rule: Mapping[str, Any]) -> str:
    """The threshold that was in force when a verdict was given."""
    parts = []
    if rule.get("kind"):
        parts.append(
            RULES.get(rule["kind"], f"{rule['kind']} {{}}".replace("_", " ")).format(words.number(rule["value"]))
        )
    if rule.get("score") is not None:
        parts.append(f"score ≥ {words.number(rule['score'])}")
    return ", ".join(parts)


def _run_name(run_id: str) -> str:
    try:
        return store().run(run_id).name if run_id else ""
    except AdError:
        return "(deleted)"
