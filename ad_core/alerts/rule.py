"""The rule that decides which rows are alerts: a kind and a value. `threshold` applies it to a table of scores."""

from typing import Literal, Self

import numpy as np
from pydantic import model_validator

from ad_core.settings import Settings

RuleKind = Literal["p", "fdr", "fdr_dependent", "budget", "percentile", "score", "tail"]
BY_P = ("p", "fdr", "fdr_dependent")
"""Kinds that decide by p-values."""
SHARES = ("p", "fdr", "fdr_dependent", "tail")
"""Kinds whose value is a share between 0 and 1."""
FROM_HERE_UP = ("percentile", "score")
"""Kinds under which a row is an alert from the value upwards; under the others it is one up to the value."""
USED_FOR = ("fit", "early_stop", "calibration")
"""Values of the column `used_for` that mark training rows, including those that calibrate the detector."""

DEFAULT_P, LARGEST_DEFAULT_P, DEFAULT_PERCENTILE = 0.01, 0.05, 95
"""The default rule is p <= DEFAULT_P; p <= LARGEST_DEFAULT_P where the calibration can't give a p-value that small; and
DEFAULT_PERCENTILE of the calibration rows where it can't give that one either."""


class Rule(Settings):
    """Which rows are alerts. What each kind guarantees is told in docs/concepts/alerts.md."""

    kind: RuleKind
    value: float
    """p: largest p-value, which is the false positive rate. fdr, fdr_dependent: largest false discovery rate, by the
    procedure of Benjamini-Hochberg, or of Benjamini-Yekutieli for scores that depend on each other in any way. budget:
    maximum number of alerts in a batch, or in a day where rows have dates. percentile: lowest percentile of the
    calibration rows. score: lowest score. tail: rate of normal rows that may become alerts, by a fitted tail.
    """
    segment: str | None = None
    """A column of the score table, such as entity: each of its values gets a threshold of its own."""

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        if not np.isfinite(self.value):
            raise ValueError("the value must be a number")
        if self.kind in SHARES and not 0 < self.value < 1:
            raise ValueError("the value is a share and must lie between 0 and 1")
        if self.kind == "budget" and (self.value < 1 or self.value != int(self.value)):
            raise ValueError("the value is a number of alerts: 1, 2, 3, ...")
        if self.kind == "percentile" and not 0 < self.value <= 100:
            raise ValueError("the value is a percentile and must lie between 0 and 100")
        return self

    def in_words(self) -> str:
        """The rule as part of a sentence."""
        share = f"{100 * self.value:.4g} %"
        text = {
            "p": f"false positive rate: p ≤ {self.value:.4g}, about {share} of normal rows become alerts by chance",
            "fdr": f"false discovery rate: at most {share} of the alerts are expected to be false",
            "fdr_dependent": f"false discovery rate: at most {share} of the alerts are expected to be false, however "
            "rows depend on each other",
            "budget": f"at most {self.value:,.0f} alerts",
            "percentile": f"from percentile {self.value:.6g} of the calibration rows on",
            "score": f"from score {self.value:.6g} on",
            "tail": f"extreme values: a rate of {self.value:.2g} per normal row in the fitted tail",
        }[self.kind]
        return f"{text}, in each {self.segment} by itself" if self.segment else text


def rule_in_force(saved: Rule | None, smallest_p: float | None) -> Rule:
    """The rule that decides alerts and events everywhere: the saved one, else a default that suits the calibration.

    Args:
        saved: the newest rule that somebody saved for the detector; None = nobody has.
        smallest_p: the smallest p-value that the detector's calibration can give; None or NaN = it gives none.
    """
    if saved is not None:
        return saved
    if smallest_p is None or not smallest_p <= LARGEST_DEFAULT_P:
        return Rule(kind="percentile", value=DEFAULT_PERCENTILE)
    return Rule(kind="p", value=DEFAULT_P if smallest_p <= DEFAULT_P else LARGEST_DEFAULT_P)


def in_force_in_words(rule: Rule, *, is_saved: bool) -> str:
    """One sentence: which rule is in force, and where it comes from."""
    source = "saved" if is_saved else "the default, as no threshold was saved"
    return f"Rule in force: {rule.in_words()} ({source})."
