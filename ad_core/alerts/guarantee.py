"""What a rule guarantees about false alerts, in one or two plain sentences; or why it guarantees nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, isfinite, log


@dataclass(frozen=True)
class Findings:
    """What is known of a batch of rows under a rule."""

    scored: int
    fresh: int
    """Scored rows that neither taught the model nor calibrate it."""
    alerts: int
    covered: int
    """Alerts among the fresh rows."""
    expected: float | None
    lacks: str
    n: int
    """Calibration rows, or blocks of a recording."""
    smallest_p: float
    approximate: bool
    a_day: bool
    tied: bool
    """A budget is not used up, because more rows share the next score than it has room for."""
    apart: bool
    """Segments have thresholds of their own."""


def guarantee(kind: str, value: float, segment: str | None, found: Findings) -> tuple[bool, str]:
    """Whether something is guaranteed, and the sentences.

    Args:
        kind: of a `threshold.Rule`.
        value: its value.
        segment: the column whose values have thresholds of their own, or None.
        found: what the rule found.
    """
    if found.lacks:
        return False, found.lacks
    guaranteed, text = SENTENCES[kind](value, found)
    if segment:
        text += f" Each {segment} has a threshold of its own."
    if guaranteed:
        text += _limits(found)
    return guaranteed, text


def _by_p(alpha: float, found: Findings) -> tuple[bool, str]:
    if alpha < found.smallest_p * (1 - 1e-9):
        return False, (
            f"p ≤ {alpha:g} can't be reached: with {_calibration(found)} the smallest p is {found.smallest_p:.2g}. "
            "So there is no alert, and nothing is guaranteed."
        )
    rows = found.fresh or found.scored
    text = f"If all {rows:,} {'' if found.fresh == found.scored else 'new ' if found.fresh else ''}rows were usual, "
    text += f"about {_about(alpha * rows)} of them would be alerts by chance."
    if not found.fresh:
        return False, f"{text} {ALL_TAUGHT} so this is a guide and no guarantee."
    return True, text


def _by_fdr(alpha: float, found: Findings) -> tuple[bool, str]:
    return _false_share(alpha, alpha, found)


def _by_any_fdr(alpha: float, found: Findings) -> tuple[bool, str]:
    m = max(found.fresh, 1)
    penalty = log(m) + 0.577216 + 1 / (2 * m)  # sum of 1 / k up to m: Benjamini & Yekutieli 2001, theorem 1.3
    return _false_share(alpha, alpha / max(penalty, 1.0), found)


def _false_share(alpha: float, strict: float, found: Findings) -> tuple[bool, str]:
    """`strict` is what the share amounts to for the most extreme row; fewer alerts than m p / strict can't pass."""
    if not found.fresh:
        return False, (
            f"{ALL_TAUGHT} and ranked among themselves p-values can't say how many alerts are false: nothing is "
            "guaranteed. Score a file of new rows, or choose another rule."
        )
    if found.covered:
        many = "this alert" if found.covered == 1 else f"these {found.covered:,} alerts"
        return True, (
            f"Of {many} we expect at most {_about(alpha * found.covered)} to be false "
            f"({100 * alpha:g} % on average over many such files)."
        )
    needed = ceil(found.fresh * found.smallest_p / strict * (1 - 1e-9))
    if found.apart or needed <= 1:
        return True, f"No alert: no p-value is small enough for {100 * alpha:g} %."
    passing = "can't pass" if needed <= found.fresh else "can't pass, nor could all of them"
    return False, (
        f"No alert: with {_calibration(found)} the smallest p is {found.smallest_p:.2g}, so fewer than "
        f"{min(needed, found.fresh):,} alerts among {found.fresh:,} rows {passing} at {100 * alpha:g} %."
    )


def _by_budget(k: float, found: Findings) -> tuple[bool, str]:
    per = " a day" if found.a_day else ""
    text = f"At most {k:,.0f} alert{'' if k == 1 else 's'}{per}, the highest scores. {NO_GUARANTEE}"
    if found.tied:
        text += " Rows of equal score are alerts together or not at all; more of them would exceed the budget."
    return False, text + _by_chance(found)


def _by_percentile(percentile: float, found: Findings) -> tuple[bool, str]:
    text = f"Alerts score higher than {percentile:.6g} % of the calibration rows. {NO_GUARANTEE}"
    return False, text + _by_chance(found)


def _by_score(_: float, found: Findings) -> tuple[bool, str]:
    return False, f"A fixed score. {NO_GUARANTEE}" + _by_chance(found)


def _by_tail(rate: float, found: Findings) -> tuple[bool, str]:
    rows = found.fresh or found.scored
    return False, (
        f"If normal scores go on as the fitted tail does, about {_about(rate * rows)} of {rows:,} normal rows would be "
        "alerts. That is an estimate beyond what was seen, and no guarantee."
    )


SENTENCES: dict[str, Callable[[float, Findings], tuple[bool, str]]] = {
    "p": _by_p,
    "fdr": _by_fdr,
    "fdr_dependent": _by_any_fdr,
    "budget": _by_budget,
    "percentile": _by_percentile,
    "score": _by_score,
    "tail": _by_tail,
}

NO_GUARANTEE = "Nothing is guaranteed about how many are false."
ALL_TAUGHT = "All these rows taught the model or calibrate it,"


def _limits(found: Findings) -> str:
    """What a guarantee rests on, and what narrows it."""
    text = " It holds while normal rows stay like the calibration rows."
    if found.fresh < found.scored:
        text += f" The {found.scored - found.fresh:,} rows used for training or calibration are not covered"
        others = found.alerts - found.covered
        text += f"; {others:,} of them {'is an alert' if others == 1 else 'are alerts'} too." if others else "."
    if found.approximate:
        text += " Approximate: blocks of one recording are not independent."
    return text


def _by_chance(found: Findings) -> str:
    if found.expected is None or not found.alerts:
        return ""
    return f" Chance alone would bring about {_about(found.expected)} of {found.fresh:,} normal rows as high."


def _calibration(found: Findings) -> str:
    unit = "block" if found.approximate else "calibration row"
    more = " of calibration rows" if found.approximate else ""
    return f"{found.n:,} {unit}{'' if found.n == 1 else 's'}{more}"


def _about(count: float) -> str:
    """A number of rows that is never rounded to a better one."""
    if not isfinite(count):
        return "an unknown number"
    return f"{ceil(round(count, 6)):,}" if count >= 10 else f"{ceil(round(count * 10, 6)) / 10:g}"
