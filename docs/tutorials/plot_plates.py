"""
Plates: find defects in images
==============================

You train on photographs of good steel plates and find scratches, stains, dents and missing holes in new ones, with a
map of where each image is odd. The photographs are rendered; masks of the defects come with them.
"""

# %%
# Open a folder of images
# -----------------------
# Sub-folders become a column ``folder``. All training images are good, so there is nothing else to say.

import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from ad_core import open_dataset, train
from ad_core.data.sample_datasets import FOLDER

# sphinx_gallery_thumbnail_number = 2
PLATES = FOLDER / "machined_plates_synthetic"
good = open_dataset(PLATES / "train")
print(f"{len(good)} images")

# %%
# Train
# -----
# ``balanced`` for images draws defects into copies of your images, learns to mark them on the features of a frozen
# network, and knows what each place usually shows. ``question="defect"`` says that every image shows the right object
# and that small damage is looked for. Fewer copies and steps than by default keep this tutorial short.

settings = {"pretext": {"question": "defect", "copies": 100, "steps": 150}}
detector = train(good, training_rows="clean", settings=settings)

# %%
# Score new images, with maps
# ---------------------------
# From the shell, ``score --maps`` also writes one array per image that says where it is odd.

folder = Path(tempfile.mkdtemp())
detector.save(folder / "plates-detector")
command = [
    "score",
    "plates-detector",
    str(PLATES / "new"),
    "--out",
    "scores.parquet",
    "--maps",
    "maps",
]
program = [sys.executable, "-m", "ad_core"]
print(
    subprocess.run(
        [*program, *command], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
)

# %%
# The kind of defect is in the folder's name. Scores of good plates and of each kind of defect:

import pandas as pd

scores = pd.read_parquet(folder / "scores.parquet")
scores["kind"] = scores["row_id"].str.split("/").str[0]
kinds = ["good", "scratch", "stain", "dent", "missing_hole"]

figure, axis = plt.subplots(figsize=(9, 3), layout="constrained")
for at, kind in enumerate(kinds):
    of_kind = scores.loc[scores["kind"] == kind, "score"]
    axis.plot(
        of_kind,
        np.full(len(of_kind), at),
        "o",
        alpha=0.6,
        color="#2F8F8B" if kind == "good" else "#E0702C",
    )
axis.set(yticks=range(len(kinds)), yticklabels=kinds, xlabel="score", xscale="symlog")
plt.show()

defective = scores["kind"] != "good"
above = scores["score"].to_numpy()[:, None] > scores.loc[~defective, "score"].to_numpy()
print(
    f"A defective plate scores higher than a good one in {above[defective].mean():.1%} of all pairs (AUROC)"
)

# %%
# Where is the defect?
# --------------------
# The highest score of each kind, its map, and the mask of the true defect. All maps share one colour scale, so that
# the map of a good plate stays dark.

highest = (
    scores.sort_values("score", ascending=False)
    .drop_duplicates("kind")
    .set_index("kind")
    .loc[kinds]
)
maps = {
    kind: np.load(folder / "maps" / f"{row}.npy") for kind, row in highest["row_id"].items()
}
top = max(np.quantile(values, 0.999) for values in maps.values())
figure, axes = plt.subplots(3, len(kinds), figsize=(10, 6), layout="constrained")
for column, (kind, row) in enumerate(highest["row_id"].items()):
    mask = PLATES / "masks" / Path(row).with_suffix(".png")
    picture = Image.open(PLATES / "new" / row)
    axes[0, column].imshow(picture)
    axes[0, column].set_title(kind)
    axes[1, column].imshow(maps[kind], cmap="inferno", vmin=0, vmax=top)
    axes[2, column].imshow(
        Image.open(mask) if mask.exists() else np.zeros(picture.size[::-1]), cmap="gray"
    )
for axis in axes.flat:
    axis.set(xticks=[], yticks=[])
for axis, name in zip(axes[:, 0], ("image", "anomaly map", "true defect"), strict=True):
    axis.set_ylabel(name)
plt.show()

# %%
# ``python -m ad_core evaluate`` compares maps with masks (pixel AUROC, AUPRO). What the detector looks at, and what it
# can't see, is said in :doc:`/concepts/images`.
