"""What the terms mean that pages use, and which of them each page's help explains."""

GLOSSARY = {
    "score": "one number per row, higher = more unusual. Its size means something only beside other scores "
    "of the same run.",
    "percentile": "the share of calibration rows with a lower score.",
    "p-value": "how often a normal row scores at least as high. Small = unusual. It can't be smaller than 1 / "
    "(calibration rows + 1).",
    "calibration rows": "rows that the detector did not train on; they say which scores are usual.",
    "pretext task": "a puzzle made of the data themselves. A network that solves it for normal rows fails on odd ones.",
    "embedding": "a row as the detector sees it: a list of numbers in which similar rows lie close together.",
    "attribution": "the share of each part of a row in its score, compared with a baseline.",
    "share": "of all that raises or lowers an alert's score, how much a part does; taken without its sign.",
    "95 % bootstrap interval": "where the mean share would lie in 95 of 100 equally large sets of alerts like these, "
    "found by drawing alerts again and again (Efron and Tibshirani 1993).",
    "baseline": "the usual row that a case is compared with: its nearest normal row, unless another is named.",
    "completeness gap": "by how much the attributions miss the difference that they should add up to. Near 0 = "
    "trustworthy sum.",
    "event": "neighbouring time stamps above the threshold, merged into one alert with a start, a peak and an end.",
    "training rows": "the training rows what is usual. Anomalies among them become usual.",
    "detector": "a trained model with its calibration, saved as a folder that can be moved to another machine.",
    "verdict": "what somebody says of a row: anomaly, normal, unsure, data error or seen before. The newest word "
    "counts, all words are kept.",
    "precision so far": "of the alerts that were called an anomaly or normal, the share of anomalies. It speaks of the "
    "alerts that were looked at: the highest ones, when those come first.",
    "95 % interval": "where the true share lies, in 95 of 100 such reviews (Wilson 1927). Few verdicts, wide interval.",
    "severity": "Critical p ≤ 0.001, High p ≤ 0.01, Medium p ≤ 0.05, else Low; levels that the calibration can't "
    "reach are not given.",
    "AUROC": "the chance that a labelled anomaly scores higher than a normal row; 0.5 = guessing.",
    "average precision": "how pure the top of the ranking is: the mean share of labelled anomalies among the rows "
    "down to each of them. Guessing gives their share of all rows.",
    "VUS-PR": "how well scores rise around the labelled stretches of a recording, at every threshold at once; near "
    "misses count in part, since labels are seldom exact. 1 = perfect; guessing gives about the share of labelled "
    "rows. Each recording is judged by itself, then the mean is taken.",
    "AUPRO": "how much of each marked region the map covers, averaged over thresholds up to 30 % false positive "
    "pixels; a small region counts as much as a large one. 1 = all of it; an even map gives 0.15.",
    "pixel AUROC": "the chance that a marked pixel is higher on the map than another one; 0.5 = guessing.",
    "event recall": "the share of labelled events with an alarm, at the lowest threshold that gives at most one false "
    "alarm a day: a stretch of alarms that touches no event. Where a recording has no clock, 1,440 rows count as a "
    "day.",
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
    """What a word of the glossary means, as a sentence of its own."""
    return GLOSSARY[word][0].upper() + GLOSSARY[word][1:]
