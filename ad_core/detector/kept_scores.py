"""Out-of-bag scores that training rows keep: which rows of a data set they belong to.

A kept score belongs to a row with the same id and the same content. The score of a time step comes from the windows
around it, so in a recording the windows have to be the same too, not only the values at that moment.
"""

import numpy as np
import pandas as pd

from ad_core.data.dataset import Dataset
from ad_core.data.item_set import ItemSet
from ad_core.data.recordings.windows import covered
from ad_core.data.row_content import CONTENT, RowContent, by_id, has_content
from ad_core.methods.recipe import HeldOut


def kept_scores(item_set: ItemSet, held_out: HeldOut) -> pd.DataFrame:
    """The out-of-bag scores of training rows.

    Returns:
        `row_id`, `score`, `position` (among the held-out items, of the first one that covers the row), and CONTENT.
    """
    scores = item_set.only(held_out.items).reduce(held_out.scores)
    start = item_set.items["start"].to_numpy()[held_out.items]
    position = np.full(item_set.samples, -1, dtype=np.int64)
    for offset in range(item_set.span)[::-1]:
        position[start + offset] = np.arange(len(start))
    rows = pd.DataFrame(
        {
            "row_id": item_set.rows["row_id"].reset_index(drop=True),
            "score": scores,
            "position": position[item_set.rows["sample"].to_numpy()],
        }
    ).join(RowContent.of(item_set).table())
    return rows[np.isfinite(scores)].reset_index(drop=True)


def keeping(kept: pd.DataFrame, item_set: ItemSet) -> np.ndarray:
    """(rows,) position in `kept` of the score that each row keeps, -1 for rows that keep none.

    Args:
        kept: as `kept_scores` gives it; older ones have no content, and their scores belong to ids.
    """
    at = by_id(kept, item_set.rows)
    if not has_content(kept) or not (at >= 0).any():
        return np.asarray(at)
    same = (at >= 0) & RowContent.of(item_set).same_as(kept[CONTENT].to_numpy()[at])
    if item_set.span > 1:
        same &= _in_same_windows(item_set, same, (at >= 0) & ~same)
    return np.where(same, at, -1)


def _in_same_windows(item_set: ItemSet, same: np.ndarray, changed: np.ndarray) -> np.ndarray:
    """(rows,) bool: rows in at least one stretch as long as a window that is the same, and in no window with a change.

    Args:
        same, changed: (rows,) bool: rows that are as they were, and that have the id of a row that was different.
    """
    row, span = item_set.row_of_sample(), item_set.span
    until = np.concatenate([[0], np.cumsum(same[row])])
    whole = covered(np.flatnonzero(until[span:] - until[:-span] == span), span, item_set.samples)
    until = np.concatenate([[0], np.cumsum(changed[row])])
    start = item_set.items["start"].to_numpy()
    touched = item_set.reduce((until[start + span] > until[start]).astype(np.float64), "max")
    sample = item_set.rows["sample"].to_numpy()
    return np.asarray((sample >= 0) & whole[sample] & ~(touched > 0))


def by_id_alone(kept: pd.DataFrame | None, dataset: Dataset) -> list[str]:
    """A sentence where rows of other data would keep scores by their ids alone, because the bundle is an older one.

    Args:
        kept: as `kept_scores` gives it; None = there are no kept scores.
        dataset: that is not the training data.
    """
    count = 0 if kept is None or has_content(kept) else int(dataset.rows["row_id"].isin(kept["row_id"]).sum())
    if not count:
        return []
    rows = "1 row has" if count == 1 else f"{count:,} rows have"
    return [
        f"{rows} the id of a training row and the score of that row, whatever the values are now: this detector is of "
        f"an older version, which stored ids without values. If these are other rows, give them other ids, or train "
        f"the detector again."
    ]


def positions_of(kept: pd.DataFrame | None, item_set: ItemSet, index: np.ndarray) -> np.ndarray:
    """(k,) the place of each item among the held-out items, -1 for items that are not scored out of bag.

    Args:
        kept: as `kept_scores` gives it; None = there are no kept scores.
        index: (k,) positions in the item set.
    """
    if kept is None or not len(kept) or "position" not in kept:
        return np.full(len(index), -1, dtype=np.int64)
    at = keeping(kept, item_set)
    whole = np.isin(index, item_set.items_within(at >= 0))
    first = item_set.row_of_sample()[item_set.items["start"].to_numpy()[index]]
    return np.where(whole, kept["position"].to_numpy(np.int64)[at[first]], -1)


def with_positions(kept: pd.DataFrame | None, fitted_to: int | None) -> pd.DataFrame | None:
    """Kept scores of an older bundle with their positions, where these are the order of the rows.

    Args:
        fitted_to: number of items that the model was fitted to; None = not known.
    """
    if kept is None or "position" in kept or fitted_to != len(kept):
        return kept
    return kept.assign(position=np.arange(len(kept)))
