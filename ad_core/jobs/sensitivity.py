"""Does an alert survive when the most suspicious training rows are left out?

Training rows are seldom clean, and what a detector finds depends on them. So it is trained again without the 1, 2 and
5 % of them that classical detectors find most suspicious. An alert that stays among as many of the most unusual rows
each time does not hang on a few of them; one that drops out deserves a second look at what taught.
"""

import numpy as np
import pandas as pd

from ad_core.data.dataset import Dataset
from ad_core.errors import DataError
from ad_core.jobs.stability import column
from ad_core.methods.contamination import ranked_items, suspicion
from ad_core.methods.reference import flat_rows
from ad_core.pipeline import Choice, train_all
from ad_core.progress import Quiet, Report

SHARES = (0.01, 0.02, 0.05)
"""Of the training rows, the most suspicious ones, left out one share after the other."""


def sensitivity(dataset: Dataset, choice: Choice, report: Report) -> pd.DataFrame:
    """Train once as chosen to see what taught, then once for each share without the most suspicious rows.

    Args:
        choice: as the run under test was trained.

    Returns:
        `row_id`, and per share a column such as `rank_without_1` with the row's rank, 1 = most unusual; missing where
        it has no score.

    Raises:
        DataError: too few rows teach to leave any out; and whatever a training raises.
        Cancelled: the report says so.
    """
    report.stage("train")
    parts = len(SHARES) + 1
    suspicious = suspicious_rows(dataset, choice, Quiet(report, 0, 1 / parts))
    found = pd.DataFrame({"row_id": dataset.rows["row_id"].to_numpy()})
    for number, share in enumerate(SHARES, 1):
        report.check()
        gone = most_suspicious(suspicious, share)
        report.say(f"Training without {gone.sum():,} rows, the most suspicious {share:.0%}.")
        part = Quiet(report, number / parts, (number + 1) / parts)
        trained = train_all(dataset.with_training_rows(dataset.is_training & ~gone), choice, part, references=False)
        found[column(share)] = ranks(trained.scores["score"])
    return found


def suspicious_rows(dataset: Dataset, choice: Choice, report: Report) -> np.ndarray:
    """(rows,) how suspicious each training row is, NaN of the others; see `contamination.suspicion`."""
    quick = choice.model_copy(update={"pretext": "histogram", "scorer": None, "settings": _reader_alone(choice)})
    trained = train_all(dataset, quick, report, references=False)  # reads and splits as the run does
    split, item_set = trained.split, trained.item_set
    teaching = np.sort(np.concatenate([split.fit, split.early_stop, split.calibration]))
    items = ranked_items(teaching, choice.seed)
    rows = item_set.only(items).reduce(suspicion(flat_rows(item_set, items), choice.seed))
    return np.where(dataset.is_training, rows, np.nan)


def most_suspicious(suspicious: np.ndarray, share: float) -> np.ndarray:
    """(rows,) bool: so large a share of the rows that are judged, at least one.

    Raises:
        DataError: fewer than ten rows are judged.
    """
    known = np.flatnonzero(np.isfinite(suspicious))
    if len(known) < 10:
        raise DataError(f"Only {len(known)} rows teach: too few to leave some out. Choose more training rows.")
    count = max(1, round(share * len(known)))
    gone = np.zeros(len(suspicious), dtype=bool)
    gone[known[np.argsort(-suspicious[known], kind="stable")[:count]]] = True
    return gone


def ranks(scores: pd.Series) -> pd.Series:
    """1 = most unusual; rows with equal scores share the best rank of them."""
    return scores.rank(ascending=False, method="min")


def _reader_alone(choice: Choice) -> dict[str, dict[str, object]]:
    return {"reader": choice.settings["reader"]} if "reader" in choice.settings else {}
