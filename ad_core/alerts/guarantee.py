"""What a rule guarantees about false alerts, as a value: which error rate is at most what, whether that holds, and why.

`guarantee_words` says it in sentences.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, log

from ad_core.alerts.rule import Rule
from ad_core.alerts.trimming import rate_if_normal

SAME = 1e-9
"""Relative difference below which two values are equal: p-values and shares are rounded quotients."""
EULER = 0.577216


class ErrorRate(StrEnum):
    """The error rates that a rule can control."""

    FALSE_POSITIVE = "false positive rate"
    """Share of the normal rows that become alerts."""
    FALSE_DISCOVERY = "false discovery rate"
    """Expected share of the alerts that are false."""


CONTROLLED = {
    "p": ErrorRate.FALSE_POSITIVE,
    "fdr": ErrorRate.FALSE_DISCOVERY,
    "fdr_dependent": ErrorRate.FALSE_DISCOVERY,
}
"""Kind of rule -> the error rate that it controls; the others control none."""


@dataclass(frozen=True)
class CalibrationSize:
    """How much p-values are counted in."""

    n: int
    """Calibration rows, or blocks of recordings."""
    in_blocks: bool
    smallest_p: float
    """Smallest p-value that they can give; NaN = none."""
    trimmed: int = 0
    """Rows or blocks that were left out because they were taken for anomalies."""


@dataclass(frozen=True)
class RowsWithdrawn:
    """New rows that the drift check withdraws: they are alerts at the same value, outside the guarantee."""

    rows: int
    alerts: int
    why: str = ""
    """The most frequent reason."""


@dataclass(frozen=True)
class RowCounts:
    """How many rows of a batch there are of each sort, under a rule."""

    scored: int
    new: int
    """Scored rows that a guarantee can cover: neither training rows nor withdrawn by the drift check."""
    alerts: int
    new_alerts: int
    per_day: bool = False
    """Whether the rows lie on several days, so that a budget counts per day."""
    withdrawn: RowsWithdrawn | None = None


@dataclass(frozen=True)
class NoScores:
    """No row has a score."""


@dataclass(frozen=True)
class NoCalibrationRows:
    """The rule needs calibration rows, and there are none."""


@dataclass(frozen=True)
class TooFewBlocks:
    """The recordings have too few calibration blocks for p-values."""

    blocks: int


@dataclass(frozen=True)
class NoPValues:
    """The rule needs p-values, and no row has one."""


@dataclass(frozen=True)
class NoTail:
    """No tail can be fitted to the calibration scores."""

    why: str
    """The sentence of the error."""


@dataclass(frozen=True)
class SmallestPTooLarge:
    """The rule asks for a smaller p-value than the calibration can give."""

    calibration: CalibrationSize


@dataclass(frozen=True)
class TooFewAlertsPossible:
    """With so few calibration rows an alert passes only among at least `needed` alerts."""

    needed: int
    calibration: CalibrationSize


@dataclass(frozen=True)
class OnlyTrainingRows:
    """Every scored row was used for training or calibration."""


@dataclass(frozen=True)
class Drifted:
    """The drift check withdraws every row that is no training row."""

    why: str
    """See `RowsWithdrawn`."""


@dataclass(frozen=True)
class NoRateControlled:
    """The rule controls no error rate."""


@dataclass(frozen=True)
class Extrapolated:
    """The rate is an estimate beyond the calibration scores."""


@dataclass(frozen=True)
class TiesExceedBudget:
    """A budget is not used up, because more rows share the next score than there is room for."""


@dataclass(frozen=True)
class TrainingRowsNotCovered:
    """The guarantee holds for the new rows alone."""

    rows: int
    alerts: int


@dataclass(frozen=True)
class TrimmedCalibration:
    """Calibration rows were left out because they were taken for anomalies."""

    calibration: CalibrationSize
    rate: float | None
    """The largest false positive rate if all of them are normal; None where another rate is controlled."""


@dataclass(frozen=True)
class PooledSegments:
    """Segments that too few calibration rows belong to: the threshold for all rows holds in them."""

    segments: int
    first: str
    rows: int


@dataclass(frozen=True)
class UnreachableInSegments:
    """Segments in which no row can be an alert: their own calibration can't give a p-value as small as the rule's."""

    segments: int
    first: str
    smallest_p: float


@dataclass(frozen=True)
class DriftNotChecked:
    """Nothing is known of the training rows, so the columns of the new rows could not be compared with them."""


@dataclass(frozen=True)
class BlocksNotIndependent:
    """Blocks of one recording are less dependent than its time stamps, but not independent."""


NotApplicable = NoScores | NoCalibrationRows | TooFewBlocks | NoPValues | NoTail
"""Why a rule can make no row an alert."""
Broken = (
    NotApplicable
    | SmallestPTooLarge
    | TooFewAlertsPossible
    | OnlyTrainingRows
    | Drifted
    | NoRateControlled
    | Extrapolated
)
"""Why nothing is guaranteed."""
Note = TiesExceedBudget | PooledSegments | UnreachableInSegments
"""What is said whether a guarantee holds or not."""
Limit = (
    TrainingRowsNotCovered
    | RowsWithdrawn
    | DriftNotChecked
    | BlocksNotIndependent
    | TrimmedCalibration
    | PooledSegments
    | UnreachableInSegments
)
"""What narrows a guarantee that holds."""
Reason = Broken | TiesExceedBudget | Limit


@dataclass(frozen=True)
class Guarantee:
    """What is guaranteed of the alerts of a batch; `guarantee` builds it."""

    rule: Rule
    rows: RowCounts
    kind: ErrorRate | None
    """The error rate that the rule controls; None = none."""
    rate: float | None
    """That rate is at most this, on average over many calibrations and batches; None where none is controlled."""
    expected: float | None
    """Maximum number of alerts that are expected to be false; None where nothing says so."""
    holds: bool
    """Whether the rate is guaranteed, as long as normal rows are exchangeable with the calibration rows."""
    reasons: tuple[Reason, ...] = ()
    """Why it does not hold, or what narrows it."""


def guarantee(
    rule: Rule,
    rows: RowCounts,
    calibration: CalibrationSize,
    expected: float | None,
    not_applicable: NotApplicable | None = None,
    notes: Iterable[Note] = (),
) -> Guarantee:
    """What a rule guarantees about a batch.

    Args:
        rows: what the rule found.
        calibration: what the p-values are counted in.
        expected: see `Guarantee.expected`.
        not_applicable: why no row can be an alert under this rule.
        notes: what else is said.
    """
    kind = CONTROLLED.get(rule.kind)
    broken = not_applicable or _broken(rule, rows, calibration)
    reasons: list[Reason] = [broken] if broken else _limits(rule, rows, calibration)
    reasons += notes
    return Guarantee(
        rule=rule,
        rows=rows,
        kind=kind,
        rate=None if kind is None else rule.value,
        expected=expected,
        holds=broken is None,
        reasons=tuple(reasons),
    )


def _broken(rule: Rule, rows: RowCounts, calibration: CalibrationSize) -> Broken | None:
    """Why nothing is guaranteed; None where something is."""
    if rule.kind == "tail":
        return Extrapolated()
    if rule.kind not in CONTROLLED:
        return NoRateControlled()
    if rule.kind == "p" and rule.value < calibration.smallest_p * (1 - SAME):
        return SmallestPTooLarge(calibration)
    if not rows.new:
        return Drifted(rows.withdrawn.why) if rows.withdrawn else OnlyTrainingRows()
    if rule.kind == "p" or rows.new_alerts or rule.segment is not None:
        return None
    needed = fewest_alerts(rule, rows.new, calibration.smallest_p)
    return None if needed <= 1 else TooFewAlertsPossible(needed, calibration)


def fewest_alerts(rule: Rule, new: int, smallest_p: float) -> int:
    """Fewest alerts that a rule for the false discovery rate allows with this smallest p-value.

    k alerts among `new` rows pass only if p <= rate k / new, so k is at least new p / rate.
    """
    rate = rule.value
    if rule.kind == "fdr_dependent":
        penalty = log(new) + EULER + 1 / (2 * new)  # sum of 1 / k up to new: Benjamini & Yekutieli 2001, theorem 1.3
        rate /= max(penalty, 1.0)
    return ceil(new * smallest_p / rate * (1 - SAME))


def _limits(rule: Rule, rows: RowCounts, calibration: CalibrationSize) -> list[Reason]:
    limits: list[Reason] = []
    withdrawn = rows.withdrawn or RowsWithdrawn(0, 0)
    if training := rows.scored - rows.new - withdrawn.rows:
        limits.append(TrainingRowsNotCovered(training, rows.alerts - rows.new_alerts - withdrawn.alerts))
    if rows.withdrawn:
        limits.append(rows.withdrawn)
    if calibration.trimmed:
        rate = rate_if_normal(rule.value, calibration.n, calibration.trimmed) if rule.kind == "p" else None
        limits.append(TrimmedCalibration(calibration, rate))
    if calibration.in_blocks:
        limits.append(BlocksNotIndependent())
    return limits
