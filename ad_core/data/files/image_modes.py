"""Modes of images: from the many ways to store pixels to grey, colours, or greys in the file's own numbers."""

import numpy as np
from PIL import Image

CUT = "colours of more than 8 bits are cut to their highest 8"
_BANDS = {"1": 1, "L": 1, "P": 1, "LA": 2, "La": 2, "PA": 2, "CMYK": 4, "RGBA": 4, "RGBa": 4}
_SAMPLES_PER_PIXEL, _BITS_PER_SAMPLE = 277, 258  # tags of TIFF files


def is_deep(mode: str) -> bool:
    """Whether an image of this mode holds greys of more than 8 bits."""
    return mode.startswith(("I", "F"))


def number_format(mode: str) -> str:
    """The numbers of an image of this mode: uint8, uint16, int32, float32, or what the mode itself says."""
    if not is_deep(mode):
        return "uint8"
    return "uint16" if mode.startswith("I;16") else {"I": "int32", "F": "float32"}.get(mode, mode[2:].strip("()"))


def is_grey_mode(mode: str) -> bool:
    """Whether every image of this mode is grey."""
    return mode in ("1", "L", "LA", "La") or is_deep(mode)


def is_grey(image: Image.Image) -> bool:
    """Whether an image is stored as greys, without decoding it."""
    if image.mode in ("P", "PA") and image.palette is not None:
        order, content = image.palette.getdata()
        bands = {"RGB": 3, "BGR": 3, "BGRX": 4}.get(order)
        if bands is None or len(content) % bands:
            return False
        colours = np.frombuffer(bytes(content), np.uint8).reshape(-1, bands)[:, :3]
        return bool((colours == colours[:, :1]).all())
    return is_grey_mode(image.mode)


def what_is_unused(image: Image.Image, content: bytes) -> str:
    """What Pillow leaves out of the pixels of a file that it opened, in words; "" = nothing."""
    if image.format == "PNG" and content[24:25] == b"\x10" and not is_deep(image.mode):  # its bit depth
        return CUT
    tags = getattr(image, "tag_v2", None) if image.format == "TIFF" else None
    if tags is None:
        return ""
    samples, bands = int(tags.get(_SAMPLES_PER_PIXEL, 1)), _BANDS.get(image.mode, 1 if is_deep(image.mode) else 3)
    if samples > bands:
        return f"only the first {bands} of {samples} bands are used"
    return CUT if max(tags.get(_BITS_PER_SAMPLE, (8,))) > 8 and not is_deep(image.mode) else ""


def plain(image: Image.Image) -> Image.Image:
    """The image in mode L, RGB, or F (greys of more than 8 bits); transparent ones are composited over white."""
    if is_deep(image.mode):
        return image.convert("F")
    grey = image.mode in ("1", "L", "LA", "La")
    if "transparency" in image.info or image.mode in ("LA", "La", "PA", "RGBA", "RGBa"):
        opaque = image.convert("LA" if image.mode == "La" else "RGBA").convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), opaque)
    return image.convert("L" if grey else "RGB")


def for_screen(image: Image.Image) -> Image.Image:
    """A plain image in mode L or RGB; greys of more than 8 bits are rescaled to black..white."""
    if image.mode != "F":
        return image
    values = np.asarray(image)
    low, high = float(values.min()), float(values.max())
    return Image.fromarray(((values - low) * (255 / max(high - low, 1e-12))).round().astype(np.uint8))
