"""
Walking sensor: find faults in a recording
==========================================

Three acceleration sensors on ankle, thigh and trunk recorded a person's walk. The last 40 seconds hold three simulated
faults. You train on the first 70 seconds, which have none, and find when something went wrong and in which channel.
"""

# %%
# Open a recording
# ----------------
# A time column makes the data a recording: rows are put in order of time and cut into windows. ``fault`` names the
# faults in words, so it must not be trained on.

import matplotlib.pyplot as plt
import numpy as np

from ad_core import open_dataset, train
from ad_core.data.sample_datasets import FOLDER

roles = {"time": "time [s]", "label": "is_anomaly", "ignore": ["fault"]}
walk = open_dataset(FOLDER / "walking_sensor_faults" / "train.csv", **roles)
for notice in walk.notices:
    print("-", notice)
print(f"{len(walk):,} time stamps of {len(walk.schema.columns) - 3} channels")

# %%
# Train and score
# ---------------
# ``balanced`` for recordings compares subsequences of several lengths with the most similar ones of the training rows,
# with and without their level. Nothing faulty is in the first part, so the training rows are declared clean.

detector = train(walk, training_rows="clean")
later = open_dataset(FOLDER / "walking_sensor_faults" / "new.csv", **roles)
scores = detector.score(later)
scores.sort_values("score", ascending=False).head(5)

# %%
# A time stamp's score is the mean over the windows that cover it (:doc:`/concepts/recordings`). There is no p-value
# here: p-values of recordings are counted in blocks of one window, and 70 seconds hold too few of them. The grey areas
# are the labelled faults, which the detector never saw.

time = scores["time"].to_numpy()
faulty = later.rows["label"].to_numpy(dtype=float) == 1

figure, axis = plt.subplots(figsize=(10, 3), layout="constrained")
whole_height = axis.get_xaxis_transform()
axis.fill_between(
    time,
    0,
    1,
    where=faulty,
    color="#8FA3A8",
    alpha=0.35,
    transform=whole_height,
    label="fault",
)
axis.plot(time, scores["score"], color="#2F8F8B", linewidth=1, label="score")
axis.set(xlabel="time [s]", ylabel="score")
axis.legend(frameon=False, loc="upper right")
plt.show()

# %%
# Score while the recording is made
# ---------------------------------
# ``detector.stream()`` takes ticks as they come. A score is provisional until the last window that covers its time
# stamp has ended; the final one equals the score of the whole file, to rounding.

import pandas as pd

raw = pd.read_csv(FOLDER / "walking_sensor_faults" / "new.csv")
channels = [name for name in raw if name not in ("time [s]", "is_anomaly", "fault")]
stream, final = detector.stream(together=8), {}
for tick in raw.head(900).to_dict("records"):
    for answer in stream.push(tick["time [s]"], {name: tick[name] for name in channels}):
        if answer.is_final:
            final[float(answer.time)] = answer.score
stream.close()

of_file = dict(zip(time.astype(float), scores["score"], strict=True))
differences = [abs(score - of_file[at]) for at, score in final.items()]
print(
    f"{len(final)} final scores so far; they differ from those of the file by at most {max(differences):.1e}"
)

# %%
# Which channel moved?
# --------------------
# Three faults were put in: the thigh sensor keeps its last value, the sideways trunk channel is noisy, and two axes of
# the ankle sensor are swapped. The second one raises the score least. In the order in which they happen:

starts = np.flatnonzero(np.diff(faulty.astype(int)) == 1) + 1
ends = np.flatnonzero(np.diff(faulty.astype(int)) == -1) + 1
figure, axes = plt.subplots(3, 1, figsize=(10, 6), sharex=True, layout="constrained")
for axis, sensor in zip(axes, ("ankle", "thigh", "trunk"), strict=True):
    for name in (c for c in channels if c.startswith(sensor)):
        axis.plot(raw["time [s]"], raw[name], linewidth=0.8, label=name)
    for start, end in zip(starts, ends, strict=True):
        axis.axvspan(time[start], time[end], color="#E0702C", alpha=0.2)
    axis.legend(frameon=False, loc="upper left", ncols=3, fontsize=8)
axes[-1].set(xlabel="time [s]")
plt.show()

# %%
# In the app, each recording is a lane with its events, and Explain names the channels that rose first. From the shell,
# ``python -m ad_core explain`` writes one line per event and channel.
