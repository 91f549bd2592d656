"""What labels of classes, weak repulsion and many copies are worth to masked contrast: unknown digits among known ones.

`python -m tests.benchmarks.classes`: per seed, five of the ten digits teach with their class codes; held-out images of
these and of the other five are scored. 8 x 8 pixels are shown as 16 x 16. About four minutes on one core.
"""

import argparse
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

from ad_core.data.item_set import ItemSet, Split
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.scorer import TaskModel
from ad_core.training.fit import Fit, TrainingSettings, build_model, score_items, train_task
from ad_core.types import ItemShape, Modality, PartKind, Parts

TEACH, EARLY_STOP, BATCH = 500, 50, 16

PLAIN: dict[str, Any] = {"alpha": 5.0, "beta": 5.0, "attraction": 0.0}
"""Every other copy repels with the full strength 1 / temperature, as in SimCLR with turned images as further negatives.
"""

COPIES = {"one": "1 copy", "turned": "4 copies", "turned and flipped": "8 copies"}


def digits(seed: int) -> tuple[ItemSet, Split, np.ndarray, np.ndarray]:
    """All digits as a frame; who teaches; who is judged, and whether those are of an unknown class."""
    x, truth = load_digits(return_X_y=True)
    random = np.random.default_rng(seed)
    known = random.permutation(10)[:5]
    images = np.kron(x.reshape(-1, 1, 8, 8) / 16, np.ones((2, 2))).astype(np.float32)
    codes = {digit: code for code, digit in enumerate(sorted(known))}
    items = pd.DataFrame({"start": np.arange(len(x)), "cls": [codes.get(digit, -1) for digit in truth]})
    rows = pd.DataFrame({"row_id": items["start"].astype(str), "sample": items["start"], "note": ""})
    parts = Parts(names=("grey",), of_entry=(0,), kinds=(PartKind.NUMBER,), units=(None,))
    shape = ItemShape(modality=Modality.IMAGE, size=(1, 16, 16), parts=parts, classes=5)
    mine = random.permutation(np.flatnonzero(items["cls"] >= 0))
    fit, early_stop, rest = np.split(mine, [TEACH, TEACH + EARLY_STOP])
    judged = np.concatenate([rest, np.flatnonzero(items["cls"] < 0)])
    split = Split(fit, early_stop, np.zeros(0, dtype=int))
    return ItemSet(shape, images, items, rows), split, judged, items["cls"].to_numpy()[judged] < 0


def trained(method: str, item_set: ItemSet, split: Split, seed: int, steps: int, **settings: Any) -> TaskModel:
    """Every method sees the same number of copies: 4 turns of BATCH images, or 4 times as many images."""
    torch.manual_seed(seed)
    model = build_model(method, "own_score", item_set.shape, settings, {})
    batch = BATCH if method == "masked_contrast" else 4 * BATCH
    training = TrainingSettings(max_steps=steps, batch_size=batch, learning_rate=2e-3, patience=1000)
    train_task(model.task, Fit(item_set, split, seed), training)
    return model.eval()


def judged_by(copies: str, model: TaskModel, item_set: ItemSet, split: Split) -> TaskModel:
    """The same network, other copies of an item in its statistics and score."""
    settings = model.task.settings.model_dump() | {"copies": copies}
    other = build_model("masked_contrast", "own_score", item_set.shape, settings, {}).eval()
    other.load_state_dict(model.state_dict())
    with torch.no_grad():
        other.task.finish([*item_set.batches(split.fit, 100)])
    return other


def measured(seed: int, steps: int) -> dict[str, float]:
    """AUROC of every variant."""
    item_set, split, judged, unknown = digits(seed)

    def auroc(model: TaskModel) -> float:
        return float(roc_auc_score(unknown, score_items(model, item_set, judged)))

    found = {}
    for name, settings in {
        "masked contrast": {},
        "without attraction": {"attraction": 0.0},
        "plain mask": PLAIN,
    }.items():
        model = trained("masked_contrast", item_set, split, seed, steps, **settings)
        found |= {
            f"{name}, {words}": auroc(judged_by(copies, model, item_set, split)) for copies, words in COPIES.items()
        }
    without = ItemSet(item_set.shape, item_set.x, item_set.items.drop(columns="cls"), item_set.rows)
    found["masked contrast, classes not told, 8 copies"] = auroc(
        trained("masked_contrast", without, split, seed, steps)
    )
    if "simclr" in PRETEXTS.names(Modality.IMAGE):
        found["simclr"] = auroc(trained("simclr", item_set, split, seed, steps))
    found["noise"] = float(roc_auc_score(unknown, np.random.default_rng(seed).random(len(judged))))
    return found


def main() -> None:
    """Print mean and standard deviation over the seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=100)
    options = parser.parse_args()
    torch.set_num_threads(1)
    lines = []
    for seed in options.seeds:
        lines.append(measured(seed, options.steps))
        print(f"seed {seed}: " + ", ".join(f"{name} {value:.3f}" for name, value in lines[-1].items()), flush=True)
    table = pd.DataFrame(lines)
    print(f"AUROC of unknown digits, {len(table)} seeds, {options.steps} steps")
    for name, column in table.items():
        print(f"{name:45s} {column.mean():.3f} ± {column.std(ddof=0):.3f}")


if __name__ == "__main__":
    main()
