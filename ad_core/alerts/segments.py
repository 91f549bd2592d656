"""A threshold for each value of a column, such as each recording: its rows are compared with its own calibration rows.

Segments are matched by their values, as the user names them: by an entity column, or by the names of files. A segment
without calibration rows, such as a recording in a newly named file, is not left without alerts: its rows are compared
with all calibration rows, by one threshold, and that is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ad_core.alerts.calibration import Calibration
from ad_core.alerts.calibration_rows import in_use
from ad_core.alerts.extreme_values import PeaksOverThreshold
from ad_core.alerts.guarantee import SAME, PooledSegments, UnreachableInSegments
from ad_core.alerts.rule import BY_P, LARGEST_DEFAULT_P, Rule, RuleKind
from ad_core.errors import DataError


@dataclass(frozen=True)
class Segment:
    """Rows that are compared with the same calibration rows."""

    name: str
    rows: np.ndarray
    """(k,) their positions."""
    calibration: Calibration


def in_segments(
    rule: Rule, rows: pd.DataFrame, calibration: Calibration, calibration_rows: pd.DataFrame | None
) -> tuple[list[Segment], PooledSegments | None]:
    """Each segment's rows with their own calibration; the rows of segments with too few calibration rows together, with
    the calibration of all.

    Args:
        rule: only its kind and segment are looked at.
        rows, calibration, calibration_rows: as for `threshold.critical_values`.

    Raises:
        DataError: neither these rows nor the calibration rows have the segment, or it is not known whether those do.
    """
    segment = rule.segment
    if segment is None:
        return [Segment("", np.arange(len(rows)), calibration)], None
    own = _own_calibrations(segment, rows, calibration_rows)
    values = rows[segment] if segment in rows else pd.Series(["(none)"] * len(rows))
    groups = values.reset_index(drop=True).groupby(values.to_numpy(), dropna=False).indices
    apart: list[Segment] = []
    shared: dict[object, np.ndarray] = {}
    for value, at in groups.items():
        calibrated_alone = own.get(value)
        if rule.kind in ("budget", "score"):
            apart.append(Segment(str(value), np.asarray(at), calibrated_alone or calibration))
        elif calibrated_alone is None or not _suffices(rule.kind, calibrated_alone):
            shared[value] = np.asarray(at)
        else:
            apart.append(Segment(str(value), np.asarray(at), calibrated_alone))
    if not shared:
        return apart, None
    together = np.sort(np.concatenate(list(shared.values())))
    first = str(next(iter(shared)))
    return [*apart, Segment(first, together, calibration)], PooledSegments(len(shared), first, len(together))


def unreachable(segments: Sequence[Segment], p: float) -> UnreachableInSegments | None:
    """Segments whose own calibration can't give so small a p-value; None where all can, or none can."""
    silent = [one for one in segments if one.calibration.smallest_p > p * (1 + SAME)]
    if not silent or len(silent) == len(segments):
        return None
    return UnreachableInSegments(len(silent), silent[0].name, min(one.calibration.smallest_p for one in silent))


def _own_calibrations(
    segment: str, rows: pd.DataFrame, calibration_rows: pd.DataFrame | None
) -> dict[object, Calibration]:
    """Value of the segment -> the calibration by its own calibration rows."""
    if calibration_rows is None and segment in rows:
        raise DataError(
            f"It is not known which {segment} each calibration row belongs to: the detector is of an older version. "
            f"Train it again, or use one threshold for all."
        )
    if calibration_rows is None or segment not in calibration_rows:
        if segment in rows:
            return {}
        raise DataError(f"There is no column {segment!r} in the scores, so there is no threshold for each of them.")
    return {
        value: Calibration.fit(part["score"], blocks=part.get("block"))
        for value, part in in_use(calibration_rows).groupby(segment)
    }


def _suffices(kind: RuleKind, own: Calibration) -> bool:
    """Whether a segment's own calibration rows are enough for a rule of this kind."""
    if kind in BY_P:
        return own.smallest_p <= LARGEST_DEFAULT_P  # False for NaN
    if kind == "tail":
        try:
            PeaksOverThreshold.fit(own.scores[own.counts])
        except DataError:
            return False
    return True
