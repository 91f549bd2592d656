"""One case as a file that speaks for itself: what was seen, why, how sure, who said what, and how to get it again.

The HTML file is self-contained: no script, no font, no picture is fetched from anywhere. The JSON file holds the same
facts. All text of the user's data is escaped.
"""

import base64
import io
import json
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ad_core import bundle, results, verdicts
from ad_core.explanation_grade import in_words
from ad_core.heat_overlay import outlined, overlay, top_box
from ad_core.heat_scale import HeatScale
from ad_core.reader import Dataset

if TYPE_CHECKING:
    from ad_core.store import RunRecord, Store

PARTS, CHANNELS, SIDE = 12, 6, 480
"""So many parts and channels are listed; pictures are shrunk to so many pixels."""

OF_ROW = ("score", "percentile", "p_value", "severity", "time", "entity", "note")

OPACITY = 0.55


def gather(
    store: "Store", run_id: str, row_id: str, dataset: Dataset | None, threshold: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Everything that is known of one case; JSON-able.

    Args:
        dataset: the rows that the run scored; None = they can't be opened any more, so their values are left out.
        threshold: the rule in force, as `rule`, `sentence`, and whatever else was saved with it.

    Raises:
        StoreError: the run or the row does not exist.
    """
    run = store.run(run_id)
    training, record = results.detector_run(store, run_id), store.dataset(run.dataset_id)
    facts = results.summary(store.folder(training.id))
    case = results.case(store, run_id, row_id)
    found: dict[str, Any] = _plain(
        {
            "row": row_id,
            "run": {"id": run.id, "name": run.name, "kind": run.kind, "created": run.created},
            "data": {name: getattr(record, name) for name in ("name", "sources", "fingerprint", "rows")},
            "detector": {
                "method": facts.get("method"), "preset": facts.get("preset"), "seed": facts.get("seed"),
                "settings": facts.get("settings"), "training_rows": facts.get("training_rows"),
                "trained_on": facts.get("data"), "created": facts.get("created"), "versions": facts.get("versions"),
                "identity": bundle.identity(store.folder(training.id) / "bundle"),
            },
            "calibration": facts.get("calibration"),
            "score": {name: case.row.get(name) for name in OF_ROW},
            "threshold": dict(threshold or {}),
            "values": _values(dataset, row_id),
            "explanation": _lines(case.explanation, PARTS),
            "check": None if case.check is None else {**case.check, "in_words": in_words(case.check)},
            "neighbours": _lines(case.neighbours, PARTS),
            "counterfactual": case.counterfactual,
            "verdicts": _lines(verdicts.history(store, run.dataset_id, row_id), None),
            "again": command(store, training, list(record.sources), row_id, case.check),
            "made": datetime.now(UTC).isoformat(" ", "seconds"),
        }
    )  # fmt: skip
    return found


def command(
    store: "Store", training: "RunRecord", sources: list[str], row_id: str, check: Mapping[str, Any] | None
) -> str:
    """The command line that explains this row again with the same detector."""
    words = ["python", "-m", "ad_core", "explain", str(store.folder(training.id) / "bundle"), *sources]
    words += ["--row", row_id, "--out", "explanation.parquet"]
    if check is not None:
        words += ["--method", str(check["method"]), "--baseline", str(check["baseline"])]
    return shlex.join(words)


def to_json(evidence: Mapping[str, Any]) -> str:
    """The facts as a JSON file."""
    return json.dumps(evidence, indent=2, ensure_ascii=False)


def to_html(
    evidence: Mapping[str, Any],
    pictures: Mapping[str, np.ndarray] | None = None,
    window: pd.DataFrame | None = None,
) -> str:
    """The case as one HTML file.

    Args:
        pictures: title -> (y, x, 3) uint8, for images.
        window: `time` and channels of a recording around the case, as in `results.Case.window`.
    """
    inline = {title: _inline(picture) for title, picture in (pictures or {}).items()}
    bars = _bars(evidence["explanation"] or [])
    courses = [] if window is None else _courses(window, evidence["explanation"] or [])
    return str(_template("evidence.html").render(e=evidence, pictures=inline, bars=bars, courses=courses))


def with_heat(picture: np.ndarray, heat: np.ndarray, scale: HeatScale | None = None) -> np.ndarray:
    """A picture with its anomaly map over it and a frame around its most unusual place, as on the page."""
    shown, box = overlay(picture, heat, OPACITY, scale), top_box(heat, scale)
    return shown if box is None else outlined(shown, box)


def _template(name: str) -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("ad_core", "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["short"] = lambda value: (
        "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
    )
    return environment.get_template(name)


def _short(value: Any) -> str:
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _bars(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each part where its bar begins and how long it is, in % of the width."""
    shares = [part["attribution"] or 0.0 for part in parts]
    low, high = min([0.0, *shares]), max([0.0, *shares])
    width = (high - low) or 1.0
    return [
        {
            **part,
            "left": 100 * (min(share, 0.0) - low) / width,
            "width": 100 * abs(share) / width,
            "up": share > 0,
        }
        for part, share in zip(parts, shares, strict=True)
    ]


def _courses(window: pd.DataFrame, parts: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Polylines of the channels with the largest shares, each in a box of 1000 x 100."""
    named = list(dict.fromkeys(part["channel"] for part in parts if part.get("channel")))
    expected = " expected"
    channels = [c for c in window.columns if c != "time" and not c.endswith(expected)]
    ordered = [c for c in named if c in channels] + [c for c in channels if c not in named]
    found = []
    for channel in ordered[:CHANNELS]:
        lines = {"actual": window[channel]}
        if f"{channel}{expected}" in window:
            lines["expected"] = window[f"{channel}{expected}"]
        values = np.concatenate([line.to_numpy(np.float64) for line in lines.values()])
        low, high = np.nanmin(values), np.nanmax(values)
        points = {name: _polyline(line.to_numpy(np.float64), low, (high - low) or 1.0) for name, line in lines.items()}
        found.append({"channel": str(channel), "low": f"{low:.4g}", "high": f"{high:.4g}", "expected": "", **points})
    return found


def _polyline(values: np.ndarray, low: float, width: float) -> str:
    x = np.linspace(0, 1000, len(values))
    y = 95 - 90 * (values - low) / width
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True) if np.isfinite(b))


def _values(dataset: Dataset | None, row_id: str) -> dict[str, Any] | None:
    """The row as it stands in the data; of images their file is named by the row."""
    if dataset is None or dataset.modality != "table":
        return None
    found = np.flatnonzero((dataset.rows["row_id"] == row_id).to_numpy())
    return None if not len(found) else dataset.data.iloc[found[0]].to_dict()


def _lines(table: pd.DataFrame | None, most: int | None) -> list[dict[str, Any]] | None:
    if table is None:
        return None
    lines: list[dict[str, Any]] = (table if most is None else table.head(most)).to_dict("records")
    return lines


def _inline(picture: np.ndarray) -> str:
    from PIL import Image

    image = Image.fromarray(picture)
    image.thumbnail((SIDE, SIDE))
    content = io.BytesIO()
    image.save(content, "PNG")
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"


def _plain(value: Any) -> Any:
    """Only what JSON knows; what is missing becomes None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and not np.isfinite(value)):
        return None
    return value if isinstance(value, str | int | float | bool) else str(value)
