"""The result of the drift check, and what it means in a sentence."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from ad_core.data.dataset import ColumnKind
from ad_core.data.profiling import WHOLLY
from ad_core.detector.score_shift import VERY_HIGH, ScoreShift

State = Literal["same", "watch", "withdrawn", "withdrawn for some rows", "unknown"]

NAMED, LISTED = 3, 20
"""Maximum number of columns that the sentence names, and that are kept with the run."""


@dataclass(frozen=True)
class Gate:
    """How a new file compares with the training data."""

    state: State
    """Unknown: nothing is known of the training data, so only the scores were compared."""
    columns: pd.DataFrame
    """As `profiling.drift` gives them."""
    outside: np.ndarray
    """(rows,) str: why nothing is guaranteed for this row by itself, else ""."""
    shift: ScoreShift | None = None
    """The shift of the scores, where there is one."""
    high: float | None = None
    """See `score_shift.many_high`."""
    by_high: bool = False
    """Whether columns have moved a lot, but only by rows that score high."""

    @property
    def withdrawn(self) -> np.ndarray:
        """(rows,) str: why nothing is guaranteed for this row, by itself or as one of this file, else ""."""
        if self.state != "withdrawn":
            return self.outside
        return np.where(self.outside == "", self._reason, self.outside)

    @property
    def sentence(self) -> str:
        """What the comparison means for the alerts."""
        if self.high is None or self.state == "withdrawn" or self.by_high:
            return self._of_state
        remark = (
            f"{self.high:.0%} of the rows score higher than {1 - VERY_HIGH:.0%} of the calibration rows do. If not all "
            "of these are anomalies, normal rows score higher than before, and the guarantee does not hold."
        )
        return remark if self.state == "watch" and not self._moved else f"{self._of_state} {remark}"

    @property
    def _of_state(self) -> str:
        count = int((self.outside != "").sum())
        if self.state == "withdrawn":
            clocks = [repr(line.column) for line in self._away if line.kind == ColumnKind.DATE]
            without = f", or without {' and '.join(clocks)}," if clocks else ""
            return (
                f"{self._reason} Scores still rank the rows, but no error rate is guaranteed. Train on newer rows"
                f"{without} to have a guarantee again."
            )
        if self.state == "withdrawn for some rows":
            rows, them = ("row holds", "it") if count == 1 else ("rows hold", "them")
            return (
                f"{count:,} {rows} values that were never seen. No error rate is guaranteed among {them}. In no "
                "single column, nor in their scores, do the other rows differ much from those that the detector was "
                "calibrated with."
            )
        if self.state == "watch" and self.by_high:
            return (
                f"These data differ from those that the detector was calibrated with, most in {self._moved}, but only "
                "by rows that score high. If these are anomalies, the guarantee holds; if not all of them are, normal "
                "rows have changed, and it does not."
            )
        if self.state == "watch":
            return (
                f"These data differ a little from those that the detector was calibrated with, most in {self._moved}. "
                "The realised error rates may differ somewhat from the guaranteed ones."
            )
        if self.state == "unknown":
            return (
                "Whether these data are like those that the detector was calibrated with could not be checked column "
                "by column: the detector is of an older version. Train it again to have the check."
            )
        return (
            "In every single column, and in their scores, these data are like those that the detector was calibrated "
            "with."
        )

    @property
    def _away(self) -> list[Any]:
        """Lines of the columns that lie beyond the range of the training rows as a whole."""
        return [line for line in self.columns.itertuples() if line.verdict == "act" and line.outside > WHOLLY]

    @property
    def _moved(self) -> str:
        moved = self.columns.loc[self.columns["verdict"] != "stable", "column"].tolist()
        return ", ".join(moved[:NAMED]) + (f" and {len(moved) - NAMED} more" if len(moved) > NAMED else "")

    @property
    def _reason(self) -> str:
        """Why nothing is guaranteed for the whole file."""
        if away := self._away:
            named = ", ".join(f"{line.column!r} ({line.outside:.0%} of its values)" for line in away[:NAMED])
            more = f" and {len(away) - NAMED} more" if len(away) > NAMED else ""
            return f"Beyond the range of the training rows lies {named}{more}."
        if "act" in set(self.columns["verdict"]):
            return f"These data differ from those that the detector was calibrated with, most in {self._moved}."
        return "" if self.shift is None else self.shift.sentence

    def facts(self) -> dict[str, Any]:
        """JSON-able, for a run's summary."""
        lines = self.columns.head(LISTED).to_dict("records")
        return {
            "state": self.state,
            "sentence": self.sentence,
            "columns": lines,
            "rows": int((self.outside != "").sum()),
        }
