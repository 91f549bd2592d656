"""Saved thresholds: an append-only history, kept with a training run and in its bundle; the newest one is in force."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from sqlalchemy import select

from ad_core.alerts.rule import Rule
from ad_core.alerts.saved_threshold import SavedThreshold, read_thresholds
from ad_core.errors import StoreError
from ad_core.storage import bundle, results
from ad_core.storage.schema import ThresholdRow

if TYPE_CHECKING:
    from ad_core.storage.store import Store

COLUMNS = ["rule", "name", "reason", "author", "created"]
PART = "threshold"
"""The part of a bundle that holds every threshold ever saved in it, oldest first."""


def save(store: "Store", run_id: str, rule: Rule, *, name: str, reason: str, author: str) -> None:
    """Make a rule the threshold of a run's detector: for the run itself, and for all data scored with it.

    Raises:
        StoreError: the run does not exist, or the name is empty.
        BundleError: the run's bundle is damaged; then nothing is saved.
    """
    training = results.detector_run(store, run_id)
    entry = _entry(rule, name, reason, author)
    row = ThresholdRow(
        run_id=training.id,
        rule=entry.rule.model_dump(mode="json"),
        name=entry.name,
        reason=entry.reason,
        author=entry.author,
        created=entry.created,
    )
    with store.writing() as session:
        session.add(row)
        session.flush()
        _append(store.folder(training.id) / "bundle", entry)


def save_in_bundle(folder: Path, rule: Rule, *, name: str, reason: str, author: str) -> None:
    """Make a rule the threshold of a bundle that belongs to no store.

    Raises:
        StoreError: the name is empty.
        BundleError: the folder is no bundle, or damaged.
    """
    _append(folder, _entry(rule, name, reason, author))


def current(store: "Store", run_id: str) -> Rule | None:
    """The threshold in force of the detector that made a run's scores; None while nobody has saved one."""
    training = results.detector_run(store, run_id)
    query = select(ThresholdRow).where(ThresholdRow.run_id == training.id).order_by(ThresholdRow.id.desc()).limit(1)
    with store.reading() as session:
        newest = session.scalars(query).first()
        return None if newest is None else Rule.parse(newest.rule, "threshold")


def history(store: "Store", run_id: str) -> pd.DataFrame:
    """Every threshold of the detector that made a run's scores, newest first; columns COLUMNS, `rule` as plain JSON."""
    training = results.detector_run(store, run_id)
    query = select(ThresholdRow).where(ThresholdRow.run_id == training.id).order_by(ThresholdRow.id.desc())
    with store.reading() as session:
        lines = [{column: getattr(row, column) for column in COLUMNS} for row in session.scalars(query)]
    return pd.DataFrame(lines, columns=COLUMNS)


def in_bundle(folder: Path) -> tuple[SavedThreshold, ...]:
    """Every threshold that was saved in a bundle, oldest first.

    Raises:
        BundleError: the folder is no bundle, or damaged.
    """
    return read_thresholds(bundle.part(folder, PART), folder)


def _entry(rule: Rule, name: str, reason: str, author: str) -> SavedThreshold:
    if not name.strip():
        raise StoreError("A threshold needs a name. Type one, such as the date or the reason.")
    return SavedThreshold(
        rule=rule, name=name.strip(), reason=reason.strip(), author=author.strip(), created=datetime.now(UTC)
    )


def _append(folder: Path, entry: SavedThreshold) -> None:
    bundle.change(folder, {PART: [saved.model_dump(mode="json") for saved in (*in_bundle(folder), entry)]})
