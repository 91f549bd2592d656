"""What somebody chooses as the begin of alerts: a kind of rule and its value. What it does is in `threshold`."""

from typing import Literal, Self

import numpy as np
from pydantic import model_validator

from ad_core.settings import Settings

RuleKind = Literal["p", "fdr", "fdr_dependent", "budget", "percentile", "score", "tail"]
BY_P = ("p", "fdr", "fdr_dependent")
SHARES = ("p", "fdr", "fdr_dependent", "tail")
"""Kinds whose value is a share between 0 and 1."""
FROM_HERE_UP = ("percentile", "score")
"""Kinds whose alerts have a level of at least the value; of the others it is at most the value."""
USED_FOR = ("fit", "early_stop", "calibration")
"""Values of the column `used_for` for rows that were used for training or calibration."""


class Rule(Settings):
    """Where alerts begin. What each kind guarantees is told in docs/concepts/alerts.md."""

    kind: RuleKind
    value: float
    """p: largest p-value. fdr, fdr_dependent: accepted false share of the alerts, by Benjamini-Hochberg, or -Yekutieli
    for scores that depend on each other in any way. budget: most alerts a batch, or a day where rows have times.
    percentile: lowest, of the calibration rows. score: lowest. tail: accepted rate of false alerts per row.
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
            "p": f"{share} false alarms among normal rows",
            "fdr": f"{share} false share of alerts",
            "fdr_dependent": f"{share} false share of alerts, however rows depend on each other",
            "budget": f"at most {self.value:,.0f} alerts",
            "percentile": f"percentile {self.value:.6g} of the calibration rows",
            "score": f"score {self.value:.6g}",
            "tail": f"a rate of {self.value:.2g} in the fitted tail",
        }[self.kind]
        return f"{text}, in each {self.segment} by itself" if self.segment else text


def default_rule(smallest_p: float | None) -> Rule:
    """What holds until somebody chooses: p-values where they mean something, else a percentile."""
    if smallest_p is None or not smallest_p <= 0.05:
        return Rule(kind="percentile", value=95)
    return Rule(kind="p", value=0.01 if smallest_p <= 0.01 else 0.05)
