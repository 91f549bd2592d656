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
    "parts lower the score as much. Of images, the region named first is painted over as in a normal image; where that "
    "proves nothing but the detector's own map names the same region, the grade is weak."
)
APART = (
    "How far the value is from the median of these neighbours, in usual widths of the column: an interquartile range "
    "divided by 1.35, which is a standard deviation where there are no outliers. Beyond 3 is far."
)

NOTHING_STANDS_OUT = ("Nothing stands out", "gray", ":material/remove:")
"""In place of a grade, where no explanation holds because the score is a usual one."""


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

NEIGHBOURS_KEPT = (
    "Of two points that are close on the map, how surely are they close for the detector? Of a single point, colour by "
    "“Neighbours kept”: of the 15 items that are nearest to it for the detector, how many lie among the nearest 1 % of "
    "the map."
)

FAR_INSIDE = (
    "Their distance to the nearest training items is far beyond what is usual among those, yet on the map they lie "
    "in the crowd: a plane has no room for everything. Their scores come from the detector, not from the map."
)

EFFECT = (
    "How far the selection is from the rest. Numbers: difference of the medians in robust standard deviations of the "
    "rest. Categories: difference of the shares (Cohen's h). 0.2 is small, 0.5 medium, 0.8 large."
)

GUARANTEES = (
    "A p-value limits how many normal rows become alerts by chance; a false discovery rate limits how many of the "
    "alerts are false (Benjamini and Hochberg 1995). Orange: broken, the whole 95 % interval lies above the guarantee."
)


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
