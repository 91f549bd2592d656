"""Files of a folder that are not read are named, where they may be data."""

import zipfile

import numpy as np
import pandas as pd
import pytest

from ad_core.data.opening import open_dataset


def signals(start: str = "2026-01-01") -> pd.DataFrame:
    time = pd.date_range(start, periods=60, freq="s")
    return pd.DataFrame({"time": time, "x": np.sin(np.arange(60) / 5), "y": np.cos(np.arange(60) / 5)})


@pytest.mark.parametrize("modality", ["sensor", "table"])
def test_archives_and_folders_beside_tables_are_named(tmp_path, modality):
    (tmp_path / "deeper").mkdir()
    for name in ("a.csv", "b.csv", "deeper/c.csv"):
        signals().to_csv(tmp_path / name, index=False)
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.write(tmp_path / "a.csv", "d.csv")

    dataset = open_dataset(tmp_path, modality=modality)

    assert len(dataset) == 120
    assert any("d.zip" in notice and "deeper/" in notice for notice in dataset.notices)


def test_text_files_beside_recordings_are_named(tmp_path):
    signals().to_csv(tmp_path / "a.csv", index=False)
    signals("2026-01-02").to_csv(tmp_path / "b.txt", index=False)

    assert any("b.txt" in notice for notice in open_dataset(tmp_path).notices)


def test_what_is_no_data_is_not_named(tmp_path):
    signals().to_csv(tmp_path / "a.csv", index=False)
    for name in ("README.md", ".hidden.csv", "~$a.xlsx", "plan.pdf"):
        (tmp_path / name).write_text("no data")
    (tmp_path / "empty").mkdir()

    assert not any("Left out of the folder" in notice for notice in open_dataset(tmp_path).notices)
