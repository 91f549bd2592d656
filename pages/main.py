"""The entry script: navigation, sidebar, and the page that is open."""

from pathlib import Path

import streamlit as st

from pages._ui.shell.navigate import PAGES
from pages._ui.shell.shell import errors_shown
from pages._ui.shell.sidebar import sidebar

HERE = Path(__file__).parent
SECTIONS = {
    "Prepare": {"home": ("Home", "home"), "data": ("Data", "table_view")},
    "Model": {"train": ("Train", "model_training"), "runs": ("Runs", "history")},
    "Investigate": {
        "alerts": ("Alerts", "notifications"),
        "map": ("Map", "scatter_plot"),
        "reasons": ("Reasons", "stacked_bar_chart"),
        "explain": ("Explain", "troubleshoot"),
        "review": ("Review", "rate_review"),
        "calibration": ("Calibration", "balance"),
    },
    "Operate": {"score_file": ("Score file", "rule"), "evaluate": ("Evaluate", "fact_check")},
}

st.set_page_config(page_title="Anomaly Lens", page_icon=str(HERE / "_ui" / "mark.svg"), layout="wide")
st.html(HERE / "_ui" / "look.css")
st.logo(str(HERE / "_ui" / "logo.svg"), size="large")
page = st.navigation(
    {
        section: [
            st.Page(
                PAGES[name],
                title=title,
                icon=f":material/{icon}:",
                default=name == "home",
                url_path=None if name == "home" else name,
            )
            for name, (title, icon) in pages.items()
        ]
        for section, pages in SECTIONS.items()
    },
    expanded=True,
)
with errors_shown():
    sidebar()
page.run()
