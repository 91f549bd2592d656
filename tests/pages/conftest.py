"""A store with one finished run per kind of data, written as a worker would, so that pages have something to show."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from ad_core.alerts.calibration import Calibration
from ad_core.data.dataset import Declared
from ad_core.storage import bundle, results
from ad_core.storage.results import publish
from ad_core.storage.store import RunRecord, Store

MAIN = str(Path(__file__).parents[2] / "pages" / "main.py")
ROWS = 120
KINDS = {"id": "text", "amount": "number", "hour": "number", "shop": "category", "label": "number"}
SPLIT = {"fit": 60, "early_stop": 20, "calibration": 40}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of its own for the test."""
    monkeypatch.setenv("AD_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("AD_DATABASE_URL", raising=False)
    return tmp_path / "home"


@pytest.fixture
def store(home: Path) -> Store:
    """The store that the pages will open."""
    return Store.open(home)


@pytest.fixture
def table_run(store: Store, tmp_path: Path) -> RunRecord:
    """A run on a table of 120 rows, of which the last five are unusual and two are explained."""
    return write_table_run(store, tmp_path)


@pytest.fixture
def open_page() -> Callable[..., AppTest]:
    """Open a page of the app with query parameters, as a link would."""

    def opened(page: str = "", **query: str) -> AppTest:
        test = AppTest.from_file(MAIN, default_timeout=30)
        for name, value in query.items():
            test.query_params[name] = value
        if page:
            test.switch_page(page)
        return test.run()

    return opened


def write_table_run(store: Store, folder: Path, rows: int = ROWS, *, each_without_itself: bool = False) -> RunRecord:
    """With `each_without_itself` as by a recipe: all rows but two are fitted on, and all of them calibrate."""
    generator = np.random.default_rng(0)
    data = pd.DataFrame(
        {
            "id": [f"r{i}" for i in range(rows)],
            "amount": generator.normal(50, 10, rows).round(2),
            "hour": generator.integers(8, 20, rows),
            "shop": generator.choice(["north", "south"], rows),
        }
    )
    data.loc[rows - 5 :, "amount"] = [500.0, 620.0, 580.0, 700.0, 5000.0]
    data["label"] = (data.index >= rows - 5).astype(int)
    file = folder / "sales.csv"
    data.to_csv(file, index=False)
    score = np.abs(data["amount"].to_numpy() - 50) / 10 + 0.1
    split = {"fit": rows - 2, "early_stop": 1, "calibration": 1} if each_without_itself else SPLIT
    run = _finished(store, "sales", "table", file, {"id": "id", "label": "label"}, rows, split)
    scores = _scores(data["id"], score)
    if each_without_itself:
        scores["used_for"] = ["early_stop", "calibration", *["fit"] * (rows - 2)]
    scores["label"] = data["label"]
    parts = [
        {
            "row_id": row_id,
            "part": part,
            "value": str(data.set_index("id").at[row_id, part]),
            "expected": "50" if part == "amount" else "14",
            "expected_low": "35" if part == "amount" else "9",
            "expected_high": "66" if part == "amount" else "19",
            "attribution": share,
            "method": "integrated_gradients",
            "delta": 0.001,
        }
        for row_id in (f"r{rows - 1}", f"r{rows - 2}")
        for part, share in (("amount", 40.0), ("hour", -1.5))
    ]
    near = [{"row_id": f"r{rows - 1}", "rank": k + 1, "neighbour": f"r{k}", "distance": 1.0 + k} for k in range(5)]
    placed = pd.DataFrame(generator.normal(size=(rows, 4)), columns=["x", "y", "pca_x", "pca_y"])
    placed.insert(0, "row_id", data["id"])
    placed["score"], placed["percentile"] = score, scores["percentile"]
    _publish(store, run, scores, parts, near, placed)
    return store.run(run.id)


def write_image_run(store: Store, folder: Path, images: int = 12) -> RunRecord:
    generator = np.random.default_rng(1)
    where = folder / "plates"
    where.mkdir()
    for i in range(images):
        pixels = generator.integers(90, 110, (64, 80)).astype(np.uint8)
        if i == images - 1:
            pixels[20:30, 40:60] = 250
        Image.fromarray(pixels).save(where / f"p{i:02}.png")
    names = pd.Series([f"p{i:02}.png" for i in range(images)])
    score = np.linspace(1, 2, images)
    score[-1] = 9.0
    run = _finished(store, "plates", "image", where, {}, images, SPLIT)
    last = names.iloc[-1]
    part = {
        "row_id": last,
        "part": "y 16-32, x 40-60",
        "value": None,
        "attribution": 3.0,
        "method": "occlusion",
        "delta": 0.2,
    }
    near = [{"row_id": last, "rank": k + 1, "neighbour": names[k], "distance": 1.0 + k} for k in range(5)]
    placed = pd.DataFrame(generator.normal(size=(images, 4)), columns=["x", "y", "pca_x", "pca_y"])
    placed.insert(0, "row_id", names)
    placed["score"], placed["percentile"] = score, 50.0
    scores = _scores(names, score)
    _publish(store, run, scores, [{**part, "y0": 16, "y1": 32, "x0": 40, "x1": 60}], near, placed)
    heat = np.zeros((64, 80), dtype=np.float32)
    heat[20:30, 40:60] = 1.0
    maps = store.folder(run.id) / "maps"
    maps.mkdir()
    np.save(maps / f"{results.safe_name(last)}.npy", heat)
    return store.run(run.id)


def write_sensor_run(store: Store, file: Path, rows: int = 1200) -> RunRecord:
    """One event with its peak in row 1030, led by the pressure."""
    data = pd.read_parquet(file)
    run = _finished(store, "pump", "sensor", file, {"time": "time", "label": "is_anomaly"}, rows, SPLIT)
    score = np.full(rows, 1.0) + np.arange(rows) / rows
    score[1000:1060] = 9.0
    score[1030] = 12.0
    scores = _scores(data["time"].dt.strftime("%Y-%m-%dT%H:%M:%S"), score)
    scores.insert(1, "time", data["time"])
    event = {
        "start": data["time"][1000],
        "peak": data["time"][1030],
        "end": data["time"][1059],
        "row_id_start": scores["row_id"][1000],
        "row_id_peak": scores["row_id"][1030],
        "row_id_end": scores["row_id"][1059],
        "peak_score": 12.0,
        "duration": 59.0,
        "n_rows": 60,
        "n_alarms": 60,
        "leading": "pressure [bar]",
        "leads": "pressure [bar], 30 s before the peak",
    }
    part = {
        "row_id": event["row_id_peak"],
        "part": "pressure [bar], a to b",
        "value": "2",
        "attribution": 3.0,
        "method": "occlusion",
        "delta": 0.0,
        "channel": "pressure [bar]",
        "t0": event["start"],
        "t1": event["end"],
    }
    near = [{"row_id": event["row_id_peak"], "rank": 1, "neighbour": scores["row_id"][3], "distance": 1.0}]
    placed = pd.DataFrame({"row_id": scores["row_id"], "x": score, "y": score, "pca_x": score, "pca_y": score})
    _publish(store, run, scores, [part], near, placed.assign(score=score, percentile=50.0))
    folder = store.folder(run.id)
    publish(folder, "events", pd.DataFrame([event]))
    facts = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    facts["events"] = {"threshold": 8.0, "by": "p ≤ 0.01", "merge_gap": 64, "merge_windows": 2.0}
    (folder / "summary.json").write_text(json.dumps(facts), encoding="utf-8")
    return store.run(run.id)


def _finished(
    store: Store, name: str, modality: str, source: Path, declared: dict[str, Any], rows: int, split: dict[str, int]
) -> RunRecord:
    plain = Declared.model_validate({"modality": modality, **declared}).model_dump(mode="json", exclude_defaults=True)
    kinds = KINDS if modality == "table" else {}
    record = store.add_dataset(name, modality, [source], plain, rows, "0" * 64, {})
    run = store.add_run(record.id, "train", {"pretext": "autoencoder", "preset": "quick"}, f"{name} run")
    assert store.claim(run.id, 1, "never")
    calibrated = split["calibration"] if split is SPLIT else rows
    facts = {
        "modality": modality,
        "method": "autoencoder",
        "declared": plain | {"kinds": kinds},
        "split": split,
        "calibration": {"rows": calibrated, "n": calibrated, "smallest_p": 1 / 41, "approximate": False},
        "map": {"items": rows},
    }
    (store.folder(run.id) / "summary.json").write_text(json.dumps(facts), encoding="utf-8")
    (store.folder(run.id) / "bundle").mkdir()
    store.finish(run.id, "done", summary=facts)
    return run


def write_bundle(store: Store, run_id: str, scores: pd.DataFrame) -> None:
    """The parts of a bundle that pages read: what calibrated."""
    rows = scores.loc[scores["used_for"] == "calibration", ["row_id", "score"]].reset_index(drop=True)
    calibration = Calibration.fit(rows["score"])
    parts = {
        "calibration": calibration.to_frame(),
        "calibration_facts": calibration.facts(),
        "calibration_rows": rows,
    }
    bundle.write(store.folder(run_id) / "bundle", {}, parts)


def _scores(row_ids: pd.Series, score: np.ndarray) -> pd.DataFrame:
    order = score.argsort().argsort()
    return pd.DataFrame(
        {
            "row_id": row_ids,
            "score": score,
            "percentile": 100 * order / len(score),
            "p_value": np.maximum(1 - order / len(score), 1 / 41),
            "note": "",
            "used_for": np.where(np.arange(len(score)) % 3 == 0, "calibration", "fit"),
        }
    )


def _publish(store: Store, run: RunRecord, scores: pd.DataFrame, parts: list, near: list, placed: pd.DataFrame) -> None:
    folder = store.folder(run.id)
    write_bundle(store, run.id, scores)
    publish(folder, "scores", scores)
    references = pd.DataFrame(
        {"row_id": scores["row_id"], "isolation_forest": scores["score"], "nearest_neighbours": scores["score"] ** 2}
    )
    publish(folder, "references", references)
    publish(folder, "explanations", pd.DataFrame(parts))
    publish(folder, "neighbours", pd.DataFrame(near))
    publish(folder, "map", placed)
