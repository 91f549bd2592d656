"""Folders and zip archives of small images in many modes and formats."""

import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from tests.fuzz.damage import damaged

MODES = {
    ".png": ("L", "RGB", "RGBA", "LA", "P", "1", "I;16"),
    ".jpg": ("L", "RGB", "CMYK"),
    ".tif": ("L", "RGB", "RGBA", "1", "I;16", "I", "F", "CMYK", "P"),
    ".bmp": ("L", "RGB", "1", "P"),
    ".gif": ("L", "P"),
    ".webp": ("RGB", "RGBA"),
}
FOLDERS = ("", "good/", "train/good/", "test/scratch/", "defect/", "ground_truth/scratch/", "masks/", "a b/ü/")
NAMES = ("{:03d}", "{:03d}_mask", "bild {:d} é", "x.y.{:d}", "{:d}#1", "IMG_{:04d}")


def clean_image(rng: np.random.Generator, side: int = 24, width: int | None = None) -> np.ndarray:
    """A grey plate with a dark hole, now and then with a scratch."""
    pixels = rng.normal(130, 4, (side, width or side))
    pixels[side // 4 : side // 2, side // 4 : side // 2] = 30
    if rng.random() < 0.2:
        pixels[side // 2] = 250
    return pixels.clip(0, 255).astype(np.uint8)


def clean_images(rng: np.random.Generator, folder: Path, count: int) -> Path:
    """A folder of PNG images that a detector is trained on."""
    folder.mkdir(parents=True)
    for number in range(count):
        Image.fromarray(clean_image(rng)).save(folder / f"{number:03d}.png")
    return folder


def write_images(rng: np.random.Generator, folder: Path) -> tuple[Path, str, int]:
    """A few odd images.

    Returns:
        The folder, or an archive of it or one image; what it is in words; the number of its image files, -1 where that
        is not certain.
    """
    base = folder / "images"
    said, paths = [], []
    layout = rng.choice(FOLDERS, int(rng.integers(1, 4)))
    is_uniform, ending, mode = rng.random() < 0.5, _ending(rng), ""
    for number in range(int(rng.integers(1, 8))):
        ending = ending if is_uniform else _ending(rng)
        mode = mode if is_uniform and mode else str(rng.choice(MODES[ending]))
        path = base / f"{rng.choice(layout)}{str(rng.choice(NAMES)).format(number)}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(rng, path, mode)
        what = ""
        if rng.random() < 0.15:
            path.write_bytes(content := damaged(rng, path.read_bytes())[0])
            what = " damaged" if content else " empty"
        said.append(f"{path.relative_to(base)} {mode}{what}")
        paths.append(path)
    if rng.random() < 0.2:
        (base / "notes.txt").write_text("a note")
    count = len(set(paths))
    described = ", ".join(said)
    match rng.integers(6):
        case 0:
            path, is_damaged = _zipped(rng, base, folder / "images.zip")
            return path, f"zip of {described}" + ", damaged" * is_damaged, -1 if is_damaged else count
        case 1:
            return paths[0], f"one of {described}", 1
    return base, described, count


def _ending(rng: np.random.Generator) -> str:
    return str(rng.choice(list(MODES), p=[0.4, 0.2, 0.2, 0.1, 0.05, 0.05]))


def _write(rng: np.random.Generator, path: Path, mode: str) -> None:
    side = int(rng.choice([24, 16, 9, 2, 1], p=[0.7, 0.1, 0.1, 0.05, 0.05]))
    pixels = clean_image(rng, side, int(rng.choice([side, 24])))
    if rng.random() < 0.1:
        pixels = np.full_like(pixels, rng.choice([0, 1, 255]))
    if mode == "I;16":
        image = Image.fromarray(pixels.astype(np.uint16) * 257)
    elif mode == "F":
        values = pixels.astype(np.float32)
        values[rng.random(pixels.shape) < 0.05] = rng.choice([np.nan, np.inf, -9999, 3e38])
        image = Image.fromarray(values)
    elif mode == "I":
        image = Image.fromarray(pixels.astype(np.int32) * int(rng.choice([1, 257, 8_000_000])))
    else:
        image = Image.fromarray(pixels).convert(mode)
    extra = [image.copy()] if path.suffix in (".gif", ".tif") and rng.random() < 0.2 else []
    image.save(path, **({"save_all": True, "append_images": extra} if extra else {}))


def _zipped(rng: np.random.Generator, base: Path, target: Path) -> tuple[Path, bool]:
    """The archive, and whether it is damaged."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(base.rglob("*")):
            if path.is_file():
                archive.writestr(zipfile.ZipInfo(str(path.relative_to(base))), path.read_bytes())
    is_damaged = rng.random() < 0.2
    if is_damaged:
        target.write_bytes(damaged(rng, target.read_bytes())[0])
    return target, bool(is_damaged)
