"""Texts about the comparison of methods and about the stability of alerts."""

RECOMMENDATION = (
    "Every suitable method is trained briefly and then scored on synthetic anomalies: held-out normal rows, each "
    "changed in a known way. No labels are needed. The comparison can't tell whether your real anomalies are of these "
    "kinds."
)
SYNTHETIC = (
    "AUROC: the probability that a synthetic anomaly scores higher than a normal row. Bars: 95 % intervals over "
    "repetitions with other rows and seeds. Each dot is one kind of synthetic anomaly and says nothing about the other "
    "kinds; the methods are in order of their mean."
)
OTHER_ROWS = (
    "This comparison was made with another answer about anomalies in the training rows than the form has now. "
    "Compare again to use the present answer."
)
SENSITIVITY = (
    "Trains this detector three more times, without the 1, 2 and 5 % most suspicious training rows, and counts in how "
    "many of these retrainings each of the N alerts is still among the N highest scores."
)
STABLE = (
    "Number of retrainings without the most suspicious training rows in which this row is still among the N highest "
    "scores (N = number of alerts). If it drops out, a few training rows decide it: check those before you act."
)
