"""Report of one case as one file: scores, explanation and its check, verdicts, provenance, and how to repeat it.

The HTML file is self-contained: it loads no script, font or image. The JSON file holds the same facts. All text from
the user's data is escaped.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ad_core.data.dataset import Dataset
from ad_core.explain.grade import in_words
from ad_core.explain.heat_overlay import outlined, overlay, top_box
from ad_core.explain.heat_scale import HeatScale
from ad_core.review.reports.self_contained import bars_of, inline_image, plain, signals_of, template
from ad_core.storage import results, verdicts
from ad_core.storage.provenance import origin
from ad_core.storage.shown_paths import command_in_home, short_sources

if TYPE_CHECKING:
    from ad_core.storage.store import RunRecord, Store

PARTS = 12
"""Maximum number of features in the list."""

OF_ROW = ("score", "percentile", "p_value", "severity", "time", "entity", "note")

OPACITY = 0.55


def gather(
    store: "Store", run_id: str, row_id: str, dataset: Dataset | None, threshold: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """All facts about one case; JSON-able.

    Args:
        dataset: the rows that the run scored; None = they can't be opened any more, and their values are left out.
        threshold: the rule in force: `rule`, `sentence`, and anything else that was saved with it.

    Raises:
        StoreError: the run or the row does not exist.
    """
    run = store.run(run_id)
    training, record = results.detector_run(store, run_id), store.dataset(run.dataset_id)
    case = results.case(store, run_id, row_id)
    severity = case.row.get("severity")
    evidence: dict[str, Any] = plain(
        {
            "row": row_id,
            **origin(store, run_id),
            "score": {name: case.row.get(name) for name in OF_ROW},
            "threshold": dict(threshold or {}),
            "values": _values(dataset, row_id),
            "explanation": _lines(case.explanation, PARTS),
            "check": None if case.check is None else {**case.check, "in_words": in_words(case.check, severity)},
            "neighbours": _lines(case.neighbours, PARTS),
            "counterfactual": case.counterfactual,
            "verdicts": _lines(verdicts.history(store, run.dataset_id, row_id), None),
            "again": command(store, training, list(record.sources), row_id, case.check),
            "made": datetime.now(UTC).isoformat(" ", "seconds"),
        }
    )
    return evidence


def command(
    store: "Store", training: "RunRecord", sources: list[str], row_id: str, check: Mapping[str, Any] | None
) -> str:
    """The command that explains this row again with the same detector, where the data lie."""
    words = ["explain", str(store.folder(training.id) / "bundle"), *short_sources(sources)]
    words += ["--row", row_id, "--out", "explanation.parquet"]
    if check is not None:
        words += ["--method", str(check["method"]), "--baseline", str(check["baseline"])]
    return command_in_home(*words, home=store.home)


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
    images = {title: inline_image(picture) for title, picture in (pictures or {}).items()}
    bars = bars_of(evidence["explanation"] or [])
    signals = [] if window is None else signals_of(window, evidence["explanation"] or [])
    return str(template("evidence.html").render(e=evidence, images=images, bars=bars, signals=signals))


def with_heat(picture: np.ndarray, heat: np.ndarray, scale: HeatScale | None = None) -> np.ndarray:
    """An image with its anomaly map over it and a frame around its most anomalous region, as on the page."""
    shown, box = overlay(picture, heat, OPACITY, scale), top_box(heat, scale)
    return shown if box is None else outlined(shown, box)


def _values(dataset: Dataset | None, row_id: str) -> dict[str, Any] | None:
    """The values of the row in a table; None for other data."""
    if dataset is None or dataset.modality != "table":
        return None
    found = np.flatnonzero((dataset.rows["row_id"] == row_id).to_numpy())
    return None if not len(found) else dataset.data.iloc[found[0]].to_dict()


def _lines(table: pd.DataFrame | None, most: int | None) -> list[dict[str, Any]] | None:
    if table is None:
        return None
    lines: list[dict[str, Any]] = (table if most is None else table.head(most)).to_dict("records")
    return lines
