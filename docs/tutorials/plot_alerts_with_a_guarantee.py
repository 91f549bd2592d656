"""
Alerts with a guarantee: control the false discovery rate
=========================================================

A ranking has no end. Where do alerts begin? Here you choose a rule that controls the false discovery rate: the expected
share of false alerts among all alerts. Then you check on labelled data what became of it, and see when nothing is
guaranteed.
"""

# %%
# A detector and new rows
# -----------------------
# The guarantee is about rows that the detector has not seen, and it holds as long as normal new rows resemble the
# calibration rows. Here both come from the breast cancer sample, whose training rows are all benign.

import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from ad_core import load_detector, open_dataset, train
from ad_core.data.sample_datasets import FOLDER

roles = {"id": "sample_id", "label": "malignant"}
benign = open_dataset(FOLDER / "breast_cancer" / "train.csv", **roles)
detector = train(benign, training_rows="clean")
folder = Path(tempfile.mkdtemp())
detector.save(folder / "cells")

new = open_dataset(FOLDER / "breast_cancer" / "new.csv", **roles)
scores = detector.score(new)
malignant = new.rows["label"].to_numpy(dtype=float) == 1
scores.head()

# %%
# The p-value is what all rules rest on
# -------------------------------------
# p = (1 + number of calibration rows that score at least as high) / (n + 1). p-values of normal rows are spread evenly
# between 0 and 1; those of anomalies pile up near 0. The smallest possible p-value is 1 / (n + 1).

figure, axis = plt.subplots(figsize=(8, 3), layout="constrained")
bins = np.linspace(0, 1, 21)
axis.hist(
    [scores["p_value"][~malignant], scores["p_value"][malignant]],
    bins=bins,
    stacked=True,
    color=["#2F8F8B", "#E0702C"],
    label=["benign", "malignant"],
)
axis.set(xlabel="p-value", ylabel="rows")
axis.legend(frameon=False)
plt.show()
print(f"smallest p-value that occurs: {scores['p_value'].min():.4f}")

# %%
# Choose a false discovery rate
# -----------------------------
# ``threshold BUNDLE --fdr 0.1`` saves the rule in the bundle, with a reason, without training again. From then on
# ``detector.alerts`` and ``score`` apply it, and say in a sentence what is guaranteed.


def with_rule(*options):
    """The saved detector with another rule, and its alerts on the new rows."""
    command = [
        sys.executable,
        "-m",
        "ad_core",
        "threshold",
        str(folder / "cells"),
        *options,
    ]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return load_detector(folder / "cells").alerts(scores, new)


lines = []
for rate in (0.05, 0.1, 0.2):
    alerts = with_rule("--fdr", str(rate), "--reason", "tutorial")
    false = int((alerts.of_rows & ~malignant).sum())
    lines.append(
        {
            "accepted false discovery rate": f"{rate:.0%}",
            "alerts": int(alerts.of_rows.sum()),
            "false alerts": false,
            "realised": f"{false / max(alerts.of_rows.sum(), 1):.1%}",
            "malignant found": f"{(alerts.of_rows & malignant).sum() / malignant.sum():.0%}",
        }
    )
    print(alerts.sentence)
pd.DataFrame(lines)

# %%
# The guarantee is an average over many calibrations and many files; one file can be luckier or less lucky. The
# benchmark in :doc:`/concepts/alerts` draws calibration and test rows 50 times.
#
# When nothing is guaranteed
# --------------------------
# An alert budget is a practical rule, but it says nothing about how many alerts are false. The sentence says so.

alerts = with_rule("--budget", "20")
print(alerts.sentence)

# %%
# A false discovery rate can also be out of reach: with n calibration rows no p-value is smaller than 1 / (n + 1), so a
# handful of alerts in a large file can't pass. Take only two malignant rows among the benign ones:

few = np.flatnonzero(~malignant)
few = np.sort(np.concatenate([few, np.flatnonzero(malignant)[:2]]))
part = scores.iloc[few].reset_index(drop=True)
with_rule("--fdr", "0.01")
print(load_detector(folder / "cells").alerts(part, new).sentence)

# %%
# More calibration rows help, a smaller file helps, and another rule helps: a false positive rate (``--p 0.01``) is
# about single normal rows and needs no correction for many rows.

alerts = with_rule("--p", "0.05", "--reason", "at most 5 % of normal rows")
print(alerts.sentence)
print(
    f"{(alerts.of_rows & ~malignant).sum()} of {(~malignant).sum()} benign rows are alerts"
)
