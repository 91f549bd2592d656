"""Make the sensor sample: a real walk with three simulated sensor faults.

Run: pip download --no-deps aeon==1.6.0 --dest DOWNLOADS
     python sample_data/make_recordings.py --downloads DOWNLOADS
"""

import argparse
import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
SEED = 2024

WALK_HZ, WALK_TEACHES_S = 64, 70
WALK_NAMES = {
    f"{theirs}_{axis}": f"{ours}_{name} [mg]"
    for theirs, ours in (("ankle", "ankle"), ("leg", "thigh"), ("trunk", "trunk"))
    for axis, name in (("horiz_fwd", "forward"), ("vert", "vertical"), ("horiz_lateral", "sideways"))
}


def walk(downloads: Path, out: Path) -> None:
    """The first 70 s as recorded; then 40 s in which one sensor freezes, one rattles, and one is turned round."""
    wheel = zipfile.ZipFile(next(downloads.glob("aeon-*.whl")))
    source = pd.read_csv(io.BytesIO(wheel.read("aeon/datasets/data/Daphnet_S06R02E0/S06R02E0.csv")))
    frame = source[list(WALK_NAMES)].rename(columns=WALK_NAMES)
    frame.insert(0, "time [s]", (np.arange(len(frame)) / WALK_HZ).round(4))
    frame["is_anomaly"], frame["fault"] = 0, "none"
    teaches = WALK_TEACHES_S * WALK_HZ
    write(frame[:teaches], "walking_sensor_faults", "train", out)
    new = frame[teaches:].reset_index(drop=True)
    for fault, start_s, end_s in (("thigh_frozen", 7, 11), ("trunk_loose", 18, 22), ("ankle_turned", 30, 35)):
        rows = slice(start_s * WALK_HZ, end_s * WALK_HZ - 1)
        broken = [c for c in WALK_NAMES.values() if c.startswith(fault.split("_")[0])]
        if fault == "thigh_frozen":
            new.loc[rows, broken] = new.loc[rows.start, broken].to_numpy()
        elif fault == "trunk_loose":
            rattle = np.random.default_rng(SEED).normal(0, 220, (end_s - start_s) * WALK_HZ)
            new.loc[rows, broken[2]] += rattle.round().astype(int)
        else:
            new.loc[rows, broken[:2]] = new.loc[rows, broken[1::-1]].to_numpy()
        new.loc[rows, ["is_anomaly", "fault"]] = [1, fault]
    write(new, "walking_sensor_faults", "new", out)


def write(frame: pd.DataFrame, sample: str, name: str, out: Path) -> None:
    """One CSV of a sample."""
    target = out / sample / f"{name}.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(target, index=False, lineterminator="\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the sensor sample.")
    parser.add_argument("--downloads", type=Path, required=True, help="folder with the wheel of aeon")
    parser.add_argument("--out", type=Path, default=HERE)
    arguments = parser.parse_args()
    walk(arguments.downloads, arguments.out)


if __name__ == "__main__":
    main()
