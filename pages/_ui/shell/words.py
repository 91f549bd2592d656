"""Texts and number formats that pages share, so that one thing has one name everywhere."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

KINDS = {
    "train": "training",
    "score": "scored file",
    "explain": "explanation",
    "recommend": "method comparison",
    "sensitivity": "stability check",
    "masks": "comparison with masks",
    "whatif": "what-if score",
    "counterfactual": "counterfactual",
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
"""Verdict -> name with its sign for tables, icon, colour."""
STAGES = {
    "load": "Reading the data",
    "profile": "Checking the columns",
    "split": "Splitting the rows",
    "train": "Training",
    "calibrate": "Calibrating",
    "score": "Scoring all rows",
    "map": "Computing the map",
    "explain": "Explaining the highest scores",
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
    "Every explanation gets a faithfulness check. **Supported**: (1) replacing the top features by normal values "
    "lowers the score more than replacing any of 20 random sets of other features, (2) it removes at least half of "
    "the score above the baseline (of a recording: above a typical normal window), and (3) another method and slightly "
    "changed values give the same top features. "
    "**Weak**: (1) holds, but (2) or (3) fails or the attributions don't add up. **Not supported**: (1) fails. In an "
    "image, the top region is painted over as in a normal image; where (1) fails but the detector's own anomaly map "
    "shows the same region, the grade is weak. "
    "Supported and weak explanations passed the check."
)
APART = (
    "Difference of the value from the median of these neighbours, in robust standard deviations of the column "
    "(interquartile range divided by 1.35). More than 3 is far."
)

NOTHING_STANDS_OUT = ("Nothing stands out", "gray", ":material/remove:")
"""Shown in place of a grade where the score is normal and the explanation did not pass."""


QUESTIONS = {
    "unsure": "Not sure",
    "defect": "Small defect on the right object",
    "object": "Another object or scene",
}
QUESTION = (
    "A defect is searched for patch by patch and shown on an anomaly map; another object is detected from the image as "
    "a whole. Not sure: both scores are used, each with a little less weight."
)
TRAINING_ROWS = (
    "A pretext task is not trained on the rows that are most suspicious to classical detectors: 10 % of the training "
    "rows if you are not sure, 20 % with some anomalies, none with no anomalies. Balanced chooses its base detectors "
    "accordingly."
)
JUDGED_BY = (
    "What an anomaly of this channel looks like. **level**: the signal shifts to another level. **shape**: the shape "
    "of the signal changes; its level varies anyway (load, season). **both**: use both, also if you are not sure."
)
NO_PRESET = "Not needed: this method is not trained in steps."

EDGE = (
    "The score of a time stamp is the mean over the windows that contain it. Near the start and the end of a segment "
    "there are fewer windows, at its very edge only one, so scores vary more there."
)

NEIGHBOURS_KEPT = (
    "Trustworthiness: how reliably points that are close on the map are also close in the embedding. For a single "
    "point colour by “Neighbours kept”: how many of its 15 nearest neighbours in the embedding are among the nearest "
    "1 % on the map."
)

FAR_INSIDE = (
    "Their distance to the nearest training rows is far larger than distances among training rows are, yet on the map "
    "they lie among other points: two dimensions can't show all distances. Scores don't depend on the map."
)

EFFECT = (
    "Effect size. Numbers: difference of the medians in robust standard deviations of the rest. Categories: difference "
    "of the shares (Cohen's h). 0.2 is small, 0.5 medium, 0.8 large."
)

GUARANTEES = (
    "A false positive rate (p-value) limits how many normal rows become alerts by chance; a false discovery rate "
    "limits how many of the alerts are false (Benjamini and Hochberg 1995). Orange: the guarantee did not hold, as "
    "the whole 95 % interval lies above it."
)


def method_title(name: str) -> str:
    """`nearest_neighbours` -> "Nearest neighbours"; without loading the method."""
    return name.replace("_", " ").capitalize().replace("One class svm", "One-class SVM")


def verdict(word: str) -> str:
    """`data_error` -> "Data error"."""
    return VERDICTS[word][0][2:]


def nothing_counts(left_out: Mapping[str, int], unit: str, *, alive: bool) -> str:
    """Why no explanation is counted, and what to do."""
    total = sum(left_out.values())
    if alive and left_out.get("not explained", 0) == total:
        return f"The {unit}s are still being explained. Reload this page later."
    if left_out.get("not explained", 0) == total:
        return f"None of {count(total, unit)} has been explained yet. Explain them, or lower the threshold."
    if "not supported" in left_out:
        return (
            f"Of {count(total, unit)} none has an explanation that passed the faithfulness check, so their global "
            "feature importance is unknown. Look at single cases and their nearest normal rows."
        )
    return f"The explanations of {count(total, unit)} could not be checked, so they are not counted."


def listed(names: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def number(value: float | None) -> str:
    """Three significant digits; an en dash where there is none."""
    if value is None or not np.isfinite(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def p_text(p: float | None) -> str:
    """A p-value with two significant digits."""
    return "–" if p is None or not np.isfinite(p) else f"{p:.2g}"


def size(n: float) -> str:
    """Bytes with a readable unit."""
    for unit in ("B", "kB", "MB"):
        if n < 1000:
            return f"{n:.0f} {unit}"
        n /= 1000
    return f"{n:.1f} GB"


def duration(seconds: float | None) -> str:
    """Seconds in readable units."""
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
    """Id -> name, with the id added to names that several share, because options of a field need different texts."""
    shared = [name for name in names.values() if list(names.values()).count(name) > 1]
    return {one: f"{name} · {one}" if name in shared else name for one, name in names.items()}


def count(n: int, one: str, many: str | None = None) -> str:
    """`1 row`, `2,000 rows`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def estimate(rows: int, modality: str, effort: str) -> str:
    """A rough time on one CPU, with a range as wide as its uncertainty.

    Args:
        effort: the preset of a pretext task; "recipe" or "reference" for what is not trained in steps.
    """
    if effort == "recipe" and modality == "image":
        low = 30 + rows * 0.05 + min(rows, 1500) * 0.12
        return (
            f"Roughly {duration(low)} to {duration(3 * low)} on a CPU until the scores are ready, less on a GPU; "
            "estimated from the number of images. The map and the explanations follow."
        )
    if effort in ("recipe", "reference"):
        low = 8 + rows * (0.0025 if effort == "recipe" else 0.0005)
        return (
            f"Roughly {duration(low)} to {duration(3 * low)} on a CPU until the scores are ready, estimated from the "
            "number of rows. The map and the explanations follow."
        )
    step_s = {"table": 0.006, "image": 0.35, "sensor": 0.02}[modality]
    steps = {"quick": 400, "standard": 1600, "thorough": 8000}[effort] / (4 if modality == "image" else 1)
    per_row_s = {"table": 0.001, "image": 0.2, "sensor": 0.0005}[modality]
    low = steps * step_s + rows * per_row_s + 15
    return (
        f"Roughly {duration(low)} to {duration(3 * low)} on a CPU, less on a GPU; estimated from the preset and the "
        "number of rows. The estimate gets better while the run works."
    )


def plain(text: str) -> str:
    """Escape user text, so that Markdown shows it as it is."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>()#+!|$:~" else c for c in text)
