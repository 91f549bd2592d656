"""The progress of a review, and the precision of the alerts so far."""

from collections.abc import Iterable

import streamlit as st

from ad_core.evaluation.precision import Precision, precision
from ad_core.review.queue import Queue
from pages._ui.shell import words


def review_progress(queue: Queue, verdicts: Iterable[str]) -> None:
    """A progress bar with the counts, and the precision with its interval."""
    share = queue.done / queue.total if queue.total else 0.0
    st.progress(share, text=f"**{queue.done:,} of {queue.total:,}** reviewed · {in_words(precision(verdicts))}")


def in_words(found: Precision) -> str:
    """Precision so far, and the verdicts that are not counted."""
    apart = ", ".join(f"{n:,} {words.verdict(word).lower()}" for word, n in found.apart.items())
    if not found.judged:
        return "no anomaly or normal verdict yet" + (f" (not counted: {apart})" if apart else "")
    text = (
        f"precision so far **{100 * found.share:.0f} %** (95 % interval {100 * found.low:.0f} to "
        f"{100 * found.high:.0f} %): {words.count(found.hits, 'anomaly', 'anomalies')}, "
        f"{found.judged - found.hits:,} normal"
    )
    return f"{text}; not counted: {apart}" if apart else text
