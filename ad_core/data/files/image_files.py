"""One image from its bytes: its header, and its pixels, upright and in a plain mode.

Images come from untrusted sources: a damaged, hostile or unusable one gets a note, never a crash, and nothing is
decoded before its header passed the checks. A file is a path, or `archive.zip!/member.png` as in `archives`.
"""

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import ExifTags, Image, TiffImagePlugin, UnidentifiedImageError, WebPImagePlugin

from ad_core.data.files.archives import read_bytes
from ad_core.data.files.image_modes import CUT, for_screen, is_grey, is_grey_mode, plain, what_is_unused
from ad_core.data.files.missing_pixels import check_all_present
from ad_core.data.files.tiff_files import BROKEN, GDAL_NODATA, STARTS, odd_tiff
from ad_core.errors import DataError

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".tif", ".tiff", ".webp", ".gif"})
MIN_SIDE = 8
"""Minimum side of an image [px]; smaller images are left out."""
MAX_PIXELS = 89_478_485
"""Maximum number of pixels, from which on Pillow warns; larger images, of 256 MiB and more each, are left out."""

_FORMATS = (  # none that starts other programs, as EPS does; Pillow knows the last two only once they are imported
    "PNG",
    "JPEG",
    "BMP",
    "DIB",
    "GIF",
    TiffImagePlugin.TiffImageFile.format,
    WebPImagePlugin.WebPImageFile.format,
)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Header:
    """What is known about an image before its pixels are decoded."""

    height: int = 0
    width: int = 0
    """Of the upright image [px]; 0 where not even the header can be read."""
    mode: str = ""
    """As Pillow names it: L, RGB, I;16, ...; other numbers by name: I (uint32), ..."""
    grey: bool = True
    frames: bool = False
    """It has several frames or pages, of which the first is used."""
    reduced: str = ""
    """What of its pixels is not used; "" = all is."""
    sha: str = ""
    """sha256 of the file's bytes."""
    note: str = ""
    """Why it can't be used; "" = the header shows no reason."""


def read_header(file: str) -> Header:
    """Read the header of an image without decoding it, within `calm_pillow`. The note states what is wrong with it."""
    try:
        content = read_bytes(file)
    except DataError as error:
        return Header(note=str(error))
    sha = hashlib.sha256(content).hexdigest()
    try:
        return _header(content, sha)
    except DataError as error:
        return Header(sha=sha, note=str(error))


def decode(file: str, near: int | None = None) -> Image.Image:
    """The first frame, upright, in mode L, RGB, or F (greys of more than 8 bits, in the file's own numbers).

    Transparent images are composited over white. The decoder cuts colours of more than 8 bits to 8. Call it within
    `calm_pillow`, entered once around a whole pool of threads.

    Args:
        near: the side [px] that the image will be resized to; a JPEG may then be decoded at a half, quarter or eighth
            of its size, but at not less than twice this side.

    Raises:
        DataError: the image can't be decoded; the text fits a row's note.
    """
    content = read_bytes(file)
    with _damage_in_words():
        image, turn = _loaded(content, near)
        flat = plain(image)
        if flat.mode == "F" and image.format is not None:  # the numbers of an odd TIFF have been checked
            stated = getattr(image, "tag_v2", {}).get(GDAL_NODATA)
            check_all_present(np.asarray(flat), stated, image.mode.startswith("I;16"))
        return flat.transpose(turn) if turn is not None else flat


def decode_as_stored(file: str) -> tuple[Image.Image, bool]:
    """The first frame, upright, in the mode of the file: with its palette, transparency and numbers.

    Returns:
        The image, and whether its format changes values a little, as JPEG does.

    Raises:
        DataError: the image can't be decoded.
    """
    content = read_bytes(file)
    with _damage_in_words():
        image, turn = _loaded(content, None)
        is_lossy = image.format in ("JPEG", "MPO", "WEBP")
        return (image.transpose(turn) if turn is not None else image), is_lossy


def load_image(file: str) -> Image.Image:
    """The image for a screen: upright, mode L or RGB; greys of more than 8 bits are rescaled to black..white.

    Raises:
        DataError: it can't be decoded.
    """
    with calm_pillow():
        return for_screen(decode(file))


def thumbnail(file: str, side: int) -> bytes:
    """A small PNG of the image, its longer side at most `side` px, its proportions kept.

    Raises:
        DataError: it can't be decoded.
    """
    with calm_pillow():
        image = decode(file, near=side)
    image.thumbnail((side, side), Image.Resampling.BILINEAR)
    content = BytesIO()
    for_screen(image).save(content, "PNG")
    return content.getvalue()


@contextmanager
def calm_pillow() -> Iterator[None]:
    """Pillow's warnings about odd metadata are ignored; an image of too many pixels is an error.

    Warning filters belong to the process: depending on the order in which threads leave, these may outlast the block or
    end early. Neither does harm, as they concern Pillow only and sizes are checked separately.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _header(content: bytes, sha: str) -> Header:
    with _damage_in_words():
        if (odd := odd_tiff(content)) is not None:
            width, height = _size(odd.width, odd.height, odd.orientation)
            mode, grey, frames = odd.mode, is_grey_mode(odd.mode), odd.several
            reduced = CUT if odd.is_cut else ""
        else:
            image = _open(content)
            width, height = _size(*image.size, 1 if image.format == "TIFF" else _orientation(image))
            mode, grey, reduced = image.mode, is_grey(image), what_is_unused(image, content)
            is_animated = bool(getattr(image, "is_animated", False))
            frames = is_animated and image.format != "MPO"  # the second image of an MPO is a preview or depth map
            if image.format == "PNG":
                image.verify()  # its check sums; no other format has any
    note = ""
    if min(height, width) < MIN_SIDE:
        note = f"Too small: {width} x {height} px, the shorter side must have {MIN_SIDE} px at least."
    return Header(height, width, mode, grey, frames, reduced, sha, note)


def _loaded(content: bytes, near: int | None) -> tuple[Image.Image, Image.Transpose | None]:
    """The first frame as it is stored, and how it has to be turned to be upright."""
    if (odd := odd_tiff(content)) is not None:
        _size(odd.width, odd.height, odd.orientation)
        return odd.image(), _TURNS.get(odd.orientation)
    image = _open(content)
    turn = _TURNS.get(_orientation(image))
    if near is not None:
        image.draft(None, (2 * near, 2 * near))
    image.load()
    return image, turn


def _size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Width and height of the upright image [px]."""
    if width * height > MAX_PIXELS:
        raise DataError(_TOO_LARGE)
    return (height, width) if orientation in (5, 6, 7, 8) else (width, height)  # lies on its side


@contextmanager
def _damage_in_words() -> Iterator[None]:
    try:
        yield
    except DataError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(_TOO_LARGE) from None
    except MemoryError:
        raise DataError("Too large for the memory of this machine. Shrink the image, or cut it into tiles.") from None
    except UnidentifiedImageError:
        raise DataError(
            "Not an image, or damaged: the file does not start as PNG, JPEG, BMP, TIFF, WebP or GIF."
        ) from None
    except BROKEN as error:
        raise DataError(f"Damaged image ({error}).") from None


_TOO_LARGE = f"Too large: more than {MAX_PIXELS / 1e6:.0f} million pixels. Shrink the image, or cut it into tiles."


def _open(content: bytes) -> Image.Image:
    if not content:
        raise DataError("The file is empty.")
    try:
        image = Image.open(BytesIO(content), formats=_FORMATS)
    except UnidentifiedImageError:
        if content.startswith(STARTS):
            raise DataError("A TIFF that is damaged or of a kind that can't be read. Save it as PNG.") from None
        raise
    if image.width * image.height > MAX_PIXELS:
        raise DataError(_TOO_LARGE)
    return image


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1..8, where the file states it before its pixels. Pillow rotates TIFF by itself."""
    if image.format == "TIFF" or (image.format == "PNG" and "exif" not in image.info):
        return 1  # asking a PNG without it would decode the image
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except BROKEN:
        return 1  # the pixels may be fine although the metadata can't be read
