"""What the rules for alerts are called, and what they guarantee."""

RULES = {
    "p": "False alarms among normal rows",
    "fdr": "False share of alerts",
    "budget": "Alert budget",
    "percentile": "Percentile",
    "score": "Score",
    "more": "More",
}
RULES_HELP = (
    "**False alarms among normal rows**: of 100 normal rows so many become alerts by chance, however many rows there "
    "are.  \n**False share of alerts**: of 100 alerts at most so many are false, on average (Benjamini-Hochberg).  \n"
    "**Alert budget**: the highest rows, no more than somebody can look at; a day at a time where rows have times.  \n"
    "**Percentile**: rows above a percentile of the calibration rows.  \n**Score**: a fixed score.  \n"
    "The first two are guarantees, as long as normal rows stay like the calibration rows; the others guarantee nothing."
)
MORE_RULES = {"fdr_dependent": "False share, dependent rows", "tail": "Extreme values"}
MORE_RULES_HELP = (
    "**False share, dependent rows**: as the false share, but it holds however rows depend on each other, and needs "
    "much smaller p-values (Benjamini-Yekutieli).  \n**Extreme values**: the tail of the calibration scores is "
    "extended beyond the highest of them (generalised Pareto, peaks over threshold): for rates that p-values can't "
    "reach. An estimate, no guarantee."
)
RULE_VALUES = {
    "p": (
        "False alarms among normal rows",
        "How many of 100 normal rows may become alerts by chance: alerts are the rows with p at most this share.",
    ),
    "fdr": ("Accepted false share", "How many of 100 alerts may be false, on average over many such files."),
    "fdr_dependent": ("Accepted false share", "How many of 100 alerts may be false, on average over many such files."),
    "budget": ("Most alerts", "Per batch, or per day where rows have times. Rows of equal score stay together."),
    "percentile": ("Lowest percentile", "Rows from this percentile of the calibration rows on are alerts."),
    "score": ("Lowest score", "Rows from this score on are alerts."),
    "tail": ("Accepted rate per row", "How many of 100 normal rows are expected beyond the threshold."),
}
"""Kind of rule -> what its value is called, and what it means."""
RULE_AXES = {
    "p": "share of false alarms",
    "fdr": "false share of alerts",
    "fdr_dependent": "false share of alerts",
    "budget": "most alerts",
    "percentile": "percentile",
    "score": "score",
    "tail": "rate per row",
}
