"""Data quality before training, and how far new data have drifted from old data."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from ad_core.data.dataset import Column, ColumnKind, Dataset, Role, Schema
from ad_core.data.duplicates import equal_rows
from ad_core.data.histograms import ColumnHistogram, histograms_of
from ad_core.data.label_questions import questions
from ad_core.data.tables.values import coded, is_number_type, known_of, middle_of, numbers, parse_dates
from ad_core.types import Modality

FEWEST_ROWS = 20
"""Minimum number of training rows."""
FEW_ROWS = 200
"""With fewer training rows than this, the analyst is warned."""
TOP = 5
"""Number of most frequent values that are listed."""
RUN = 10
"""Minimum number of rows over which a channel keeps one value to count as stuck."""
WATCH, ACT = 0.1, 0.25
"""Population stability index: the thresholds that credit scoring uses (Siddiqi 2006, Credit Risk Scorecards)."""
BY_CHANCE = 0.001
"""Probability that at least one column of a file without drift passes these thresholds: with few rows chance alone
moves the index by more."""
WHOLLY, FEWEST_OUTSIDE = 0.5, 3
"""Above this share of values beyond the range of the reference rows, and with at least this number of values, a column
lies outside as a whole: single values beyond it are anomalies."""


class ColumnProfile(BaseModel):
    """One column in numbers."""

    model_config = ConfigDict(frozen=True)

    name: str
    role: Role
    kind: ColumnKind
    unit: str | None
    grade: str
    reason: str
    missing: float
    """Share of missing cells, 0..1."""
    distinct: int
    min: float | str | None = None
    median: float | str | None = None
    max: float | str | None = None
    """Numbers, or ISO texts for dates."""
    top: tuple[tuple[str, float], ...] = ()
    """The most frequent values with their share of all rows."""
    stuck: float | None = None
    """Recordings: share of rows in which the channel has kept one value for at least RUN rows."""


class Profile(BaseModel):
    """A data set in numbers. JSON-able."""

    model_config = ConfigDict(frozen=True)

    modality: Modality
    rows: int
    usable: int
    """Rows without a note."""
    teaching: int
    """Number of training rows."""
    duplicates: int
    """Rows that equal an earlier one in all used columns; images: files that equal an earlier one byte by byte."""
    columns: tuple[ColumnProfile, ...]
    facts: dict[str, Any] = {}
    """Images: `folders`, `sizes`, `modes` (value -> count), `duplicates` (groups of equal files)."""
    blockers: tuple[str, ...]
    """Why a detector can't be trained on these data, in sentences; empty = it can."""
    warnings: tuple[str, ...]
    """What an analyst should check before training, in sentences."""


def profile(dataset: Dataset) -> Profile:
    """Profile every column of an opened data set, or the files of an image set."""
    is_image = dataset.modality is Modality.IMAGE
    columns = () if is_image else tuple(_column(dataset, column) for column in dataset.schema.columns)
    facts = _image_facts(dataset.data) if is_image else {}
    duplicates = sum(len(g) - 1 for g in facts.get("duplicates", [])) if is_image else equal_rows(dataset)
    usable = (dataset.rows["note"] == "").to_numpy()
    return Profile(
        modality=dataset.modality,
        rows=len(dataset),
        usable=int(usable.sum()),
        teaching=int((usable & dataset.is_training).sum()),
        duplicates=duplicates,
        columns=columns,
        facts=facts,
        blockers=tuple(_blockers(dataset, usable)),
        warnings=tuple(_warnings(dataset, usable, duplicates, facts)),
    )


def drift(reference: pd.DataFrame, new: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """How far each used column of new data has drifted from the reference data; see `drift_from`."""
    return drift_from(histograms_of(reference, schema), new)


def drift_from(histograms: Iterable[ColumnHistogram], new: pd.DataFrame, *, usual: bool = False) -> pd.DataFrame:
    """How far each column of new data has drifted from its histogram.

    Numbers and dates: population stability index over ten bins of equal reference share; categories and booleans: over
    their levels; missing cells are a bin of their own. Columns that are only watched are
    compared too.

    Args:
        usual: the new rows are those that don't score high, and are compared with such rows.

    Returns:
        `column`, `kind`, `effect` (the index), `chance` (its expected value without drift for this number of rows),
        `outside` (share of the known values beyond the range of the reference), `verdict`: stable, watch or act, as the
        effect minus chance passes 0.1 and 0.25 and is significant; act also where most values lie outside. Largest
        effect first.
    """
    lines = []
    compared = [histogram for histogram in histograms if histogram.name in new.columns]
    for histogram in compared:
        values = new[histogram.name]
        old = histogram.usual if usual and histogram.usual else histogram.counts
        old_counts, new_counts = np.array(old), histogram.count(values)
        effect, chance = _stability_index(old_counts, new_counts)
        is_moved = effect - chance >= WATCH and _differ(old_counts, new_counts, BY_CHANCE / len(compared))
        moved, (outside, known) = effect - chance, histogram.outside(values)
        share = outside / known if known else 0.0
        is_away = known >= FEWEST_OUTSIDE and share > WHOLLY
        verdict = "act" if is_away or (is_moved and moved >= ACT) else "watch" if is_moved else "stable"
        lines.append((histogram.name, str(histogram.kind), effect, chance, share, verdict))
    table = pd.DataFrame(lines, columns=["column", "kind", "effect", "chance", "outside", "verdict"])
    return table.sort_values("effect", ascending=False, kind="stable", ignore_index=True)


def _differ(old: np.ndarray, new: np.ndarray, error: float) -> bool:
    """Whether two histograms differ by more than chance: the chi-square test of homogeneity, at this error."""
    from scipy.stats import chi2_contingency

    used = (old + new) > 0
    return bool(chi2_contingency(np.stack([old[used], new[used]]), correction=False).pvalue <= error)


def _stability_index(old: np.ndarray, new: np.ndarray) -> tuple[float, float]:
    """The index and its mean without drift, (bins - 1) (1/n + 1/m); half a row is added per bin to avoid log 0."""
    used = (old + new) > 0
    if not old.sum() or not new.sum() or not used.any():
        return 0.0, 0.0
    p, q = ((c[used] + 0.5) / (c[used] + 0.5).sum() for c in (old, new))
    chance = (used.sum() - 1) * (1 / old.sum() + 1 / new.sum())
    return float(((q - p) * np.log(q / p)).sum()), float(chance)


def _column(dataset: Dataset, column: Column) -> ColumnProfile:
    values = dataset.data[column.name]
    facts: dict[str, Any] = {}
    if column.kind is ColumnKind.NUMBER:
        parsed, _ = numbers(values)
        known = known_of(parsed)
        if len(known):
            facts = {"min": float(known.min()), "median": middle_of(known), "max": float(known.max())}
    elif column.kind in (ColumnKind.DATE, ColumnKind.CALENDAR) and pd.api.types.is_datetime64_any_dtype(values):
        dates = parse_dates(values, None).dropna().sort_values()
        if len(dates):
            facts = {n: dates.iloc[i].isoformat() for n, i in (("min", 0), ("median", len(dates) // 2), ("max", -1))}
    elif column.kind in (ColumnKind.CATEGORY, ColumnKind.BOOLEAN):
        facts = {"top": _top(values)}
    if dataset.modality is Modality.SENSOR and column.role is Role.FEATURE and is_number_type(values):
        facts["stuck"] = _stuck(values)
    return ColumnProfile(
        name=column.name,
        role=column.role,
        kind=column.kind,
        unit=column.unit,
        grade=column.grade,
        reason=column.reason,
        missing=column.missing,
        distinct=column.distinct,
        **facts,
    )


def _top(values: pd.Series) -> tuple[tuple[str, float], ...]:
    column = coded(values)
    counts = column.counts()
    return tuple((column.levels[i], float(counts[i] / len(values))) for i in np.argsort(-counts, kind="stable")[:TOP])


def _stuck(values: pd.Series) -> float:
    parsed, _ = numbers(values)
    new_run = np.append(True, parsed[1:] != parsed[:-1])  # missing differs from missing: it is counted as missing
    lengths = np.diff(np.append(np.flatnonzero(new_run), len(parsed)))
    return float(lengths[lengths >= RUN].sum() / max(len(parsed), 1))


def _image_facts(data: pd.DataFrame) -> dict[str, Any]:
    def counts(values: pd.Series) -> dict[str, int]:
        return {str(value): int(n) for value, n in values.value_counts().items()}

    facts: dict[str, Any] = {}
    if "folder" in data:
        facts["folders"] = counts(data["folder"])
    if {"height", "width"} <= set(data.columns):
        sizes = data.dropna(subset=["height", "width"])
        pairs = zip(sizes["width"].astype(int), sizes["height"].astype(int), strict=True)
        facts["sizes"] = counts(pd.Series([f"{width} x {height}" for width, height in pairs], dtype="str"))
    if "mode" in data:
        facts["modes"] = counts(data["mode"].dropna())
    if "sha" in data:
        known = data[data["sha"].notna() & (data["sha"] != "")]
        repeated = known[known["sha"].duplicated(keep=False)]
        facts["duplicates"] = [group["path"].tolist() for _, group in repeated.groupby("sha", sort=False)]
    return facts


def _blockers(dataset: Dataset, usable: np.ndarray) -> list[str]:
    training = usable & dataset.is_training
    what = {Modality.IMAGE: "images", Modality.SENSOR: "time stamps"}.get(dataset.modality, "rows")
    blockers = []
    if training.sum() < FEWEST_ROWS:
        blockers.append(
            f"Only {training.sum()} {what} can be used for training, but at least {FEWEST_ROWS} are needed: "
            f"open more data, or choose more training rows."
        )
    if dataset.modality is Modality.IMAGE:
        return blockers
    blockers += questions(dataset, "app")
    used = dataset.schema.names(Role.FEATURE)
    if not used:
        apart = (Role.IGNORE, Role.WATCHED)
        left_out = [f"{c.name!r}: {c.reason}" for c in dataset.schema.columns if c.role in apart and c.reason][:3]
        why = f" Left out are {' '.join(left_out)}" if left_out else ""
        blockers.append(f"No column can be used. Mark at least one as a feature, or open other data.{why}")
    elif training.any() and dataset.modality is Modality.TABLE and not _any_changes(dataset.data, used, training):
        blockers.append(
            "None of the used columns changes within the training rows. Choose other rows or other columns."
        )
    return blockers


def _any_changes(data: pd.DataFrame, used: list[str], rows: np.ndarray) -> bool:
    return any(data[name][rows].nunique(dropna=False) > 1 for name in used)


def _warnings(dataset: Dataset, usable: np.ndarray, duplicates: int, facts: dict[str, Any]) -> list[str]:
    training = usable & dataset.is_training
    warnings = []
    if not usable.all():
        warnings.append(f"{(~usable).sum()} of {len(usable)} rows can't be used; each has a note that says why.")
    if FEWEST_ROWS <= training.sum() < FEW_ROWS:
        warnings.append(f"{training.sum()} training rows are few: scores will vary from training to training.")
    if "label" in dataset.rows and (known := dataset.rows["label"].to_numpy()[training] == 1).any():
        warnings.append(
            f"{known.sum()} of {training.sum()} training rows are labelled as anomalies. "
            f"Leave them out of the training rows, or state that there are anomalies among the training rows."
        )
    if duplicates:
        warnings.append(f"{duplicates} of {len(dataset)} rows equal an earlier one.")
    used = [c for c in dataset.schema.columns if c.role is Role.FEATURE]
    if dataset.modality is Modality.TABLE and len(used) > max(training.sum(), 1):
        warnings.append(f"There are more columns ({len(used)}) than training rows ({training.sum()}).")
    if dataset.modality is Modality.SENSOR:
        from ad_core.data.recordings.channel_checks import drifts, level_shifts

        warnings += drifts(dataset, training) + level_shifts(dataset, training)
    return warnings + _odd_images(facts)


def _odd_images(facts: dict[str, Any]) -> list[str]:
    """Sizes and modes that few images have."""
    warnings = []
    for key, what in (("sizes", "size"), ("modes", "mode")):
        counts = facts.get(key, {})
        total = sum(counts.values())
        rare = {value: n for value, n in counts.items() if n <= 0.05 * total}
        if rare and len(counts) > len(rare):
            shown = ", ".join(f"{value} ({n})" for value, n in list(rare.items())[:5])
            warnings.append(f"{sum(rare.values())} of {total} images have an unusual {what}: {shown}.")
    return warnings
