"""Sensitivity of alerts to the training rows: is a row still an alert without the most suspicious of them?

Training rows are seldom free of anomalies, and the scores depend on them. So the detector is trained again without the
1, 2 and 5 % of the training rows that classical detectors find most suspicious. An alert that stays among the same
number of highest scores each time does not depend on those few rows; if one drops out, the training rows should be
reviewed.
"""

import numpy as np
import pandas as pd

from ad_core.data.dataset import Dataset
from ad_core.errors import DataError
from ad_core.jobs.stability import column
from ad_core.methods.contamination import ranked_items, suspicion
from ad_core.methods.reference import flat_rows
from ad_core.pipeline import train_all
from ad_core.progress import Quiet, Report
from ad_core.training.choice import Choice

SHARES = (0.01, 0.02, 0.05)
"""Shares of the training rows, the most suspicious ones, that are left out; one training each."""


def sensitivity(dataset: Dataset, choice: Choice, report: Report) -> pd.DataFrame:
    """Rank the training rows by suspicion, then train once for each share without the most suspicious ones.

    Args:
        choice: the settings of the run under test.

    Returns:
        `row_id`, and per share a column such as `rank_without_1` with the row's rank, 1 = most anomalous; missing if
        it has no score.

    Raises:
        DataError: there are too few training rows; or any error of a training.
        Cancelled: the run was asked to stop.
    """
    report.stage("train")
    parts = len(SHARES) + 1
    suspicious = suspicious_rows(dataset, choice, Quiet(report, 0, 1 / parts))
    table = pd.DataFrame({"row_id": dataset.rows["row_id"].to_numpy()})
    for number, share in enumerate(SHARES, 1):
        report.check()
        gone = most_suspicious(suspicious, share)
        report.say(f"Training without {gone.sum():,} rows, the most suspicious {share:.0%}.")
        part = Quiet(report, number / parts, (number + 1) / parts)
        trained = train_all(dataset.with_training_rows(dataset.is_training & ~gone), choice, part, references=False)
        table[column(share)] = ranks(trained.scores["score"])
    return table


def suspicious_rows(dataset: Dataset, choice: Choice, report: Report) -> np.ndarray:
    """(rows,) suspicion of each training row, see `contamination.suspicion`; NaN for other rows."""
    quick = choice.model_copy(update={"pretext": "histogram", "scorer": None, "settings": _reader_alone(choice)})
    trained = train_all(dataset, quick, report, references=False)  # reads and splits as the run does
    split, item_set = trained.split, trained.item_set
    teaching = np.sort(np.concatenate([split.fit, split.early_stop, split.calibration]))
    items = ranked_items(teaching, choice.seed)
    rows = item_set.only(items).reduce(suspicion(flat_rows(item_set, items), choice.seed))
    return np.where(dataset.is_training, rows, np.nan)


def most_suspicious(suspicious: np.ndarray, share: float) -> np.ndarray:
    """(rows,) bool: the given share of the rows with a suspicion, the highest ones, at least one.

    Raises:
        DataError: fewer than ten rows have one.
    """
    known = np.flatnonzero(np.isfinite(suspicious))
    if len(known) < 10:
        raise DataError(
            f"There are only {len(known)} training rows: too few to leave some out. Choose more training rows."
        )
    count = max(1, round(share * len(known)))
    gone = np.zeros(len(suspicious), dtype=bool)
    gone[known[np.argsort(-suspicious[known], kind="stable")[:count]]] = True
    return gone


def ranks(scores: pd.Series) -> pd.Series:
    """1 = highest score; rows with equal scores share the best of their ranks."""
    return scores.rank(ascending=False, method="min")


def _reader_alone(choice: Choice) -> dict[str, dict[str, object]]:
    return {"reader": choice.settings["reader"]} if "reader" in choice.settings else {}
