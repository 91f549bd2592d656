"""Recalibration without the rows that a person has confirmed as anomalies: reversible, and without training again.

An anomaly among the calibration rows makes the p-values of similar anomalies large, so that they are never alerts.
Leaving out confirmed anomalies keeps the error guarantee. Leaving out the highest rows without a look breaks it, since
normal rows are among them. So only confirmed rows are left out: the newest verdict "anomaly" on a row (see `verdicts`)
leaves it out, and taking that verdict back restores it. The result depends only on the first calibration rows and the
present verdicts, so an interrupted recalibration can be repeated.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ad_core.alerts.calibration import Calibration
from ad_core.alerts.calibration_rows import calibrated, marked
from ad_core.alerts.events import events, with_leads
from ad_core.alerts.threshold import USED_FOR, Rule, apply_or_without_segment, rule_in_force
from ad_core.errors import StoreError
from ad_core.storage import bundle, results, saved_thresholds, verdicts
from ad_core.storage.result_files import Draft
from ad_core.storage.run_calibration import REVIEW

if TYPE_CHECKING:
    from ad_core.storage.store import RunRecord, Store

LONGEST = 50
"""Maximum number of rows offered for review: what a person can look at carefully."""


@dataclass(frozen=True)
class CalibrationReview:
    """The state of the review of a run's calibration rows."""

    rows: pd.DataFrame
    """All rows of the first calibration: `row_id`, `score`, and the other columns of `calibration_rows.of_items`."""
    confirmed: list[str]
    """Those whose present verdict is "anomaly"."""
    left_out: list[str]
    """Those that the present calibration leaves out because they were confirmed."""
    kept: list[str]
    """Trimmed rows whose present verdict is "normal": they calibrate all the same."""
    kept_before: list[str]
    """Those that the present calibration keeps."""
    queue: pd.DataFrame
    """The highest scores, at most LONGEST, highest first: `row_id`, `score`, `verdict` (empty = none), `left_out`. For
    recordings the highest time stamp of each block.
    """

    @property
    def pending(self) -> bool:
        """Whether verdicts have changed since the last recalibration."""
        return set(self.confirmed) != set(self.left_out) or set(self.kept) != set(self.kept_before)

    @property
    def trimmed(self) -> int:
        """Rows that were taken for anomalies when the detector was trained, see `alerts.trimming`."""
        return int(self.rows["trimmed"].sum()) if "trimmed" in self.rows else 0


def review(store: "Store", run_id: str) -> CalibrationReview:
    """The calibration rows behind a run's p-values, with their verdicts.

    Raises:
        StoreError: the run does not exist, or it is of an older version that did not keep its calibration rows.
        BundleError: the run's bundle is missing or damaged.
    """
    training = results.detector_run(store, run_id)
    rows = _rows(store, training)
    current = verdicts.current(store, training.dataset_id)
    newest = dict(zip(current["row_id"], current["verdict"], strict=True))
    verdict = pd.Series([newest.get(row_id, "") for row_id in rows["row_id"]], index=rows.index, dtype=object)
    confirmed = rows.loc[verdict == verdicts.Verdict.ANOMALY, "row_id"].tolist()
    present = bundle.part(_bundle(store, training), REVIEW) or {}
    left_out, kept_before = (list(present.get(name, [])) for name in ("left_out", "kept"))
    is_kept = (verdict == verdicts.Verdict.NORMAL) & rows.get("trimmed", pd.Series(False, index=rows.index))
    queue = marked(rows, left_out, kept_before).assign(verdict=verdict)
    queue = queue.sort_values("score", ascending=False, kind="stable")
    if "block" in queue:
        queue = queue.drop_duplicates("block")
    queue = queue[["row_id", "score", "verdict", "left_out"]].head(LONGEST).reset_index(drop=True)
    return CalibrationReview(rows, confirmed, left_out, rows.loc[is_kept, "row_id"].tolist(), kept_before, queue)


def preview(found: CalibrationReview) -> Calibration:
    """The calibration that the present verdicts give.

    Raises:
        DataError: no row would be left.
    """
    return calibrated(found.rows, found.confirmed, found.kept)


def recalibrate(store: "Store", run_id: str, author: str = "") -> Calibration:
    """Leave out exactly the confirmed rows: in the detector's bundle, and in the p-values and percentiles of its runs.

    All files are prepared before the first one is replaced, and each is replaced atomically.

    Raises:
        StoreError: a run of the detector is still working, or the calibration rows are not known.
        DataError: no row would be left.
        BundleError: the run's bundle is missing or damaged.
    """
    training = results.detector_run(store, run_id)
    runs = [training, *store.runs(kind="score", parent=training.id)]
    if alive := [run for run in runs if run.alive]:
        raise StoreError(f"Run {alive[0].name!r} is still working. Calibrate again when it is done.")
    found = review(store, training.id)
    calibration = preview(found)
    facts = {**calibration.facts(), "left_out": len(found.confirmed)}
    rule = rule_in_force(saved_thresholds.current(store, training.id), calibration.smallest_p)
    rows = marked(found.rows, found.confirmed, found.kept)
    drafts = [draft for run in runs for draft in _drafts(store.folder(run.id), calibration, facts, rule, rows)]
    about = {
        "left_out": found.confirmed,
        "kept": found.kept,
        "author": author,
        "created": datetime.now(UTC).isoformat(),
    }
    bundle.change(
        _bundle(store, training),
        {
            "calibration": calibration.to_frame(),
            "calibration_facts": facts,
            REVIEW: about,
            "calibration_rows": rows,
        },
    )
    for draft in drafts:
        draft.publish()
    store.add_to_summaries([run.id for run in runs], {"calibration": facts})
    return calibration


def _bundle(store: "Store", training: "RunRecord") -> Path:
    return store.folder(training.id) / "bundle"


def _rows(store: "Store", training: "RunRecord") -> pd.DataFrame:
    """The rows of the first calibration; if the bundle has none, the rows whose scores equal its calibration scores."""
    kept = bundle.part(_bundle(store, training), "calibration_rows")
    if kept is not None:
        return pd.DataFrame(kept)
    facts = bundle.part(_bundle(store, training), "calibration_facts")
    scores = results.table(store.folder(training.id), "scores")
    if facts is not None and scores is not None and "used_for" in scores and not facts["approximate"]:
        known = bundle.part(_bundle(store, training), "calibration")["score"].to_numpy()
        for parts in (("calibration",), USED_FOR):
            rows = scores.loc[scores["used_for"].isin(parts) & scores["score"].notna(), ["row_id", "score"]]
            if len(rows) == len(known) and np.allclose(np.sort(rows["score"]), known):
                return rows.reset_index(drop=True)
    raise StoreError(
        f"Run {training.name!r} was made by an older version that did not keep its calibration rows. "
        "Run it again to review them."
    )


def _drafts(
    folder: Path, calibration: Calibration, facts: dict[str, Any], rule: Rule, calibration_rows: pd.DataFrame
) -> list[Draft]:
    """New versions of a run's files beside the old ones."""
    summary = {**results.summary(folder), "calibration": facts}
    tables: dict[str, pd.DataFrame] = {}
    for name in ("scores", "map"):
        table = results.table(folder, name)
        if table is not None:
            table["percentile"] = calibration.percentile(table["score"])
            if "p_value" in table:
                table["p_value"] = calibration.p_value(table["score"])
            tables[name] = table
    if "events" in summary and "scores" in tables:
        alerts, _ = apply_or_without_segment(rule, tables["scores"], calibration, calibration_rows)
        merging = {name: value for name, value in summary["events"].items() if name.startswith("merge_")}
        summary["events"] = {"rule": alerts.rule.model_dump(mode="json"), **merging}
        found = events(tables["scores"], alerts.of_rows, merging["merge_gap"])
        tables["events"] = with_leads(found, results.table(folder, "events"))
    drafts = [results.draft(folder, name, table) for name, table in tables.items()]
    return [*drafts, results.draft_summary(folder, summary)]
