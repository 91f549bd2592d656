"""Make the sensor samples: two leads of an electrocardiogram, and a walk with three simulated sensor faults.

Run: pip download --no-deps aeon==1.6.0 --dest DOWNLOADS
     get 100.dat and 100.atr of the MIT-BIH Arrhythmia Database 1.0.0 (PhysioNet, or sample-data/ of wfdb-python)
     python sample_data/make_recordings.py --downloads DOWNLOADS --record FOLDER/100
"""

import argparse
import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.signal import decimate

HERE = Path(__file__).parent
SEED = 2024

ECG_HZ, KEPT_HZ = 360, 90
ECG_PARTS_S = {"train": (0, 480), "new": (1140, 1620)}
BEFORE_BEAT_S, AFTER_BEAT_S = 0.25, 0.45
PREMATURE = {5, 8}  # codes of the annotation format: ventricular and atrial premature beats

WALK_HZ, WALK_TEACHES_S = 64, 70
WALK_NAMES = {
    f"{theirs}_{axis}": f"{ours}_{name} [mg]"
    for theirs, ours in (("ankle", "ankle"), ("leg", "thigh"), ("trunk", "trunk"))
    for axis, name in (("horiz_fwd", "forward"), ("vert", "vertical"), ("horiz_lateral", "sideways"))
}


def leads(record: Path) -> np.ndarray:
    """(samples, 2) [mV] of a record in format 212: two 12-bit numbers in three bytes."""
    low, mid, high = np.fromfile(record.with_suffix(".dat"), np.uint8).reshape(-1, 3).astype(np.int16).T
    counts = np.stack([low + ((mid & 15) << 8), high + ((mid >> 4) << 8)], 1)
    counts = np.where(counts > 2047, counts - 4096, counts)
    return (counts - 1024) / 200  # baseline and counts per mV from the record's header


def annotations(record: Path) -> list[tuple[int, int]]:
    """(sample, code) of every annotation; the format is a stream of 16-bit words, 6 bits code and 10 bits interval."""
    words = [int(word) for word in np.fromfile(record.with_suffix(".atr"), "<u2")]
    found, sample, at = [], 0, 0
    while words[at] != 0:
        code, interval = words[at] >> 10, words[at] & 1023
        if code == 59:  # a long interval follows
            sample += (words[at + 1] << 16) + words[at + 2]
            at += 2
        elif code == 63:  # a text of so many bytes follows
            at += (interval + 1) // 2
        elif code < 59:
            sample += interval
            found.append((sample, code))
        at += 1
    return found


def heartbeats(record: Path, out: Path) -> None:
    """A quarter of the samples, and 1 around every beat that the cardiologists called premature."""
    signal = decimate(leads(record), ECG_HZ // KEPT_HZ, ftype="fir", axis=0)
    time = np.arange(len(signal)) / KEPT_HZ
    abnormal = np.zeros(len(signal), dtype=int)
    for sample, code in annotations(record):
        if code in PREMATURE:
            abnormal[
                np.abs(time - sample / ECG_HZ + (BEFORE_BEAT_S - AFTER_BEAT_S) / 2)
                <= (BEFORE_BEAT_S + AFTER_BEAT_S) / 2
            ] = 1
    frame = pd.DataFrame({
        "time [s]": time.round(4),
        "lead_MLII [mV]": signal[:, 0].round(3),
        "lead_V5 [mV]": signal[:, 1].round(3),
        "is_anomaly": abnormal,
    })  # fmt: skip
    for name, (start, end) in ECG_PARTS_S.items():
        write(frame[(time >= start) & (time < end)], "heartbeats_ecg", name, out)


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
    parser = argparse.ArgumentParser(description="Make the sensor samples.")
    parser.add_argument("--downloads", type=Path, required=True, help="folder with the wheel of aeon")
    parser.add_argument("--record", type=Path, required=True, help="path of the ECG record, without suffix")
    parser.add_argument("--out", type=Path, default=HERE)
    arguments = parser.parse_args()
    heartbeats(arguments.record, arguments.out)
    walk(arguments.downloads, arguments.out)


if __name__ == "__main__":
    main()
