"""A calibration without rows that a person has confirmed as anomalies; without training again, and reversible.

An anomaly among the calibration rows makes the p-values of its likes large, so that they are never alerts. Leaving out
confirmed anomalies keeps the guarantee; leaving out the highest rows unseen breaks it, as normal rows go with them. So
nothing is ever left out that nobody has confirmed: the newest verdict "anomaly" on a row (see `verdicts`) leaves it
out, and taking that verdict back puts it back. Everything follows from all rows that calibrated at first and the
verdicts of now, so that what was cut short can simply be done again.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ad_core.alerts.calibration import Calibration
from ad_core.alerts.calibration_rows import calibrated
from ad_core.alerts.events import events, with_leads
from ad_core.alerts.threshold import USED_FOR, Rule, apply_or_without_segment, rule_in_force
from ad_core.errors import StoreError
from ad_core.storage import bundle, results, saved_thresholds, verdicts
from ad_core.storage.database import RunRow

if TYPE_CHECKING:
    from ad_core.storage.store import RunRecord, Store

PART = "calibration_review"
"""The part of a bundle that says which rows were left out, and when."""

LONGEST = 50
"""So many rows are offered for review: as many as a person looks at with care."""


@dataclass(frozen=True)
class CalibrationReview:
    """Where the review of a run's calibration rows stands."""

    rows: pd.DataFrame
    """All rows that calibrated at first: `row_id`, `score`, and what `calibration_rows.of_items` knows of them."""
    confirmed: list[str]
    """Those that have the verdict "anomaly" now."""
    left_out: list[str]
    """Those that the calibration does without."""
    queue: pd.DataFrame
    """The highest, at most LONGEST, highest first: `row_id`, `score`, `verdict` (empty = none), `left_out`. Of a
    recording the highest time stamp of each block.
    """

    @property
    def pending(self) -> bool:
        """Whether verdicts have changed since the last recalibration."""
        return set(self.confirmed) != set(self.left_out)


def review(store: "Store", run_id: str) -> CalibrationReview:
    """The calibration rows behind a run's p-values, and what was said of them.

    Raises:
        StoreError: the run does not exist, or it is of an older version that did not keep its calibration rows.
        BundleError: the run's bundle is missing or damaged.
    """
    training = results.detector_run(store, run_id)
    rows = _rows(store, training)
    said = verdicts.current(store, training.dataset_id)
    newest = dict(zip(said["row_id"], said["verdict"], strict=True))
    verdict = pd.Series([newest.get(row_id, "") for row_id in rows["row_id"]], index=rows.index, dtype=object)
    confirmed = rows.loc[verdict == verdicts.Verdict.ANOMALY, "row_id"].tolist()
    left_out = list((bundle.part(_bundle(store, training), PART) or {}).get("left_out", []))
    queue = rows.assign(verdict=verdict, left_out=rows["row_id"].isin(left_out))
    queue = queue.sort_values("score", ascending=False, kind="stable")
    if "block" in queue:
        queue = queue.drop_duplicates("block")
    queue = queue[["row_id", "score", "verdict", "left_out"]].head(LONGEST).reset_index(drop=True)
    return CalibrationReview(rows, confirmed, left_out, queue)


def preview(found: CalibrationReview) -> Calibration:
    """The calibration as the verdicts of now would have it.

    Raises:
        DataError: no row would be left.
    """
    return calibrated(found.rows, found.confirmed)


def recalibrate(store: "Store", run_id: str, author: str = "") -> Calibration:
    """Leave out the confirmed rows, and only these, in the bundle of the run's detector and in the p-values and
    percentiles of every run that it scored. Each file changes at once; all are prepared before the first one changes.

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
    drafts = [draft for run in runs for draft in _drafts(store.folder(run.id), calibration, facts, rule, found.rows)]
    about = {"left_out": found.confirmed, "author": author, "created": datetime.now(UTC).isoformat()}
    bundle.change(
        _bundle(store, training),
        {
            "calibration": calibration.to_frame(),
            "calibration_facts": facts,
            PART: about,
            "calibration_rows": found.rows,
        },
    )
    for draft, target in drafts:
        draft.replace(target)
    with store.writing() as session:
        for run in runs:
            row = session.get(RunRow, run.id)
            if row is not None:
                row.summary = {**row.summary, "calibration": facts}
    return calibration


def _bundle(store: "Store", training: "RunRecord") -> Path:
    return store.folder(training.id) / "bundle"


def _rows(store: "Store", training: "RunRecord") -> pd.DataFrame:
    """The rows that calibrated at first; for bundles that don't know them, those whose scores make the calibration."""
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
) -> list[tuple[Path, Path]]:
    """New versions of a run's files beside the old ones, and which they are to replace."""
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
    drafts = []
    for name, table in tables.items():
        draft = folder / f".recalibrated-{name}.parquet"
        table.to_parquet(draft, index=False)
        drafts.append((draft, folder / f"{name}.parquet"))
    draft = folder / ".recalibrated-summary.json"
    draft.write_text(json.dumps(summary, indent=2, ensure_ascii=False), encoding="utf-8")
    return [*drafts, (draft, folder / "summary.json")]
