"""Texts about the choice of a task and about what alerts hang on."""

RECOMMENDATION = (
    "Every method that fits is trained briefly and then has to find synthetic anomalies: held-out normal rows, "
    "each changed in a known way. No label is needed. Whether your real anomalies are of these kinds, it cannot tell."
)
MADE_UP = (
    "AUROC: the chance that a synthetic anomaly scores higher than a normal row. "
    "Bars: 95 % intervals over drawings of other rows and seeds. Each dot is about one kind of synthetic anomaly and "
    "says nothing of the others; the order is by their mean."
)
OTHER_ROWS = (
    "This search was told something else about the training rows than the form says now. Search again to have it match."
)
SENSITIVITY = (
    "Trains this detector three times more, without the 1, 2 and 5 % of the training rows that look most suspicious, "
    "and counts how often an alert is still among as many of the most unusual rows."
)
STABLE = (
    "In how many of the trainings without suspicious rows the alert was still among as many of the most unusual rows. "
    "One that drops out hangs on a few training rows: look at those before you act."
)
