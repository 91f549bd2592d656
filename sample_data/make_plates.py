"""Render the `machined_plates_synthetic` sample: photographs of steel plates, with and without defects.

Nothing here is a real photograph. Every plate comes from a height map (brushing, holes, engraving, dents, scratches)
that is lit from the side, posed a little differently each time and photographed with lens blur and sensor noise.
The seed of an image is its folder and number, so any single image can be rendered again.

Run: python sample_data/make_plates.py --out sample_data/machined_plates_synthetic
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.random import Generator, default_rng
from PIL import Image
from scipy.ndimage import affine_transform, gaussian_filter, gaussian_filter1d

Grid = np.ndarray  # (FINE, FINE), float

SIZE = 160  # px, side of an image
FINE = 2 * SIZE  # px, rendered at twice the size against jagged edges
HALF_WIDTH, HALF_HEIGHT, CORNER = 137.0, 125.0, 13.0  # fine px, the plate
HOLES = (
    (-103, -92, 13),
    (103, -92, 13),
    (-103, 92, 13),
    (103, 92, 13),
    (0, -14, 35),
    (-58, 92, 7),
    (58, 92, 7),
)  # x, y, radius
MARK = (  # strokes of the engraved mark "AL 7" in letter units
    ((0, 2), (0.6, 0)),
    ((0.6, 0), (1.2, 2)),
    ((0.25, 1.3), (0.95, 1.3)),
    ((1.7, 0), (1.7, 2)),
    ((1.7, 2), (2.6, 2)),
    ((3.5, 0), (4.6, 0)),
    ((4.6, 0), (3.9, 2)),
)
MARK_CORNER, MARK_UNIT = (-26.0, 54.0), 11.0  # fine px
COUNTS = {"train/good": 120, "new/good": 30, "new/scratch": 8, "new/stain": 8, "new/dent": 8, "new/missing_hole": 8}
JPEG_QUALITY = 92
SEED = 2024


@dataclass
class Plate:
    """A plate before it is lit: what the light falls on and where the defect is."""

    height: Grid  # fine px
    tint: np.ndarray  # (FINE, FINE, 3), share of light sent back
    gloss: Grid  # 0 dull to 1 bare metal
    hole: Grid  # 1 where one sees through
    defect: Grid  # 1 where the defect is


def coordinates() -> tuple[Grid, Grid]:
    """x to the right and y down from the middle of the plate [fine px]."""
    y, x = np.mgrid[0:FINE, 0:FINE] - (FINE - 1) / 2
    return x, y


def step(distance: Grid, softness: float = 1.0) -> Grid:
    """1 where distance is well below 0, 0 where it is well above, soft in between."""
    return np.clip(0.5 - distance / (2 * softness), 0, 1)


def to_segment(x: Grid, y: Grid, a: tuple[float, float], b: tuple[float, float]) -> Grid:
    """Distance of every point to the line from a to b."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    along = np.clip(((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy + 1e-9), 0, 1)
    return np.hypot(x - a[0] - along * dx, y - a[1] - along * dy)


def outline() -> Grid:
    """Signed distance to the plate's edge, negative inside."""
    x, y = coordinates()
    qx, qy = np.abs(x) - HALF_WIDTH + CORNER, np.abs(y) - HALF_HEIGHT + CORNER
    return np.hypot(np.maximum(qx, 0), np.maximum(qy, 0)) + np.minimum(np.maximum(qx, qy), 0) - CORNER


def smooth_noise(rng: Generator, sigma: float) -> Grid:
    """Noise without grain finer than sigma [fine px], mean 0, standard deviation 1."""
    noise = gaussian_filter(rng.standard_normal((FINE, FINE)), sigma, mode="wrap")
    return (noise - noise.mean()) / noise.std()


def brushing(rng: Generator) -> Grid:
    """Height left by the brush: long fine lines from left to right, standard deviation 1."""
    lines = np.zeros((FINE, FINE))
    for length, thickness, weight in ((60, 0.5, 1.0), (22, 0.6, 0.8), (140, 1.3, 0.7), (7, 0.5, 0.35)):
        noise = gaussian_filter1d(rng.standard_normal((FINE, FINE)), length, axis=1, mode="wrap")
        noise = gaussian_filter1d(noise, thickness, axis=0, mode="wrap")
        lines += weight * noise / noise.std()
    return lines / lines.std()


def good(rng: Generator, left_out: int | None = None) -> Plate:
    """A plate as it should be; left_out is the number of a hole that nobody drilled."""
    x, y = coordinates()
    height = 0.11 * brushing(rng) + 0.5 * smooth_noise(rng, 40)
    height -= 4.0 * np.clip(1 + outline() / 5.0, 0, 1) ** 2  # rounded edge
    hole = np.zeros_like(x)
    for number, (hx, hy, radius) in enumerate(HOLES):
        if number == left_out:
            continue
        distance = np.hypot(x - hx, y - hy) - radius - rng.normal(0, 0.25)
        bevel = 4.5 if radius > 20 else 3.0
        height -= 2.6 * np.clip(1 - distance / bevel, 0, 1)
        hole = np.maximum(hole, step(distance))
    for a, b in MARK:
        ends = [(MARK_CORNER[0] + MARK_UNIT * px, MARK_CORNER[1] + MARK_UNIT * py) for px, py in (a, b)]
        height -= 1.5 * step(to_segment(x, y, ends[0], ends[1]) - 1.5, 0.9)
    tint = np.ones((FINE, FINE, 3)) * np.array([0.60, 0.615, 0.63]) * (1 + 0.02 * smooth_noise(rng, 25))[..., None]
    for _ in range(rng.poisson(3)):  # dust, harmless and on every kind of plate
        speck = step(np.hypot(x - rng.uniform(-130, 130), y - rng.uniform(-118, 118)) - rng.uniform(0.6, 1.3))
        tint *= (1 - rng.uniform(0.15, 0.4) * speck)[..., None]
    return Plate(height, tint, np.ones_like(x), hole, np.zeros_like(x))


def clear_place(rng: Generator, margin: float) -> tuple[float, float]:
    """A place on the plate at least margin [fine px] away from its edge and from every hole."""
    while True:
        px, py = (
            rng.uniform(-HALF_WIDTH + margin, HALF_WIDTH - margin),
            rng.uniform(-HALF_HEIGHT + margin, HALF_HEIGHT - margin),
        )
        if all(np.hypot(px - hx, py - hy) > radius + margin for hx, hy, radius in HOLES):
            return float(px), float(py)


def scratch(rng: Generator) -> Plate:
    """A hard corner was dragged over the plate: a slightly bent groove that crosses the brushing."""
    plate = good(rng)
    x, y = coordinates()
    px, py = clear_place(rng, 14)
    angle = rng.uniform(0.3, np.pi - 0.3)
    length, bend, depth, width = (
        rng.uniform(45, 130),
        rng.uniform(-0.35, 0.35),
        rng.uniform(0.5, 1.3),
        rng.uniform(0.7, 1.2),
    )
    turns = angle + bend * np.linspace(-1, 1, 12) + rng.normal(0, 0.03, 12)
    path = np.cumsum(np.stack([np.cos(turns), np.sin(turns)], 1) * length / 12, axis=0)
    path += np.array([px, py]) - path.mean(axis=0)
    distance = np.full_like(x, np.inf)
    pressure = np.zeros_like(x)
    for number, (a, b) in enumerate(pairwise(path)):
        here = to_segment(x, y, tuple(a), tuple(b))
        pressure = np.where(here < distance, np.sin(np.pi * (number + 1) / 12) ** 0.5, pressure)
        distance = np.minimum(distance, here)
    groove = np.exp(-((distance / width) ** 2)) * pressure
    ridge = np.exp(-(((distance - 2.2 * width) / width) ** 2)) * pressure
    plate.height += depth * (0.35 * ridge - 1.3 * groove)
    plate.tint *= (1 + 0.45 * depth * groove)[..., None]  # bare metal shines
    plate.defect = ((distance < 2.4 * width) & (pressure > 0)).astype(float)
    return plate


def stain(rng: Generator) -> Plate:
    """A drop of oil or coolant has dried: a brownish patch with a darker rim."""
    plate = good(rng)
    x, y = coordinates()
    px, py = clear_place(rng, 18)
    radius, strength = rng.uniform(13, 30), rng.uniform(0.18, 0.42)
    stretch = rng.uniform(0.7, 1.4)
    edge = np.hypot((x - px) * stretch, (y - py) / stretch) - radius * (
        1 + 0.22 * smooth_noise(rng, 11) + 0.06 * smooth_noise(rng, 3)
    )
    body, rim = step(edge, 5.0), np.exp(-((edge / 3.0) ** 2))
    cover = strength * np.clip(body * (0.75 + 0.2 * smooth_noise(rng, 7)) + 0.35 * rim, 0, 1.3)
    plate.tint *= 1 - cover[..., None] * np.array([0.75, 0.95, 1.25])
    plate.gloss *= 1 - 0.9 * np.clip(cover / strength, 0, 1) * (0.4 + strength)
    plate.defect = (edge < 3).astype(float)
    return plate


def dent(rng: Generator) -> Plate:
    """Something fell on the plate: a shallow hollow with a pushed-up rim; the brushing runs on through it."""
    plate = good(rng)
    x, y = coordinates()
    radius, depth = rng.uniform(9, 17), rng.uniform(2.2, 3.6)
    px, py = clear_place(rng, radius)
    turn, stretch = rng.uniform(0, np.pi), rng.uniform(1.0, 1.5)
    u, v = (x - px) * np.cos(turn) + (y - py) * np.sin(turn), (y - py) * np.cos(turn) - (x - px) * np.sin(turn)
    distance = np.hypot(u / stretch, v * stretch) / radius * (1 + 0.05 * smooth_noise(rng, 9))
    plate.height += depth * (0.3 * np.exp(-(((distance - 1.05) / 0.22) ** 2)) - np.exp(-((distance / 0.6) ** 2)))
    plate.defect = (distance < 1.2).astype(float)
    return plate


def missing_hole(rng: Generator) -> Plate:
    """One hole, any but the large bore, was not drilled."""
    number = int(rng.choice([0, 1, 2, 3, 5, 6]))
    plate = good(rng, left_out=number)
    x, y = coordinates()
    hx, hy, radius = HOLES[number]
    plate.defect = (np.hypot(x - hx, y - hy) < radius + 3).astype(float)
    return plate


KINDS: dict[str, Callable[[Generator], Plate]] = {
    "good": good,
    "scratch": scratch,
    "stain": stain,
    "dent": dent,
    "missing_hole": missing_hole,
}


def lit(plate: Plate, rng: Generator) -> np.ndarray:
    """The plate under a lamp at the upper left: (FINE, FINE, 3) light, before the camera."""
    x, y = coordinates()
    slope_y, slope_x = np.gradient(plate.height)
    lamp_x, lamp_y = -0.62 + rng.normal(0, 0.05), -0.48 + rng.normal(0, 0.05)
    facing = (1 - lamp_x * slope_x - lamp_y * slope_y) / np.sqrt(1 + slope_x**2 + slope_y**2)
    band = (x * 0.8 + y * 0.35) / FINE + 0.12 + rng.normal(0, 0.05) - 0.5 * slope_x - 0.35 * slope_y
    shine = np.exp(-((band / 0.22) ** 2)) * plate.gloss  # brushed metal shows one broad band of light
    falloff = 1 - 0.22 * (x + y) / FINE - 0.10 * (x**2 + y**2) / FINE**2
    light = plate.tint * (np.clip(0.18 + 0.82 * facing, 0, 2) * falloff)[..., None]
    return light * (0.80 + 0.42 * shine)[..., None] + (0.05 * shine)[..., None]


def table_top(rng: Generator) -> np.ndarray:
    """The dark bench under the plate: (FINE, FINE, 3)."""
    x, y = coordinates()
    grain = 0.012 * smooth_noise(rng, 1.2) + 0.008 * smooth_noise(rng, 12)
    return (0.115 + grain - 0.03 * (x + y) / FINE)[..., None] * np.array([0.95, 1.0, 1.08])


def posed(layer: Grid, turn: float, scale: float, shift: np.ndarray, order: int = 1) -> Grid:
    """The layer turned [rad], scaled and shifted [fine px] around the middle of the image."""
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) / scale
    middle = np.full(2, (FINE - 1) / 2)
    return affine_transform(layer, matrix, middle - matrix @ (middle + shift), order=order, mode="nearest")


def smaller(layer: Grid) -> Grid:
    """Fine pixels averaged to image pixels."""
    return layer.reshape(SIZE, 2, SIZE, 2).mean(axis=(1, 3))


def photograph(kind: str, seed: list[int]) -> tuple[Image.Image, Image.Image]:
    """One plate of a kind as a colour image and the mask of its defect (empty for a good plate)."""
    rng = default_rng(seed)
    plate = KINDS[kind](rng)
    turn, scale, shift = rng.normal(0, 0.013), 1 + rng.normal(0, 0.006), rng.normal(0, 2.2, 2)
    bench, metal = table_top(rng), lit(plate, rng)
    solid = posed(step(outline()) * (1 - plate.hole), turn, scale, shift)
    shadow = gaussian_filter(np.roll(solid, (5, 6), (0, 1)), 4)
    exposure, noise = 1 + rng.normal(0, 0.035), rng.normal(0, 0.0085, (SIZE, SIZE, 3))
    channels = []
    for c in range(3):
        scene = bench[..., c] * (1 - 0.75 * shadow) * (1 - solid) + posed(metal[..., c], turn, scale, shift) * solid
        channels.append(smaller(gaussian_filter(scene, 0.9)))  # lens
    light = np.clip(np.stack(channels, -1) * exposure, 0, None)
    light = light / (1 + np.maximum(light - 0.75, 0))  # highlights roll off
    image = np.clip(light + noise * np.sqrt(0.3 + light[..., :1]), 0, 1)
    on_metal = plate.defect * step(outline()) * (1 - plate.hole)  # nothing is scratched where there is a hole
    mask = smaller(posed(on_metal, turn, scale, shift)) >= 0.4
    return Image.fromarray(np.rint(image * 255).astype(np.uint8)), Image.fromarray(mask.astype(np.uint8) * 255)


def render(out: Path, folder: str, number: int) -> None:
    """Write one image and, if it has a defect, its mask."""
    kind = folder.split("/")[1]
    image, mask = photograph(kind, [SEED, list(COUNTS).index(folder), number])
    target = out / folder / f"{number:03d}.jpg"
    target.parent.mkdir(parents=True, exist_ok=True)
    image.save(target, quality=JPEG_QUALITY, subsampling=0)
    if kind != "good":
        mask_file = out / "masks" / kind / f"{number:03d}.png"
        mask_file.parent.mkdir(parents=True, exist_ok=True)
        mask.save(mask_file, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Render the machined plates sample.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "machined_plates_synthetic")
    parser.add_argument("--first", type=int, help="render only this many images per folder")
    arguments = parser.parse_args()
    for folder, count in COUNTS.items():
        for number in range(count if arguments.first is None else min(count, arguments.first)):
            render(arguments.out, folder, number)


if __name__ == "__main__":
    main()
