"""How far a review is, and what it says of the alerts so far."""

from collections.abc import Iterable

import streamlit as st

from ad_core.evaluation.precision import Precision, precision
from ad_core.review.queue import Queue
from pages._ui.shell import words


def review_progress(queue: Queue, said_of_alerts: Iterable[str]) -> None:
    """A bar with the count, and the precision with its interval."""
    share = queue.done / queue.total if queue.total else 0.0
    st.progress(share, text=f"**{queue.done:,} of {queue.total:,}** reviewed · {in_words(precision(said_of_alerts))}")


def in_words(found: Precision) -> str:
    """Precision so far, with what is counted apart."""
    apart = ", ".join(f"{n:,} {words.verdict(word).lower()}" for word, n in found.apart.items())
    if not found.judged:
        return "no alert is judged yet" + (f" (apart: {apart})" if apart else "")
    text = (
        f"precision so far **{100 * found.share:.0f} %**, between {100 * found.low:.0f} and {100 * found.high:.0f} % "
        f"(95 % interval): {found.hits:,} of {words.count(found.judged, 'judged alert')} "
        f"{'is an anomaly' if found.hits == 1 else 'are anomalies'}"
    )
    return f"{text}; apart: {apart}" if apart else text
