"""What is measured, and how the figures are put together."""

import json
from math import sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ad_core.methods.pretext import PRETEXTS
from ad_core.pipeline import open_dataset
from ad_core.types import Modality
from tests.benchmarks.__main__ import COLUMNS, with_all_columns
from tests.benchmarks.cases import SERIES, Cell, cells, methods
from tests.benchmarks.cell import figures, measure
from tests.benchmarks.sensor_tables import by_family, on_common_series, over_all
from tests.benchmarks.tables import write_tables


def results(figures_of: dict[str, list[float]], seeds: int = 1) -> pd.DataFrame:
    """VUS-PR of each method on the series a1 and a2 of one family and b1 of another; one second each."""
    lines = [
        {
            "cell": f"{method}{name}",
            "modality": "sensor",
            "group": name[0],
            "name": name,
            "protocol": "train-part",
            "method": method,
            "declared": "unsure" if method == "puzzle" else "reference",
            "seed": seed,
            "auroc": 0.5,
            "ap": 0.5,
            "seconds": 1.0,
            "vus_pr": vus_pr + 0.1 * seed,
            "event_recall": 1.0,
        }
        for method, of_series in figures_of.items()
        for name, vus_pr in zip(("a1", "a2", "b1"), of_series, strict=True)
        for seed in range(seeds)
    ]
    return pd.DataFrame(lines, columns=COLUMNS)


MEASURED = {
    "isolation_forest": [0.2, 0.4, 0.6],
    "mahalanobis": [0.5, 0.5, 0.11],
    "random": [0.9, 0.9, 0.9],
    "puzzle": [0.6, 0.504, 0.1],
}
"""Means over the series: .4, .37, .9 and .401."""


def test_a_method_is_set_beside_the_best_reference_of_all_series():
    """The forest, .4; chance is no reference. The puzzle's mean is .401, it wins on a1 and a2 and loses on b1."""
    table = over_all(results(MEASURED))

    assert list(table.index) == ["random", "puzzle (unsure)", "isolation_forest", "mahalanobis"]
    assert table.loc["puzzle (unsure)", ["vus_pr", "ratio"]].tolist() == pytest.approx([1.204 / 3, 1.204 / 1.2])
    assert table.loc["puzzle (unsure)", ["wins", "losses"]].tolist() == [2, 1]


def test_within_a_family_it_is_set_beside_the_family_s_own_best_reference():
    """Mahalanobis in family a (.5), the forest in family b (.6)."""
    ratios = by_family(results(MEASURED)).loc["puzzle (unsure)", ["a ratio", "b ratio", "lowest ratio"]]

    assert ratios.tolist() == pytest.approx([0.552 / 0.5, 0.1 / 0.6, 0.1 / 0.6])


def test_the_spread_is_that_of_the_means_over_the_seeds():
    """Each seed adds 0.1 to every figure: two seeds differ by 0.1, their standard deviation is 0.1 / sqrt(2)."""
    table = over_all(results(MEASURED, seeds=2))

    assert table["spread"].tolist() == pytest.approx([0.1 / sqrt(2)] * 4)
    assert table.loc["mahalanobis", "vus_pr"] == pytest.approx(0.42)


def test_the_tables_are_kept_as_text_with_every_series_by_itself(tmp_path):
    write_tables(results(MEASURED), tmp_path, "quick")

    text = (tmp_path / "sensor_quick.txt").read_text()
    assert "3 series, 1 seed(s); best reference isolation_forest" in text
    assert "a mahalanobis (2 series), b isolation_forest (1 series)" in text
    assert "VUS-PR by series" in text


def test_lines_from_before_a_column_existed_stay_as_they_were_and_get_empty_cells(tmp_path):
    file = tmp_path / "cells.tsv"
    figures_of_then = ["x"] * 8 + ["0.50", "1"] + [""] * (len(COLUMNS) - 12)
    file.write_text("\t".join(COLUMNS[:-2]) + "\n" + "\t".join(figures_of_then) + "\n")

    with_all_columns(file)

    assert file.read_text().splitlines()[0].split("\t") == COLUMNS
    assert file.read_text().splitlines()[1].split("\t") == [*figures_of_then, "", ""]


def test_every_installed_puzzle_for_recordings_is_measured_on_every_labelled_series():
    measured = [cell for cell in cells(Path(), [0]) if cell.modality == "sensor"]

    assert set(methods("sensor")) >= {"references", "random", *PRETEXTS.names(Modality.SENSOR)}
    assert len(SERIES) == len(set(SERIES)) == 82
    assert len(measured) == 82 * len(methods("sensor"))
    assert methods("sensor")[:2] == methods("table")[:2] == ["references", "random"]


def test_random_scores_are_drawn_anew_for_each_series_and_the_same_at_each_run(tmp_path):
    folder = tmp_path / "sensor" / "skab"
    folder.mkdir(parents=True)
    time = pd.date_range("2024-01-01", periods=600, freq="s")
    frame = pd.DataFrame({"time": time, "level": np.sin(np.arange(600.0)), "is_anomaly": np.arange(600) // 100 == 5})

    def measured(series: str) -> dict[str, object]:
        frame.to_parquet(folder / f"{series}.parquet")
        cell = Cell("sensor", "skab", series, "train-part", "random", "reference", 3)
        measure(cell, tmp_path, "quick", tmp_path / "line")
        return json.loads((tmp_path / "line").read_text())

    first, again, other = (measured(series) for series in ("valve", "valve", "pump"))

    assert first == again
    assert first["vus_pr"] != other["vus_pr"]
    assert first["rows"] == 200
    assert 0.4 < first["vus_pr"] < 0.7  # half of the judged rows are anomalous


def test_figures_of_a_recording_take_its_clock():
    """One false alarm scores above the event. At an hour a row it is borne, since 60 normal rows are over two days."""
    frame = pd.DataFrame({"level": np.sin(np.arange(120.0)), "is_anomaly": np.arange(120) >= 110})
    scores, judged = np.zeros(120), np.arange(120) >= 50
    scores[[60, 115]] = 2, 1

    def recall(step: str) -> float:
        timed = frame.assign(time=pd.date_range("2024-01-01", periods=120, freq=step))
        dataset = open_dataset(timed, modality="sensor", label="is_anomaly", time="time")
        return figures(dataset, scores, judged, 1.0)["event_recall"]

    assert recall("h") == 1
    assert recall("min") == 0


def test_methods_of_few_series_are_compared_with_all_others_on_these_alone(tmp_path):
    """The slow puzzle scored a1 only, and failed on a2: there Mahalanobis has .5 and the forest .2."""
    few = results({"slow": [0.3, float("nan"), 0.0]}).query("name != 'b1'")
    lines = pd.concat([results(MEASURED), few], ignore_index=True)

    table, series = on_common_series(lines)

    assert series == 1
    assert table["method"].tolist() == ["random", "puzzle (unsure)", "mahalanobis", "slow", "isolation_forest"]
    assert table["vus_pr"].tolist() == pytest.approx([0.9, 0.6, 0.5, 0.3, 0.2])
    write_tables(lines, tmp_path, "quick")
    assert "on the 1 series on which every method was run" in (tmp_path / "sensor_quick.txt").read_text()


def test_where_every_method_was_run_on_all_series_nothing_is_said_of_few(tmp_path):
    write_tables(results(MEASURED), tmp_path, "quick")

    assert "on which every method was run" not in (tmp_path / "sensor_quick.txt").read_text()
