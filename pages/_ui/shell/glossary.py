"""Terms that pages use with their meaning, and the terms that the help of each page explains."""

GLOSSARY = {
    "score": "the anomaly score of a row, higher = more anomalous. Only scores of the same run can be compared.",
    "percentile": "the share of calibration rows with a lower score.",
    "p-value": "the probability that a normal row scores at least as high. Small = anomalous. It can't be smaller than "
    "1 / (calibration rows + 1).",
    "calibration rows": "rows whose scores show how high normal rows score. The detector is not trained on them, or "
    "each of them is scored without itself.",
    "pretext task": "a prediction task made from the data themselves, without labels. A network that is trained on "
    "normal rows fails on anomalies.",
    "embedding": "the representation of a row in the detector: a list of numbers in which similar rows lie close "
    "together.",
    "attribution": "how much each feature of a row raises or lowers its score, compared with a baseline.",
    "share": "the absolute attribution of a feature, divided by the sum of all absolute attributions of the alert.",
    "95 % bootstrap interval": "the interval that holds the mean share in 95 of 100 equally large sets of alerts like "
    "these, estimated by resampling the alerts (Efron and Tibshirani 1993).",
    "baseline": "the normal row that a case is compared with: its nearest normal row, unless another is named.",
    "completeness gap": "the difference between the sum of the attributions and the score difference that they should "
    "add up to. Near 0 = the sum is reliable.",
    "event": "alerts of one recording that follow each other closely, merged, with a start, a peak and an end.",
    "training rows": "the rows from which the detector learns what is normal. Anomalies among them look normal to it.",
    "detector": "a trained model with its calibration, saved as a folder that can be moved to another machine.",
    "verdict": "a person's decision on a row: anomaly, normal, unsure, data error or seen before. The newest verdict "
    "counts, all verdicts are kept.",
    "precision so far": "the share of anomalies among the alerts with the verdict anomaly or normal. It describes the "
    "reviewed alerts: the highest ones, when those come first.",
    "95 % interval": "the interval that holds the true share in 95 of 100 such reviews (Wilson 1927). Few verdicts "
    "give a wide interval.",
    "severity": "Critical p ≤ 0.001, High p ≤ 0.01, Medium p ≤ 0.05, else Low; levels that the calibration can't "
    "reach are not given.",
    "AUROC": "the probability that a labelled anomaly scores higher than a normal row; 0.5 = guessing.",
    "average precision": "the mean precision down to each labelled anomaly in the ranking. Guessing gives the share "
    "of labelled anomalies among all rows.",
    "VUS-PR": "how well scores rise around the labelled segments of a recording, over all thresholds; near "
    "misses count in part, since labels are seldom exact. 1 = perfect; guessing gives about the share of labelled "
    "rows. It is computed for each recording, then averaged.",
    "AUPRO": "the mean share of each marked region that the map covers, over thresholds up to 30 % false positive "
    "pixels; a small region counts as much as a large one. 1 = all of it; a constant map gives 0.15.",
    "pixel AUROC": "the probability that a marked pixel is higher on the map than another one; 0.5 = guessing.",
    "event recall": "the share of labelled events with an alarm, at the lowest threshold that gives at most one false "
    "alarm a day. A false alarm is a segment of alarms that touches no event. Where a recording has no clock, 1,440 "
    "rows count as a day.",
}

USED_ON = {
    "evaluate": ["AUROC", "average precision", "verdict", "p-value", "VUS-PR", "event recall", "AUPRO"],
    "home": ["detector", "pretext task", "score"],
    "data": ["training rows", "calibration rows", "score"],
    "train": ["pretext task", "detector", "calibration rows"],
    "runs": ["detector", "score"],
    "alerts": [
        "score",
        "percentile",
        "p-value",
        "severity",
        "calibration rows",
        "event",
        "AUROC",
        "VUS-PR",
        "event recall",
    ],
    "calibration": ["calibration rows", "p-value", "score"],
    "map": ["embedding", "score", "percentile"],
    "reasons": ["attribution", "share", "95 % bootstrap interval", "event"],
    "explain": ["attribution", "baseline", "completeness gap", "p-value", "percentile"],
    "review": ["verdict", "precision so far", "95 % interval", "score", "p-value", "attribution"],
    "score_file": ["detector", "calibration rows", "p-value", "percentile"],
}


def sentence(word: str) -> str:
    """The meaning of a term as a sentence."""
    return GLOSSARY[word][0].upper() + GLOSSARY[word][1:]
