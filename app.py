"""Start the app: `python app.py`. Its entry script is `pages/main.py`.

A folder `pages` beside an entry script makes Streamlit take its files for pages of their own, and a deep link that is
the first request to a fresh server then fails; therefore the entry script lives inside that folder.
"""

import logging
import traceback
from pathlib import Path

import streamlit as st

from ad_core.errors import AdError


def show_bug(error: Exception) -> bool:
    """Whatever a page did not catch: a bug gets one sentence, and its trace goes to the terminal."""
    if isinstance(error, AdError):
        st.error(str(error))
        return True
    logging.getLogger("anomaly_lens").error("A page failed:\n%s", "".join(traceback.format_exception(error)))
    st.error(
        f"{type(error).__name__}. The full trace is in the terminal that the app was started from; "
        "nothing that was stored is lost. Reload the page to go on.",
        title="This is a bug in Anomaly Lens",
    )
    return True


app = st.App(Path(__file__).parent / "pages" / "main.py", on_script_error=show_bug)

if __name__ == "__main__":
    app.run()
