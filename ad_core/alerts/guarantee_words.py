"""A guarantee in sentences; the only place that words it."""

from math import ceil, isfinite

from ad_core.alerts.calibration import Calibration
from ad_core.alerts.guarantee import (
    BlocksNotIndependent,
    CalibrationSize,
    Drifted,
    DriftNotChecked,
    Extrapolated,
    Guarantee,
    Limit,
    NoCalibrationRows,
    NoPValues,
    NoRateControlled,
    NoScores,
    NoTail,
    NotApplicable,
    OnlyTrainingRows,
    PooledSegments,
    Reason,
    RowsWithdrawn,
    SmallestPTooLarge,
    TiesExceedBudget,
    TooFewAlertsPossible,
    TooFewBlocks,
    TrainingRowsNotCovered,
    TrimmedCalibration,
    UnreachableInSegments,
)
from ad_core.alerts.trimming import rate_if_normal

ASSUMPTION = "The guarantee holds while normal rows stay like the calibration rows (exchangeable with them)."


def sentences(guarantee: Guarantee) -> str:
    """What is guaranteed, or why nothing is."""
    reasons = [(reason, _reason(reason, guarantee)) for reason in guarantee.reasons]
    if guarantee.reasons and isinstance(guarantee.reasons[0], NotApplicable):
        return reasons[0][1]
    segment = guarantee.rule.segment
    found = [
        _finding(guarantee),
        *(text for reason, text in reasons if not isinstance(reason, Limit)),
        _by_chance(guarantee),
        f"Each {segment} has a threshold of its own." if segment else "",
        ASSUMPTION if guarantee.holds else "",
        *(text for reason, text in reasons if isinstance(reason, Limit)),
    ]
    return " ".join(text for text in found if text)


def _finding(guarantee: Guarantee) -> str:
    """What the rule does to this batch; empty where the reason says it all."""
    rule, rows = guarantee.rule, guarantee.rows
    covered = rows.new or rows.scored
    match rule.kind:
        case "p" if not _has(guarantee, SmallestPTooLarge) and not _has(guarantee, Drifted):
            new = "" if rows.new in (0, rows.scored) else "covered " if rows.withdrawn else "new "
            return (
                f"If all {covered:,} {new}rows were normal, about {_about(rule.value * covered)} of them would become "
                f"alerts by chance (false positive rate {_percent(rule.value)})."
            )
        case "fdr" | "fdr_dependent" if guarantee.holds and rows.new_alerts:
            alerts = "this alert" if rows.new_alerts == 1 else f"these {rows.new_alerts:,} alerts"
            return (
                f"Of {alerts} at most {_about(rule.value * rows.new_alerts)} are expected to be false (false discovery "
                f"rate {_percent(rule.value)}, on average over many such files)."
            )
        case "fdr" | "fdr_dependent" if guarantee.holds:
            return f"No alert: no p-value is small enough for a false discovery rate of {_percent(rule.value)}."
        case "budget":
            day = " a day" if rows.per_day else ""
            return f"At most {rule.value:,.0f} alert{'' if rule.value == 1 else 's'}{day}, the highest scores."
        case "percentile":
            return f"Alerts score higher than {rule.value:.6g} % of the calibration rows."
        case "score":
            return "A fixed score."
        case "tail":
            return (
                f"If the scores of normal rows continue as the fitted tail does, about {_about(rule.value * covered)} "
                f"of {covered:,} normal rows would become alerts."
            )
        case _:
            return ""


def _reason(reason: Reason, guarantee: Guarantee) -> str:
    """One reason as a sentence."""
    rule, rows = guarantee.rule, guarantee.rows
    match reason:
        case NoScores():
            return "No row has a score, so there is nothing to alert on."
        case NoCalibrationRows():
            return "There are no calibration rows, so nothing says which scores are normal. Choose a budget or a score."
        case TooFewBlocks(blocks):
            return _no_p_values(f"{blocks} blocks of calibration rows are too few for them")
        case NoPValues():
            return _no_p_values("no row has one")
        case NoTail(why):
            return f"{why} Choose another rule."
        case SmallestPTooLarge(calibration):
            return (
                f"p ≤ {rule.value:g} can't be reached: with {_calibration(calibration)} the smallest p is "
                f"{calibration.smallest_p:.2g}. So there is no alert, and nothing is guaranteed."
            )
        case TooFewAlertsPossible(needed, calibration):
            least = f"all {rows.new:,} rows would not be enough"
            if needed <= rows.new:
                least = f"at least {needed:,} of {rows.new:,} rows must be alerts together"
            return (
                f"No alert: with {_calibration(calibration)} the smallest p is {calibration.smallest_p:.2g}, and for a "
                f"false discovery rate of {_percent(rule.value)} {least}."
            )
        case OnlyTrainingRows() if rule.kind == "p":
            return "All these rows were used for training or calibration, so this rate is only indicative."
        case OnlyTrainingRows():
            return (
                "All these rows were used for training or calibration, so the false discovery rate is not guaranteed. "
                "Score a file of new rows, or choose another rule."
            )
        case Drifted(why):
            said = why if why.endswith(".") else f"{_count(rows.scored, 'row')}, such as: {why}."
            return f"Nothing is guaranteed, because the drift check withdraws every new row. {said}"
        case NoRateControlled():
            return "Nothing is guaranteed about how many are false."
        case Extrapolated():
            return "That is an estimate beyond the calibration scores, and no guarantee."
        case TiesExceedBudget():
            return "Rows of equal score are alerts together or not at all; the next ones would exceed the budget."
        case TrainingRowsNotCovered(training, alerts):
            also = f"; {alerts:,} of them {'is an alert' if alerts == 1 else 'are alerts'} too" if alerts else ""
            return f"It does not cover the {_count(training, 'training row')}{also}."
        case RowsWithdrawn(withdrawn, alerts, why):
            also = f", {alerts:,} of them {'an alert' if alerts == 1 else 'alerts'}" if alerts else ""
            return f"It does not cover {_count(withdrawn, 'row')} that the drift check withdraws ({why}){also}."
        case DriftNotChecked():
            return (
                "Whether the new rows are like the training rows could not be checked column by column: the detector "
                "is of an older version."
            )
        case TrimmedCalibration(size, rate):
            if rate is None:
                price = "If some of them are normal after all, more alerts are false than guaranteed."
            else:
                price = f"If all of them were normal, it could be up to {_percent(round(rate, 4))}."
            return f"It assumes that {_trimmed(size.trimmed, size.n, size.in_blocks)} are anomalies. {price}"
        case PooledSegments(segments, first, pooled):
            return (
                f"Too few calibration rows belong to {_segments(guarantee, segments, first)}: {_count(pooled, 'row')} "
                f"there {'is' if pooled == 1 else 'are'} compared with all calibration rows, by one threshold."
            )
        case UnreachableInSegments(segments, first, smallest_p):
            return (
                f"No row of {_segments(guarantee, segments, first)} can be an alert: the smallest p that the own "
                f"calibration rows can give there is {smallest_p:.2g}."
            )
        case BlocksNotIndependent():
            return "It is approximate: blocks of one recording are not independent."


def trimmed_in_words(calibration: Calibration) -> str:
    """What was left out of the calibration, and what that can cost; empty where nothing was."""
    if not calibration.trimmed:
        return ""
    cost = rate_if_normal(0.05, calibration.n, calibration.trimmed)
    return (
        f"The calibration leaves out {_trimmed(calibration.trimmed, calibration.n, calibration.approximate)}: they are "
        f"taken for anomalies, since scores of normal rows hardly reach so far. If all of them were normal, p ≤ 0.05 "
        f"would alert up to {_percent(round(cost, 4))} of the normal rows."
    )


def _trimmed(trimmed: int, kept: int, in_blocks: bool) -> str:
    unit = "blocks of calibration rows" if in_blocks else "calibration rows"
    return f"the {trimmed:,} highest of {kept + trimmed:,} {unit}"


def _by_chance(guarantee: Guarantee) -> str:
    """How many normal rows would score as high, for rules that control no rate."""
    expected, rows = guarantee.expected, guarantee.rows
    if expected is None or not rows.alerts or not _has(guarantee, NoRateControlled):
        return ""
    return f"By chance about {_about(expected)} of {rows.new:,} normal rows would score as high."


def _segments(guarantee: Guarantee, number: int, first: str) -> str:
    name = guarantee.rule.segment
    return f"{name} {first!r}" if number == 1 else f"{number:,} values of {name}, such as {first!r}"


def _count(number: int, unit: str) -> str:
    return f"{number:,} {unit}{'' if number == 1 else 's'}"


def _no_p_values(why: str) -> str:
    return f"There are no p-values: {why}. Choose a budget, a percentile or a score; they guarantee nothing."


def _has(guarantee: Guarantee, reason: type) -> bool:
    return any(isinstance(found, reason) for found in guarantee.reasons)


def _calibration(size: CalibrationSize) -> str:
    unit = "block" if size.in_blocks else "calibration row"
    of_rows = " of calibration rows" if size.in_blocks else ""
    return f"{size.n:,} {unit}{'' if size.n == 1 else 's'}{of_rows}"


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def _about(count: float) -> str:
    """A number of rows that is never rounded to a better one."""
    if not isfinite(count):
        return "an unknown number"
    return f"{ceil(round(count, 6)):,}" if count >= 10 else f"{ceil(round(count * 10, 6)) / 10:g}"
