"""What pages read: the store, and a run's tables and data sets, kept in memory while their files do not change.

Frames are shared between sessions and reruns and must not be changed in place.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.alerts.calibration import Calibration
from ad_core.data.dataset import Dataset, Declared
from ad_core.errors import AdError, BundleError, DamagedError
from ad_core.storage import bundle, results, run_calibration, verdicts
from ad_core.storage.store import DatasetRecord, Store

DAMAGE_SHOWN = "_damage_shown"
"""Key of the damage that this page has shown, in the session."""


def store() -> Store:
    """The store of this installation."""
    return _store(os.environ.get("AD_HOME"), os.environ.get("AD_DATABASE_URL"))


def ranked(run_id: str) -> pd.DataFrame:
    """The score table of a run, most anomalous first.

    Raises:
        StoreError: there is no such run, or no scores yet.
    """
    folder = store().folder(store().run(run_id).id)
    return _ranked(str(folder), run_id, _stamp(folder / "scores.parquet", folder / "summary.json"))


def calibration_scores(run_id: str) -> np.ndarray | None:
    """Scores of the rows that this training run was calibrated with; None where that is not known."""
    return run_calibration.calibration_scores(ranked(run_id), summary(run_id))


def calibration(run_id: str) -> Calibration:
    """What the p-values of a run come from; empty where that is not known."""
    training = results.detector_run(store(), run_id)
    folder = store().folder(training.id)
    return _calibration(
        str(folder), training.id, _stamp(folder / "bundle" / bundle.MANIFEST, folder / "scores.parquet")
    )


def calibration_rows(run_id: str) -> pd.DataFrame | None:
    """The calibration rows of a run, with those that were left out later; None where the run did not keep them."""
    folder = store().folder(results.detector_run(store(), run_id).id) / "bundle"
    return _calibration_rows(str(folder), _stamp(folder / bundle.MANIFEST))


def scores_stamp(run_id: str) -> str:
    """Changes when the scores of a run, or what they are calibrated with, change."""
    training = results.detector_run(store(), run_id)
    folder = store().folder(run_id)
    manifest = store().folder(training.id) / "bundle" / bundle.MANIFEST
    return f"{store().home}|{_stamp(folder / 'scores.parquet', folder / 'summary.json', manifest)}"


def events_stamp(run_id: str) -> str:
    """Changes when the published events of a run change."""
    return _stamp(store().folder(run_id) / "events.parquet")


def map_stamp(run_id: str) -> str:
    """Changes when the map of a run, its scores, or the files that it scored change."""
    run = store().run(run_id)
    files = [store().folder(run_id) / "map.parquet", *map(Path, store().dataset(run.dataset_id).sources)]
    return f"{scores_stamp(run_id)}|{_stamp(*files)}"


def table(run_id: str, name: str) -> pd.DataFrame | None:
    """One of a run's tables, or None while it is not there yet, or if it is damaged, which is shown."""
    file = store().folder(run_id) / f"{name}.parquet"
    with _damage_shown():
        return _table(str(file), name, _stamp(file))
    return None


def reference_ranks(run_id: str) -> pd.DataFrame | None:
    """The percentile rank of each row from each classical detector, by row id, 100 = highest; None without any."""
    file = store().folder(run_id) / "references.parquet"
    with _damage_shown():
        return _reference_ranks(str(file), _stamp(file))
    return None


def said(run_id: str) -> pd.DataFrame:
    """The newest verdict on each row of the run's data set that has one, by row id; of all runs on these data."""
    dataset_id = store().run(run_id).dataset_id
    return _said(dataset_id, str(store().home), store().url, verdicts.count(store(), dataset_id))


def reasons(run_id: str, most: int = 3) -> pd.Series:
    """Row id -> the features that raise its score most, for the rows that have been explained."""
    file = store().folder(run_id) / "explanations.parquet"
    with _damage_shown():
        return _reasons(str(file), most, _stamp(file))
    return pd.Series(dtype=object)


def case(run_id: str, row_id: str) -> results.Case:
    """Everything stored of one row.

    Raises:
        StoreError: the run or the row does not exist.
    """
    folder = store().folder(store().run(run_id).id)
    found = _case(
        run_id,
        row_id,
        _stamp(
            *(
                folder / name
                for name in ("scores.parquet", "explanations.parquet", "neighbours.parquet", "checks.parquet")
            ),
            results.counterfactual_file(folder, row_id),
        ),
    )
    for sentence in found.damage:
        show_damage(sentence)
    return found


def summary(run_id: str) -> dict[str, Any]:
    """A run's facts, with what was added after the scores were there; empty while there are none.

    Raises:
        DamagedError: the file is damaged, and the run is not done yet.
    """
    return results.facts(store(), run_id)


def dataset(record: DatasetRecord) -> Dataset:
    """A stored data set, opened."""
    return opened(tuple(record.sources), Declared.model_validate(record.declared))


def batch(run_id: str) -> Dataset:
    """The rows that a run scored: the data set it trained on, or a later file read in the same way."""
    run = store().run(run_id)
    record = store().dataset(run.dataset_id)
    parent = results.detector_run(store(), run_id)
    if parent.id == run_id:
        now = dataset(record)
        return _as_trained(now, json.dumps(summary(run_id).get("declared")), f"{now.fingerprint} {now.declared}")
    trained = json.dumps(summary(parent.id)["declared"])
    return _like(
        tuple(record.sources),
        trained,
        json.dumps(record.declared),
        _stamp(*(Path(source) for source in record.sources)),
    )


def editable(run_id: str) -> dict[str, Any]:
    """The values allowed in each column that the detector of a run uses, by name; see `tables.allowed_values`.

    Raises:
        DataError: the data can't be read, or have lost a column since the training.
    """
    bundle_folder = store().folder(results.detector_run(store(), run_id).id) / "bundle"
    sources = store().dataset(store().run(run_id).dataset_id).sources
    stamp = _stamp(bundle_folder / bundle.MANIFEST, *(Path(source) for source in sources))
    return _editable(run_id, str(bundle_folder), stamp)


def batch_or_none(run_id: str) -> Dataset | None:
    """`batch`; None where the data can't be opened any more."""
    try:
        return batch(run_id)
    except AdError:
        return None


def opened(sources: tuple[str, ...], declared: Declared) -> Dataset:
    """A data set, opened once for all sessions.

    Raises:
        DataError: they can't be read.
    """
    return _opened(sources, declared.model_dump_json(), _stamp(*(Path(source) for source in sources)))


def profile(sources: tuple[str, ...], declared: Declared) -> Any:
    """Grades of the columns, warnings, and what blocks the training."""
    return _profile(sources, declared.model_dump_json(), _stamp(*(Path(source) for source in sources)))


def show_damage(sentence: str) -> None:
    """Say once per page that a stored result is damaged."""
    shown = st.session_state.setdefault(DAMAGE_SHOWN, set())
    if sentence not in shown:
        shown.add(sentence)
        st.warning(sentence, icon=":material/broken_image:")


@contextmanager
def _damage_shown() -> Iterator[None]:
    """A damaged result is shown as damage, and the page goes on without it."""
    try:
        yield
    except DamagedError as error:
        show_damage(str(error))


@st.cache_resource(show_spinner=False, max_entries=4)
def _store(home: str | None, url: str | None) -> Store:
    return Store.open(home, url)


@st.cache_resource(show_spinner=False, max_entries=6)
def _ranked(_folder: str, run_id: str, stamp: str) -> pd.DataFrame:  # noqa: ARG001  a changed file is another key
    return results.ranked(store(), run_id)


@st.cache_resource(show_spinner=False, max_entries=12)
def _calibration(folder: str, run_id: str, stamp: str) -> Calibration:  # noqa: ARG001
    return run_calibration.calibration_of(store(), run_id)


@st.cache_resource(show_spinner=False, max_entries=6)
def _calibration_rows(folder: str, stamp: str) -> pd.DataFrame | None:  # noqa: ARG001
    try:
        return run_calibration.calibration_rows_of(Path(folder))
    except BundleError:
        return None


@st.cache_resource(show_spinner=False, max_entries=16)
def _case(run_id: str, row_id: str, stamp: str) -> results.Case:  # noqa: ARG001
    return results.case(store(), run_id, row_id)


@st.cache_resource(show_spinner=False, max_entries=6)
def _editable(run_id: str, folder: str, stamp: str) -> dict[str, Any]:  # noqa: ARG001
    from ad_core.explain.editable_cells import editable_in_bundle

    return editable_in_bundle(Path(folder), batch(run_id).data)


@st.cache_resource(show_spinner=False, max_entries=12)
def _table(file: str, name: str, stamp: str) -> pd.DataFrame | None:  # noqa: ARG001
    return results.table(Path(file).parent, name)


@st.cache_resource(show_spinner=False, max_entries=6)
def _reference_ranks(file: str, stamp: str) -> pd.DataFrame | None:  # noqa: ARG001
    references = results.table(Path(file).parent, "references")
    return None if references is None else references.set_index("row_id").rank(pct=True).mul(100)


@st.cache_resource(show_spinner=False, max_entries=6)
def _said(dataset_id: str, home: str, url: str, words: int) -> pd.DataFrame:  # noqa: ARG001  a new verdict is another key
    return verdicts.current(store(), dataset_id).set_index("row_id")


@st.cache_resource(show_spinner=False, max_entries=6)
def _reasons(file: str, most: int, stamp: str) -> pd.Series:  # noqa: ARG001
    parts = results.table(Path(file).parent, "explanations")
    if parts is None:
        return pd.Series(dtype=object)
    if "channel" in parts:
        parts = parts.groupby(["row_id", "channel"], as_index=False, sort=False)["attribution"].sum()
        parts = parts.rename(columns={"channel": "part"})
    raised = parts.loc[parts["attribution"] > 0].sort_values("attribution", ascending=False, kind="stable")
    return raised.groupby("row_id", sort=False).head(most).groupby("row_id")["part"].agg(", ".join)


@st.cache_resource(show_spinner="Reading the data ...", max_entries=3)
def _opened(sources: tuple[str, ...], declared: str, stamp: str) -> Dataset:  # noqa: ARG001
    from ad_core.pipeline import open_declared

    return open_declared(list(sources), Declared.model_validate_json(declared))


@st.cache_resource(show_spinner="Reading the data ...", max_entries=3)
def _like(sources: tuple[str, ...], trained: str, also: str, stamp: str) -> Dataset:  # noqa: ARG001
    from ad_core.pipeline import open_as

    return open_as(json.loads(trained), list(sources), json.loads(also))


@st.cache_resource(show_spinner="Reading the data ...", max_entries=3)
def _as_trained(_dataset: Dataset, trained: str, key: str) -> Dataset:  # noqa: ARG001
    from ad_core.data.opening import as_trained

    return as_trained(_dataset, json.loads(trained))


@st.cache_resource(show_spinner="Checking every column ...", max_entries=6)
def _profile(sources: tuple[str, ...], declared: str, stamp: str) -> Any:
    from ad_core.data.profiling import profile as look

    return look(_opened(sources, declared, stamp))


def _stamp(*files: Path) -> str:
    """Changes when a file changes; a missing file counts too."""
    return "|".join(f"{f.stat().st_mtime_ns}:{f.stat().st_size}" if f.exists() else "-" for f in files)
