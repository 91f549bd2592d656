"""
Write a pretext task of your own
================================

A pretext task is a question that a network answers about the data without labels. Here you write one in 60 lines, as a
package of your own, and train it. Nothing in Anomaly Lens is changed: it finds the task through an entry point.

The task: hide one column of a row and predict it from the others. In a normal row each value follows from the rest; a
value that does not is a surprise, and it is known in which column.
"""

# %%
# The whole package
# -----------------
# One module with one class. ``loss`` trains the network; ``score`` must not depend on the rest of the batch;
# ``part_scores`` says in which column the surprise is (optional). All randomness comes from ``draw``, so that training
# is repeatable.

TASK = '''
"""Hide one column of a row and predict it from the others."""

import torch
from pydantic import Field
from torch import Tensor, nn

from ad_core.plugins import PRETEXTS, Batch, Draw, Encoder, ItemShape, Modality, Pretext, Settings


class HiddenColumnSettings(Settings):
    """How large the head is."""

    width: int = Field(64, ge=2, le=4096, description="Units of the hidden layer.")


@PRETEXTS.register
class HiddenColumn(Pretext[HiddenColumnSettings]):
    """In a normal row each column follows from the others."""

    title = "Hidden column"
    task = "Predict the values of a hidden column from the others."
    finds = "values that do not go with the rest of their row"
    misses = "rows that are unusual in all columns at once"
    source = "own; leave-one-out regression"
    modalities = frozenset({Modality.TABLE})
    Settings = HiddenColumnSettings

    def __init__(
        self, settings: HiddenColumnSettings, shape: ItemShape, encoder: Encoder
    ) -> None:
        super().__init__(settings, shape, encoder)
        (features,) = shape.size
        hidden = nn.Linear(encoder.d, settings.width)
        self.head = nn.Sequential(hidden, nn.ReLU(), nn.Linear(settings.width, features))
        column_of = torch.tensor(shape.parts.of_entry)  # which column each feature belongs to
        columns = torch.arange(len(shape.parts.names))
        belongs = (column_of == columns[:, None]).float()  # (columns, features)
        self.register_buffer("belongs", belongs, persistent=False)

    def surprise(self, x: Tensor, column: Tensor) -> Tensor:
        """(b,) mean squared error in the hidden column of each row."""
        hidden = self.belongs[column]  # (b, features)
        error = (self.head(self.encoder(x * (1 - hidden))) - x).square() * hidden
        return error.sum(1) / hidden.sum(1)

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        return self.surprise(batch.x, draw.integers(len(self.belongs), len(batch.x)))

    def part_scores(self, x: Tensor, draw: Draw) -> Tensor:
        columns = [torch.full((len(x),), k, device=x.device) for k in range(len(self.belongs))]
        return torch.stack([self.surprise(x, column) for column in columns], 1)

    def score(self, x: Tensor, draw: Draw) -> Tensor:
        return self.part_scores(x, draw).mean(1)  # all columns in turn: no chance is left
'''

# %%
# Install it
# ----------
# Normally you write a ``pyproject.toml`` with these two lines and run ``pip install .``:
#
# .. code-block:: toml
#
#    [project.entry-points."anomaly_lens.pretexts"]
#    hidden_column = "hidden_column"
#
# An installed package is a module and a ``.dist-info`` folder on the path. To leave your environment alone, this
# tutorial puts both into a temporary folder.

import os
import subprocess
import sys
import tempfile
from pathlib import Path

site = Path(tempfile.mkdtemp())
(site / "hidden_column.py").write_text(TASK.lstrip(), encoding="utf-8")
info = site / "hidden_column-1.0.dist-info"
info.mkdir()
(info / "METADATA").write_text(
    "Metadata-Version: 2.1\nName: hidden-column\nVersion: 1.0\n", encoding="utf-8"
)
(info / "entry_points.txt").write_text(
    "[anomaly_lens.pretexts]\nhidden_column = hidden_column\n", encoding="utf-8"
)
print(f"{len(TASK.strip().splitlines())} lines")


def ad_core(*arguments):
    """Run the command line with the new package on the path."""
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "ad_core", *arguments]
    env = {**os.environ, "PYTHONPATH": path, "COLUMNS": "110"}
    return subprocess.run(
        command, cwd=site, env=env, capture_output=True, text=True, check=True
    ).stdout


# %%
# ``methods`` lists it among the others; the app shows a card for it, with a form made from its settings.

print(
    *[
        line
        for line in ad_core("methods").splitlines()
        if "idden" in line or "source" in line
    ],
    sep="\n",
)

# %%
# Train, score and explain
# ------------------------
# Everything else works as with any other task: settings, bundle, calibration, explanations. A bundle names the task,
# so the package must also be installed where the bundle is loaded.

from ad_core.data.sample_datasets import FOLDER

data = FOLDER / "breast_cancer"
roles = ["--id", "sample_id", "--label", "malignant"]
chosen = [
    "--pretext",
    "hidden_column",
    "--preset",
    "quick",
    "--training-rows",
    "clean",
    "--set",
    "pretext.width=128",
]
print(ad_core("train", str(data / "train.csv"), *roles, *chosen, "--out", "cells"))
print(ad_core("evaluate", "cells", str(data / "new.csv"), "--label", "malignant"))

# %%
# Explanations need nothing more: the score is differentiable, so it can be attributed to the columns.

import matplotlib.pyplot as plt
import pandas as pd

ad_core("explain", "cells", str(data / "new.csv"), "--top", "1", "--out", "why.parquet")
why = pd.read_parquet(site / "why.parquet").set_index("part")["attribution"]
why = why[why.abs().sort_values().index[-8:]]

figure, axis = plt.subplots(figsize=(8, 3), layout="constrained")
axis.barh(why.index, why, color=["#E0702C" if value > 0 else "#3B74B8" for value in why])
axis.set(xlabel="share of the score", title="The row with the highest score")
plt.show()

# %%
# Test it
# -------
# ``tests/contracts/`` in the repository holds the checks that every pretext task must pass: a finite loss per item, a
# score that does not depend on the batch, settings that survive JSON. How to run them on your task, and what else the
# contract offers, is in :doc:`/developing/plugins`.
