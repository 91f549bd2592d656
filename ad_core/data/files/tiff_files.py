"""TIFF files that Pillow can't read, or reads wrongly: read by tifffile, or refused by name.

Pillow 13 gives noise for colours of 16 bits in separate planes, wraps uint32 and int8, swaps the bytes of compressed
big-endian numbers, does not invert deep greys whose zero is white, and can't open many other kinds. `odd_tiff` knows
the kinds that it reads rightly and leaves those to it.
"""

import logging
import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ad_core.data.files.missing_pixels import check_all_present
from ad_core.errors import DataError

if TYPE_CHECKING:
    from tifffile import TiffPage

GDAL_NODATA = 42113
"""The tag that states which number stands for a missing value."""

STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""How a TIFF file starts: classic or big, little- or big-endian."""
BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    ArithmeticError,
    AttributeError,
    RuntimeError,
    NotImplementedError,
    struct.error,
    zlib.error,
)
"""What Pillow and tifffile raise on damaged bytes."""
logging.getLogger("tifffile").addHandler(logging.NullHandler())  # what it logs of damage is said in words here
_GREY_WHITE_IS_ZERO, _GREY, _COLOURS = 0, 1, 2  # what the tag PhotometricInterpretation says
_UNSIGNED, _SIGNED, _FLOAT, _UNSAID = 1, 2, 3, 4  # what the tag SampleFormat says
_PLAIN, _DEFLATE, _PACKBITS = 1, frozenset({8, 32946}), 32773  # what the tag Compression says
_ALPHA = frozenset({1, 2})  # of the tag ExtraSamples: associated, unassociated
_ADVICE = "Save it with 8 or 16 bits, or as PNG"


@dataclass(frozen=True)
class OddTiff:
    """The first image of a TIFF file that Pillow does not read rightly."""

    content: bytes
    height: int
    width: int
    """As stored, before it is turned upright [px]."""
    mode: str
    """RGB, RGBA, I;16 for greys of uint16, or the numbers of other greys, such as "I (uint32)"."""
    orientation: int
    several: bool
    """The file has more images."""
    is_cut: bool
    """Its colours have more than 8 bits, of which the highest 8 are used."""

    def image(self) -> Image.Image:
        """The pixels in mode RGB, RGBA, or F in the file's own numbers (a white zero becomes the highest number).

        Raises:
            DataError: they are damaged, some have no value, or float32 can't tell them apart.
        """
        from tifffile import TiffFile

        with TiffFile(BytesIO(self.content)) as file:
            page = file.pages.first
            _check_segments(page, self.content)
            values = page.asarray(maxworkers=1)
            if self.mode in ("RGB", "RGBA"):
                planes = values if page.planarconfig == 1 else np.moveaxis(values, 0, -1)
                eight = planes >> (8 * (planes.dtype.itemsize - 1))
                return Image.fromarray(np.ascontiguousarray(eight.astype(np.uint8)), self.mode)
            check_all_present(values, page.tags.valueof(GDAL_NODATA), values.dtype.kind == "u")
            if page.photometric == _GREY_WHITE_IS_ZERO:
                highest = 2**page.bitspersample - 1
                values = highest - values if page.sampleformat in (_UNSIGNED, _UNSAID) else -values.astype(np.float64)
            return Image.fromarray(_as_float32(values))


def odd_tiff(content: bytes) -> OddTiff | None:
    """What the headers say of a TIFF file that Pillow does not read rightly; None for every other file.

    Raises:
        DataError: it is of a kind that can't be read here; the text names the kind.
    """
    if not content.startswith(STARTS):
        return None
    from tifffile import TiffFile

    try:
        file = TiffFile(BytesIO(content))
    except BROKEN:  # Pillow says what is wrong with the headers
        return None
    with file:
        page = file.pages.first
        if _is_right_in_pillow(page):
            return None
        dtype = _checked_kind(page)
        colours = page.photometric == _COLOURS
        mode = "I;16" if dtype == np.uint16 else f"{'F' if dtype.kind == 'f' else 'I'} ({dtype.name})"
        orientation = page.tags.valueof(274, 1)
        return OddTiff(
            content=content,
            height=page.imagelength,
            width=page.imagewidth,
            mode=("RGB" if page.samplesperpixel == 3 else "RGBA") if colours else mode,
            orientation=orientation if isinstance(orientation, int) else 1,
            several=file.pages.is_multipage,
            is_cut=colours and page.bitspersample > 8,
        )


def _is_right_in_pillow(page: "TiffPage") -> bool:
    """Whether Pillow gives the numbers of the file, or raises an error of its own."""
    bits, kind, grey = page.bitspersample, page.sampleformat, page.photometric == _GREY
    if not isinstance(bits, int):
        return True
    if bits <= 8 and kind in (_UNSIGNED, _UNSAID):
        bands = page.samplesperpixel if page.photometric in (_GREY, _GREY_WHITE_IS_ZERO) else 1
        return bands == 1 or (bands == 2 and page.planarconfig == 1)
    if kind in (_UNSIGNED, _UNSAID) and bits in (12, 16):
        one = page.samplesperpixel == 1
        return (one and grey) or (page.photometric not in (_GREY, _GREY_WHITE_IS_ZERO) and page.planarconfig == 1)
    little = page.parent.byteorder == "<"
    return (
        little and grey and page.samplesperpixel == 1 and (kind, bits) in {(_SIGNED, 16), (_SIGNED, 32), (_FLOAT, 32)}
    )


def _checked_kind(page: "TiffPage") -> np.dtype:
    """The numbers of a file; a DataError that names the kind where not even tifffile makes grey or colours of it."""
    name = page.dtype.name if page.dtype is not None else f"{page.bitspersample}-bit numbers of an unknown format"
    what = f"TIFF with {page.samplesperpixel} x {name} per pixel"
    unsigned = page.dtype is not None and page.dtype.kind == "u"
    grey = page.photometric in (_GREY, _GREY_WHITE_IS_ZERO) and page.samplesperpixel == 1
    colours = page.photometric == _COLOURS and (
        page.samplesperpixel == 3 or (page.samplesperpixel == 4 and set(page.extrasamples) <= _ALPHA)
    )
    if page.dtype is None or page.dtype.kind not in "uif" or page.imagedepth != 1 or not (grey or colours):
        raise DataError(f"A {what} is neither grey nor in colours. {_ADVICE}, with one value or red, green and blue.")
    if colours and not unsigned:
        raise DataError(f"A {what} has colours whose range is not known. {_ADVICE}.")
    if page.compression not in {_PLAIN, _PACKBITS, *_DEFLATE} or page.predictor not in (1, 2):
        packed = getattr(page.compression, "name", page.compression)
        raise DataError(f"A {what}, compressed by {packed}, can't be read. Save it uncompressed, or as PNG.")
    return page.dtype


def _check_segments(page: "TiffPage", content: bytes) -> None:
    """Raise a DataError where pixels are missing, or would unpack to more than the image has."""
    pairs = list(zip(page.dataoffsets, page.databytecounts, strict=False))
    if not pairs or len(page.dataoffsets) != len(page.databytecounts):
        raise DataError("Damaged image (its pixels are not where the header says).")
    if any(count <= 0 or offset + count > len(content) for offset, count in pairs):
        raise DataError("Damaged image (the file is cut off).")
    if page.compression not in _DEFLATE:
        return
    across, down = (page.tilewidth, page.tilelength) if page.is_tiled else (page.imagewidth, page.rowsperstrip)
    most = across * down * -(-page.bitspersample // 8) * (page.samplesperpixel if page.planarconfig == 1 else 1)
    for offset, count in pairs:
        unpacking = zlib.decompressobj()
        unpacking.decompress(content[offset : offset + count], most + 1)
        if unpacking.unconsumed_tail:
            raise DataError("Damaged image (its pixels unpack to more than the image has).")


def _as_float32(values: np.ndarray) -> np.ndarray:
    """Raise a DataError where the numbers are too large, or too much alike, to be float32."""
    with np.errstate(over="ignore"):
        small = values.astype(np.float32)
    if values.dtype.itemsize > 2 and values.size:
        wide = values.astype(np.float64)
        low, high = float(wide.min()), float(wide.max())
        if np.abs(small - wide).max() > (high - low) / 512:
            raise DataError(
                f"Its values, {low:.10g} to {high:.10g}, differ by less than float32 can tell apart, or are too large. "
                f"Subtract what they have in common, and save the image again."
            )
    return small
