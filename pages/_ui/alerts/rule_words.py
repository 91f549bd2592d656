"""What the rules for alerts are called on the Alerts page, and what they guarantee."""

RULES = {
    "p": "False positive rate",
    "fdr": "False discovery rate",
    "budget": "Alert budget",
    "percentile": "Percentile",
    "score": "Score",
    "more": "More",
}
RULES_HELP = (
    "**False positive rate**: the share of normal rows that become alerts by chance; alerts are the rows with a "
    "p-value up to this share.  \n**False discovery rate**: the share of the alerts that are expected to be false, on "
    "average (Benjamini-Hochberg).  \n**Alert budget**: the highest rows, up to a maximum number per file, or per day "
    "where rows have dates.  \n**Percentile**: rows from a percentile of the calibration rows on.  \n**Score**: rows "
    "from a fixed score on.  \nThe first two are guaranteed as long as normal rows stay like the calibration rows; the "
    "others guarantee nothing.  \nEvents of recordings are made of the same alerts."
)
MORE_RULES = {"fdr_dependent": "False discovery rate, dependent rows", "tail": "Extreme values"}
MORE_RULES_HELP = (
    "**False discovery rate, dependent rows**: as the false discovery rate, and it holds however rows depend on each "
    "other, but needs much smaller p-values (Benjamini-Yekutieli).  \n**Extreme values**: a generalised Pareto tail "
    "fitted to the highest calibration scores (peaks over threshold), for rates that are too small for p-values. An "
    "estimate, no guarantee."
)
LABELS_BEFORE = {
    "rule": {"False alarms among normal rows": "p", "False share of alerts": "fdr"},
    "more_rules": {"False share, dependent rows": "fdr_dependent"},
}
"""Query parameter -> what a rule was called in links of earlier versions -> its kind."""
RULE_VALUES = {
    "p": (
        "False positive rate",
        "Accepted share of normal rows that become alerts by chance: alerts are the rows with p at most this share.",
    ),
    "fdr": (
        "False discovery rate",
        "Accepted share of the alerts that are expected to be false, on average over many such files.",
    ),
    "fdr_dependent": (
        "False discovery rate",
        "Accepted share of the alerts that are expected to be false, on average over many such files.",
    ),
    "budget": (
        "Maximum number of alerts",
        "Per file, or per day where rows have dates. Rows of equal score stay together.",
    ),
    "percentile": ("Lowest percentile", "Rows from this percentile of the calibration rows on are alerts."),
    "score": ("Lowest score", "Rows from this score on are alerts."),
    "tail": ("Accepted rate per row", "Estimated share of normal rows beyond the threshold."),
}
"""Kind of rule -> what its value is called, and what it means."""
RULE_AXES = {
    "p": "false positive rate",
    "fdr": "false discovery rate",
    "fdr_dependent": "false discovery rate",
    "budget": "maximum number of alerts",
    "percentile": "percentile",
    "score": "score",
    "tail": "rate per row",
}
