"""Texts and number formats that pages share. Wording lives here so that one thing has one name everywhere."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

KINDS = {
    "train": "training",
    "score": "scored file",
    "explain": "explanation",
    "recommend": "recommendation",
    "sensitivity": "sensitivity",
    "masks": "maps against masks",
    "whatif": "changed row",
    "counterfactual": "search",
}
MODALITIES = {"table": "Table", "image": "Images", "sensor": "Sensor"}
MODALITY_ICONS = {"table": ":material/table_rows:", "image": ":material/image:", "sensor": ":material/monitoring:"}
OF_MODALITY = {"table": "tables", "image": "images", "sensor": "recordings"}
STATUS = {
    "queued": (":material/hourglass_empty:", "gray"),
    "running": (":material/progress_activity:", "blue"),
    "done": (":material/check_circle:", "green"),
    "stopped": (":material/stop_circle:", "gray"),
    "failed": (":material/error:", "red"),
    "lost": (":material/link_off:", "orange"),
}
SEVERITY = {"Critical": "⬤ Critical", "High": "◆ High", "Medium": "▲ Medium", "Low": "○ Low", "": "– no score"}
VERDICTS = {
    "anomaly": ("◆ Anomaly", ":material/report:", "orange"),
    "normal": ("✓ Normal", ":material/check_circle:", "green"),
    "unsure": ("? Unsure", ":material/help:", "gray"),
    "data_error": ("⚠ Data error", ":material/broken_image:", "violet"),
    "seen_before": ("↺ Seen before", ":material/history:", "blue"),
}
"""Verdict -> word with its sign for tables, icon, colour."""
STAGES = {
    "load": "Reading the data",
    "profile": "Looking at the columns",
    "split": "Splitting the rows",
    "train": "Training",
    "calibrate": "Calibrating",
    "score": "Scoring all rows",
    "map": "Drawing the map",
    "explain": "Explaining the top cases",
    "search": "Trying changes",
}

GRADES = {
    "supported": ("Supported", "green", ":material/verified:"),
    "weak": ("Weak", "orange", ":material/help:"),
    "not supported": ("Not supported", "red", ":material/block:"),
    "not checked": ("Not checked", "gray", ":material/remove:"),
}
GRADE_SIGNS = {
    "supported": "✓ supported",
    "weak": "~ weak",
    "not supported": "✗ not supported",
    "not checked": "– not checked",
}
"""For tables, where there are no colours."""
GRADE_HELP = (
    "Every explanation is tested on the spot. **Supported**: replacing the parts named first by normal ones lowers the "
    "score more than replacing any of 20 random choices of other parts, by half of it at least; another method and "
    "slightly changed values name the same parts. **Weak**: one of these fails but the first. **Not supported**: other "
    "parts lower the score as much."
)

ONE_THAT_TAUGHT = "This row taught the detector, so changed copies are compared with it too and score a little low"

QUESTIONS = {
    "unsure": "I'm not sure",
    "defect": "Small damage, on the right object",
    "object": "Another object or scene",
}
QUESTION = (
    "Damage is looked for place by place and gets a map; another object is told by the image as a whole. Not sure: "
    "both count, each a little less."
)
TRAINING_ROWS = (
    "Unless there are no anomalies among them, the rows that look most suspicious to classical detectors don't teach a "
    "pretext task: 10 % of them if you are not sure, 20 % if there are some. Balanced chooses its members by it."
)
JUDGED_BY = (
    "What makes this channel unusual? **its level**: a shift to another level is a fault. **its shape**: only its "
    "course counts, because its level wanders anyway (load, season). **both**: not sure, so both are watched."
)
NO_PRESET = "Not needed: this method isn't trained in steps."

EDGE = (
    "A time stamp's score is the mean over the windows that cover it: fewer at the begin and the end of a stretch, a "
    "single one at its very edge, so scores there are less steady."
)

RULES = {
    "p": "False alarms among usual rows",
    "fdr": "False share of alerts",
    "budget": "Alert budget",
    "percentile": "Percentile",
    "score": "Score",
    "more": "More",
}
RULES_HELP = (
    "**False alarms among usual rows**: of 100 usual rows so many become alerts by chance, however many rows there "
    "are.  \n**False share of alerts**: of 100 alerts at most so many are false, on average (Benjamini-Hochberg).  \n"
    "**Alert budget**: the highest rows, no more than somebody can look at; a day at a time where rows have times.  \n"
    "**Percentile**: rows above a percentile of the calibration rows.  \n**Score**: a fixed score.  \n"
    "The first two are promises, as long as usual rows stay like the calibration rows; the others promise nothing."
)
MORE_RULES = {"fdr_dependent": "False share, dependent rows", "tail": "Extreme values"}
MORE_RULES_HELP = (
    "**False share, dependent rows**: as the false share, but it holds however rows depend on each other, and needs "
    "much smaller p-values (Benjamini-Yekutieli).  \n**Extreme values**: the tail of the calibration scores is "
    "extended beyond the highest of them (generalised Pareto, peaks over threshold): for rates that p-values can't "
    "reach. An estimate, no promise."
)
RULE_VALUES = {
    "p": (
        "False alarms among usual rows",
        "How many of 100 usual rows may become alerts by chance: alerts are the rows with p at most this share.",
    ),
    "fdr": ("Accepted false share", "How many of 100 alerts may be false, on average over many such files."),
    "fdr_dependent": ("Accepted false share", "How many of 100 alerts may be false, on average over many such files."),
    "budget": ("Most alerts", "Per batch, or per day where rows have times. Rows of equal score stay together."),
    "percentile": ("Lowest percentile", "Rows from this percentile of the calibration rows on are alerts."),
    "score": ("Lowest score", "Rows from this score on are alerts."),
    "tail": ("Accepted rate per row", "How many of 100 usual rows are expected beyond the threshold."),
}
"""Kind of rule -> what its value is called, and what it means."""
RULE_AXES = {
    "p": "share of false alarms", "fdr": "false share of alerts", "fdr_dependent": "false share of alerts",
    "budget": "most alerts", "percentile": "percentile", "score": "score", "tail": "rate per row",
}  # fmt: skip

GLOSSARY = {
    "score": "one number per row, higher = more unusual. Its size means something only beside other scores "
    "of the same run.",
    "percentile": "the share of calibration rows with a lower score.",
    "p-value": "how often a usual row scores at least as high. Small = unusual. It can't be smaller than 1 / "
    "(calibration rows + 1).",
    "calibration rows": "rows that the detector did not train on; they say which scores are usual.",
    "pretext task": "a puzzle made of the data themselves. A network that solves it for usual rows fails on odd ones.",
    "embedding": "a row as the detector sees it: a list of numbers in which similar rows lie close together.",
    "attribution": "the share of each part of a row in its score, compared with a baseline.",
    "share": "of all that raises or lowers an alert's score, how much a part does; taken without its sign.",
    "95 % bootstrap interval": "where the mean share would lie in 95 of 100 equally large sets of alerts like these, "
    "found by drawing alerts again and again (Efron and Tibshirani 1993).",
    "baseline": "the usual row that a case is compared with: its nearest normal row, unless another is named.",
    "completeness gap": "by how much the attributions miss the difference that they should add up to. Near 0 = "
    "trustworthy sum.",
    "event": "neighbouring time stamps above the threshold, merged into one alert with a start, a peak and an end.",
    "reference rows": "the rows that teach what is usual. Anomalies among them become usual.",
    "detector": "a trained model with its calibration, saved as a folder that can be moved to another machine.",
    "verdict": "what somebody says of a row: anomaly, normal, unsure, data error or seen before. The newest word "
    "counts, all words are kept.",
    "precision so far": "of the alerts that were called an anomaly or normal, the share of anomalies. It speaks of the "
    "alerts that were looked at: the highest ones, when those come first.",
    "95 % interval": "where the true share lies, in 95 of 100 such reviews (Wilson 1927). Few verdicts, wide interval.",
    "severity": "Critical p ≤ 0.001, High p ≤ 0.01, Medium p ≤ 0.05, else Low; levels that the calibration can't "
    "reach are not given.",
    "AUROC": "the chance that a labelled anomaly scores higher than a usual row; 0.5 = guessing.",
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

PAGES = {
    "home": (
        "Find what does not belong",
        "Bring a table, images or sensor recordings. The detector learns what is usual, without labels, and says "
        "why a row is not.",
        "Start with a sample, or open your own file. A sample takes four clicks: **card → Use these settings → "
        "Train → See alerts**.",
    ),
    "data": (
        "Data",
        "Open a file, check how its columns are understood, and say which rows show what is usual.",
        "Every column has a **role**: features are learnt from; the id names rows; a label is never trained on "
        "and only judges; "
        "ignored columns are left out. Grade C columns are left out unless you insist. Change a role or a kind "
        "in the table and "
        "the page looks at the data again. Nothing is trained here.",
    ),
    "train": (
        "Train",
        "Choose a puzzle for the network to solve. What it can't solve is what is unusual.",
        "Each card says what the network is **asked**, what it **finds** and what it **misses**. The suggested "
        "method is a sound start, and classical detectors are shown beside whatever you choose. "
        "*Quick* is for looking around, *Standard* for results, *Thorough* for the last bit. Training runs in "
        "its own process: "
        "closing the page or the app does not harm it.",
    ),
    "runs": (
        "Runs",
        "Every training and every scored file, with its settings and its place on the disk.",
        "Select a run to open, rename, note, repeat or delete it. *Run again* queues a new run with the same "
        "data and settings; "
        "deleting a run removes its detector and results, never your data files.",
    ),
    "alerts": (
        "Alerts",
        "All rows, the most unusual first.",
        "Choose where alerts begin, and read what that promises: with 5 % false alarms among "
        "usual rows, about 5 of 100 usual rows are alerts by chance. Save it with a reason, and it holds for every "
        "file that is scored with this run. "
        "Select a row in the table to see its main reasons; **Explain** shows the whole case. The address of "
        "this page holds run "
        "and row: a copied link shows a colleague the same thing.",
    ),
    "calibration": (
        "Calibration",
        "The rows that say what is usual: are there anomalies among them?",
        "An anomaly among the calibration rows makes the p-values of rows like it large, so these are never alerts. "
        "Look at the highest ones. **Confirm** those that are anomalies, **keep** the others, then calibrate without "
        "the confirmed ones: nothing is trained again, and a verdict that is taken back puts its row back. Rows that "
        "nobody has confirmed are never left out: dropping the highest ones unseen would drop usual rows too, and "
        "break the promise.",
    ),
    "map": (
        "Map",
        "Each point is a row as the detector sees it. Rows that look alike to it lie close together.",
        "Draw around points to list them below and see in which columns they differ from the rest; a click on a point "
        "makes it the current case (up to 10,000 points: after the mouse is switched to clicking). Distances between "
        "far groups mean little in a UMAP map; PCA is the honest, flatter second look. Colour by **neighbours kept** "
        "to see which places can be trusted; **ringed** points are drawn inside the crowd but lie far outside it.",
    ),
    "reasons": (
        "Reasons",
        "What drives all alerts, taken together.",
        "Each explanation is turned into shares that add up to 100 %, and their mean is taken, so that a single "
        "enormous score does not hide the others. Explanations that failed their check, or could not be checked, don't "
        "count. Shares say what the detector looked at, not what caused the anomaly. A click on **Show** lists the "
        "alerts whose score a part raises most.",
    ),
    "explain": (
        "Explain",
        "Why one row has its score.",
        "The bars say how much each part raises (orange) or lowers (blue) the score against a named "
        "**baseline**. They add up to the "
        "difference of the two scores; the completeness gap says how well. Expected values come from the "
        "detector, given the rest of the row. **What would make it normal** looks for the smallest change with values "
        "that exist; **What if** scores the row with values of yours. Both take some seconds and change nothing in "
        "your files.",
    ),
    "review": (
        "Review",
        "Judge alerts one by one: one key each, and the next one is there.",
        "**A** anomaly, **N** normal, **U** unsure, **D** data error (the row was recorded wrongly), **S** seen before "
        "(a real one, but known). **Z** takes your last verdict back, **→** leaves a row for later. While you type a "
        "tag or a note the keys write letters; **Tab** leaves the field. A verdict belongs to the row: it is seen "
        "beside every run on the same data, nothing is ever overwritten, and nothing is trained with it.",
    ),
    "evaluate": (
        "Evaluate",
        "How good the scores are, where something is known of the rows.",
        "Truth comes from a label column, which is never trained on, or from verdicts. Every figure has a 95 % "
        "interval: few labels, wide interval. Precision and recall come first, because anomalies are rare and AUROC "
        "flatters then.",
    ),
    "score_file": (
        "Score file",
        "Let a saved detector look at new data.",
        "The new file is read like the one that the detector was trained on. What differs is listed before you "
        "start; a missing column "
        "stops it. The result is a batch of its own that you can open in Alerts, Map and Explain.",
    ),
}
"""Page -> title, one line about it, help."""

NEIGHBOURS_KEPT = (
    "Of two points that are close on the map, how surely are they close for the detector? Of a single point, colour by "
    "“Neighbours kept”: of the 15 items that are nearest to it for the detector, how many lie among the nearest 1 % of "
    "the map."
)

FAR_INSIDE = (
    "Their distance to the nearest items that taught is far beyond what is usual among those, yet on the map they lie "
    "in the crowd: a plane has no room for everything. Their scores come from the detector, not from the map."
)

EFFECT = (
    "How far the selection is from the rest. Numbers: difference of the medians in robust standard deviations of the "
    "rest. Categories: difference of the shares (Cohen's h). 0.2 is small, 0.5 medium, 0.8 large."
)

PROMISES = (
    "A p-value promises how many usual rows become alerts by chance; a false-discovery rate promises how many of the "
    "alerts are false (Benjamini and Hochberg 1995). Orange: broken, the whole 95 % interval lies above the promise."
)

USED_ON = {
    "evaluate": ["AUROC", "average precision", "verdict", "p-value", "VUS-PR", "event recall", "AUPRO"],
    "home": ["detector", "pretext task", "score"],
    "data": ["reference rows", "calibration rows", "score"],
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


def method_title(name: str) -> str:
    """`nearest_neighbours` -> "Nearest neighbours"; without loading the method."""
    return name.replace("_", " ").capitalize().replace("One class svm", "One-class SVM")


def verdict(word: str) -> str:
    """`data_error` -> "Data error"."""
    return VERDICTS[word][0][2:]


def nothing_counts(left_out: Mapping[str, int], unit: str, *, alive: bool) -> str:
    """Why no explanation counts, and what to do."""
    total = sum(left_out.values())
    if alive and left_out.get("not explained", 0) == total:
        return f"The {unit}s are still being explained; look again in a while."
    if left_out.get("not explained", 0) == total:
        return f"None of {count(total, unit)} has been explained yet. Have them explained, or lower the threshold."
    if "not supported" in left_out:
        return (
            f"Of {count(total, unit)} none has an explanation that passed its check, so nothing can be said of what "
            "drives them together. Look at single cases and their nearest normal ones."
        )
    return f"The explanations of {count(total, unit)} could not be checked, so they don't count."


def listed(names: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def number(value: float | None) -> str:
    """Three significant digits; an en dash where there is none."""
    if value is None or not np.isfinite(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def p_text(p: float | None) -> str:
    """A p-value in the shortest honest form."""
    return "–" if p is None or not np.isfinite(p) else f"{p:.2g}"


def size(n: float) -> str:
    """Bytes for people."""
    for unit in ("B", "kB", "MB"):
        if n < 1000:
            return f"{n:.0f} {unit}"
        n /= 1000
    return f"{n:.1f} GB"


def duration(seconds: float | None) -> str:
    """Seconds for people."""
    if seconds is None:
        return "–"
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds} s"
    return (
        f"{seconds // 60} min {seconds % 60} s" if seconds < 3600 else f"{seconds // 3600} h {seconds % 3600 // 60} min"
    )


def ago(moment: datetime) -> str:
    """How long ago, or the date when it is long ago."""
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    seconds = (datetime.now(UTC) - moment).total_seconds()
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min ago"
    if seconds < 86_400:
        return f"{seconds // 3600:.0f} h ago"
    return moment.astimezone().strftime("%-d %b %Y")


def distinct(names: dict[str, str]) -> dict[str, str]:
    """Id -> name, with the id behind names that several share: a field tells its options apart by what it shows."""
    shared = [name for name in names.values() if list(names.values()).count(name) > 1]
    return {one: f"{name} · {one}" if name in shared else name for one, name in names.items()}


def count(n: int, one: str, many: str | None = None) -> str:
    """`1 row`, `2,000 rows`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def estimate(rows: int, modality: str, effort: str) -> str:
    """A rough time on one CPU, said as roughly as it is known.

    Args:
        effort: the preset of a pretext task; "recipe" or "reference" for what is not trained in steps.
    """
    if effort == "recipe" and modality == "image":
        low = 30 + rows * 0.05 + min(rows, 1500) * 0.12
        return (
            f"Roughly {duration(low)} to {duration(3 * low)} to the scores on a processor, less on a GPU. A guess from "
            "the number of images; the map and the explanations follow."
        )
    if effort in ("recipe", "reference"):
        low = 8 + rows * (0.0025 if effort == "recipe" else 0.0005)
        return (
            f"Roughly {duration(low)} to {duration(3 * low)} to the scores on a processor, a guess from the number of "
            "rows; the map and the explanations follow."
        )
    step_s = {"table": 0.006, "image": 0.35, "sensor": 0.02}[modality]
    steps = {"quick": 400, "standard": 1600, "thorough": 8000}[effort] / (4 if modality == "image" else 1)
    per_row_s = {"table": 0.001, "image": 0.2, "sensor": 0.0005}[modality]
    low = steps * step_s + rows * per_row_s + 15
    return (
        f"Roughly {duration(low)} to {duration(3 * low)} on a processor, less on a GPU. "
        "A guess from the preset and the number of rows; it gets better once the run works."
    )


def plain(text: str) -> str:
    """User text inside Markdown stays text."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>()#+!|$:~" else c for c in text)
