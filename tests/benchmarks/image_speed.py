"""`python -m tests.benchmarks.image_speed`: images per second, beside the same networks as bare torch.

Printed, never asserted. The aim: under 15 % more time than bare torch, and files decoded faster than they are scored.
"""

import argparse
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from ad_core.data.item_set import ItemSet, Split
from ad_core.data.opening import open_dataset
from ad_core.data.readers.images import Images, ImagesSettings
from ad_core.devices import seeded
from ad_core.methods.base_detectors.image_blend import ImageBlend
from ad_core.methods.base_detectors.patch_gaussians import PatchGaussians
from ad_core.methods.networks.imagenet_features import AT_A_TIME
from ad_core.training.fit import Fit, build_model, score_items, train_task, training_settings
from ad_core.types import Batch, Modality
from tests.benchmarks.overhead import CPU, NONE, SEED, nothing, said

IMAGES, SIDE, STEPS, BATCH = 96, 192, 20, 16


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    turns = parser.parse_args().turns
    with tempfile.TemporaryDirectory() as folder:
        frame, decoded = read(Path(folder))
    print(f"{IMAGES} colour images of {SIDE} px; {torch.get_num_threads()} threads; median of {turns} turns")
    print(f"{'':28}{'product':>12}{'bare':>12}   images/s; more seconds than bare (lowest to highest turn)")
    scored = scoring(frame, turns)
    training(frame, turns)
    print(f"decoding files               {decoded:11,.0f}   images/s, {decoded / scored:.0f} times as fast as scoring")


def read(folder: Path) -> tuple[ItemSet, float]:
    """Noisy stripes as JPEG files of twice the size, and how many are decoded a second."""
    random = np.random.default_rng(SEED)
    for number in range(IMAGES):
        stripes = 120 + 60 * np.sin(np.arange(2 * SIDE) / random.uniform(8, 20))
        image = (stripes[None, :, None] + random.normal(0, 12, (2 * SIDE, 2 * SIDE, 3))).clip(0, 255)
        Image.fromarray(image.astype(np.uint8)).save(folder / f"{number:04d}.jpg", quality=92)
    dataset = open_dataset(folder)
    reader = Images(ImagesSettings(size=SIDE))
    reader.fit(dataset, np.ones(len(dataset), dtype=bool))
    began = perf_counter()
    item_set = reader.item_set(dataset)
    return item_set, IMAGES / (perf_counter() - began)


def scoring(item_set: ItemSet, turns: int) -> float:
    """The default's view on damage, hardly taught: the time is the same."""
    model, found = ImageBlend(item_set.shape, "defect", "imagenet").eval(), dict[str, np.ndarray]()
    pixels = torch.from_numpy(item_set.x)
    with torch.no_grad():
        some = item_set.take(np.arange(32))
        model.places = PatchGaussians.of(model.near(model.features(some)))
        model.learn_usual([Batch(some)])
    began = perf_counter()

    def product() -> None:
        found["product"] = score_items(model, item_set, np.arange(IMAGES))

    def bare() -> None:
        scores = []
        with torch.no_grad():
            for part in pixels.split(AT_A_TIME):
                x = part.float() / 255
                half = F.interpolate(x, scale_factor=0.5, mode="bilinear", antialias=True)
                near, again = model.looks
                features = [*model.backbone(x, near.depths), *model.backbone(half, again.depths)]
                tails = []
                for name, map_ in (("damage", model.damage(features)), ("places", model.places(features))):
                    usual = model.usual[name]
                    values = ((map_ - usual.mean) / usual.spread).flatten(1)
                    tails.append(model.tails[name](values.topk(round(0.01 * values.shape[1]), 1).values.mean(1)))
                scores.append((tails[0] + tails[1]) / 2)
        found["bare"] = torch.cat(scores).numpy()

    said("scoring by the default", IMAGES, turns, product, bare)
    gap = np.abs(found["product"] - found["bare"]).max() / np.abs(found["bare"]).max()
    print(f"{'':28}largest difference of a score {gap:.1e} of the largest")
    return IMAGES * 2 * (turns + 1) / (perf_counter() - began)


def training(item_set: ItemSet, turns: int) -> None:
    """Steps of the rotation task from scratch."""
    pixels = torch.from_numpy(item_set.x)

    def untrained():  # type: ignore[no-untyped-def]
        with seeded(SEED, CPU):
            return build_model("rotation", "own_score", item_set.shape, {}, {}).task

    def product() -> None:
        task = untrained()
        task.finish = nothing
        chosen = {"max_steps": STEPS, "batch_size": BATCH, "patience": 100}
        settings = training_settings("quick", Modality.IMAGE, chosen)
        train_task(task, Fit(item_set, Split(np.arange(IMAGES), NONE, NONE), SEED), settings)

    def bare() -> None:
        task, random = untrained(), torch.Generator().manual_seed(SEED)
        weights = [w for w in task.parameters() if w.requires_grad]
        optimiser = torch.optim.AdamW(weights, 2e-3, weight_decay=1e-4)
        for step in range(STEPS):
            if step * BATCH % IMAGES == 0:
                order = torch.randperm(IMAGES, generator=random)
            rows = order[step * BATCH % IMAGES :][:BATCH]
            turns_ = torch.randint(4, (len(rows),), generator=random)
            x = torch.stack(
                [(pixels[r].float() / 255).rot90(int(k), (1, 2)) for r, k in zip(rows, turns_, strict=True)]
            )
            loss = F.cross_entropy(task.head(task.encoder(x)), turns_)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimiser.step()

    said("training by rotation", STEPS * BATCH, turns, product, bare)


if __name__ == "__main__":
    main()
