"""The rows of a calibration with their scores, so that single ones can be left out later."""

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ad_core.alerts.calibration import Calibration
from ad_core.alerts.trimming import suspicious
from ad_core.data.row_content import RowContent
from ad_core.errors import DataError

if TYPE_CHECKING:
    from ad_core.data.item_set import ItemSet
    from ad_core.methods.recipe import HeldOut


def of_items(item_set: "ItemSet", held_out: "HeldOut") -> pd.DataFrame:
    """The rows that held-out items cover, scored by held-out items alone.

    Returns:
        `row_id`, `score`, `entity` and `time` where they exist, the content of each row (see `data.row_content`), and
        for recordings `block`: one block is as long as one window, since overlapping windows are not independent. Rows
        without a score are left out.
    """
    scores = item_set.only(held_out.items).reduce(held_out.scores)
    rows = item_set.rows[[name for name in ("row_id", "entity", "time") if name in item_set.rows]].assign(score=scores)
    if item_set.span > 1:
        rows["block"] = item_set.rows["sample"].to_numpy() // item_set.span
    rows = rows.reset_index(drop=True).join(RowContent.of(item_set).table())
    return rows.loc[np.isfinite(scores)].reset_index(drop=True)


def trimmed(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with a column `trimmed`, true for those that are taken for anomalies (see `trimming`); in a recording,
    for whole blocks.
    """
    blocks = rows.get("block")
    highest = rows["score"] if blocks is None else rows["score"].groupby(blocks).transform("max")
    units = highest if blocks is None else highest[~blocks.duplicated()]
    count = suspicious(units.to_numpy(dtype=np.float64))
    is_trimmed = highest > np.sort(units)[len(units) - count - 1] if count else np.zeros(len(rows), dtype=bool)
    return rows.assign(trimmed=is_trimmed)


def calibrated(rows: pd.DataFrame, left_out: Collection[str] = (), kept: Collection[str] = ()) -> Calibration:
    """The calibration by these rows without some of them; in a recording, without the whole blocks that hold them.

    Args:
        rows: as `of_items` gives them; those that are `trimmed` are left out.
        left_out: row ids; those that are not among the rows are ignored.
        kept: ids of rows that stay although they are trimmed.

    Raises:
        DataError: no row is left.
    """
    blocks, gone = rows.get("block"), _gone(rows, left_out, kept)
    if len(rows) and gone.all():
        raise DataError(
            "Every calibration row would be left out, and nothing would say which scores are normal. Keep some."
        )
    calibration = Calibration.fit(rows.loc[~gone, "score"], blocks=None if blocks is None else blocks[~gone])
    only_trimmed = gone & ~_gone(rows.drop(columns="trimmed", errors="ignore"), left_out)
    count = int(only_trimmed.sum()) if blocks is None else int(blocks[only_trimmed].nunique())
    return replace(calibration, trimmed=count)


def marked(rows: pd.DataFrame, left_out: Collection[str] = (), kept: Collection[str] = ()) -> pd.DataFrame:
    """The rows with a column `left_out`, true for those that `calibrated` leaves out."""
    return rows.assign(left_out=_gone(rows, left_out, kept))


def in_use(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that the present calibration is made of: those that are not marked as left out."""
    return rows.loc[~rows["left_out"]] if "left_out" in rows else rows


def _gone(rows: pd.DataFrame, left_out: Collection[str], kept: Collection[str] = ()) -> pd.Series:
    """(rows,) bool: rows that are left out; in a recording, whole blocks."""
    blocks = rows.get("block")
    gone, stays = (rows["row_id"].isin(list(ids)) for ids in (left_out, kept))
    if blocks is not None:
        gone, stays = (blocks.isin(blocks[some]) for some in (gone, stays))
    return gone | (rows["trimmed"] & ~stays) if "trimmed" in rows else gone
