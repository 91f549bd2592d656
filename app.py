"""Start the app: `python app.py`. Its entry script is `pages/main.py`.

If a folder `pages` lies beside the entry script, Streamlit makes each of its files a page, and a deep link that is the
first request to a fresh server fails. Therefore the entry script is inside that folder.
"""

import logging
import traceback
from pathlib import Path

import streamlit as st

from ad_core.errors import AdError


def show_bug(error: Exception) -> bool:
    """Handle an error that no page caught: of a bug one sentence is shown, and its traceback goes to the terminal."""
    if isinstance(error, AdError):
        st.error(str(error))
        return True
    logging.getLogger("anomaly_lens").error("A page failed:\n%s", "".join(traceback.format_exception(error)))
    st.error(
        f"{type(error).__name__}. The full traceback is in the terminal from which the app was started. Nothing that "
        "was stored is lost. Reload the page to continue.",
        title="This is a bug in Anomaly Lens",
    )
    return True


app = st.App(Path(__file__).parent / "pages" / "main.py", on_script_error=show_bug)

if __name__ == "__main__":
    app.run()
