"""From images to the values of an item: one size, one set of colours, one range; in parallel threads."""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from ad_core.data.files.image_files import calm_pillow, decode
from ad_core.data.images.tiles import Box
from ad_core.errors import DataError, ResourceError

IN_MEMORY = 2 << 30
"""Items of more bytes than this are kept in a temporary file, memory-mapped."""

T = TypeVar("T")


class Pixels(BaseModel):
    """How every file becomes the pixels of an item."""

    model_config = ConfigDict(frozen=True)

    side: int = Field(gt=0)
    """[px]"""
    tile: int = Field(0, ge=0)
    """Images are cut into tiles of this side [px of the image]; 0 = not."""
    colours: tuple[str, ...]
    """`("grey",)` or `("red", "green", "blue")`: the channels."""
    deep: bool = False
    """Greys of more than 8 bits: items are uint16, and `low..high` of the files fill its middle 80 %."""
    low: float = 0.0
    high: float = 65535.0

    @property
    def dtype(self) -> type[np.unsignedinteger]:
        """Of the items."""
        return np.uint16 if self.deep else np.uint8

    def fill(self, items: np.ndarray, file: str, mode: str, boxes: list[Box]) -> float:
        """Write one image as items, one per box.

        Args:
            items: (boxes, channel, side, side) uint8, or uint16 where `deep`; written to.
            mode: the image's own, as its header says.

        Returns:
            Share of its values that lie beyond what an item can hold and were set to its darkest or brightest, 0..1.

        Raises:
            DataError: it can't be decoded, or its numbers can't be compared with 8-bit images.
        """
        cut = 0
        for at, values in enumerate(self.values(file, boxes)):
            items[at], beyond = self._in_range(values, mode)
            cut += beyond
        return cut / items.size

    def values(self, file: str, boxes: list[Box]) -> Iterator[np.ndarray]:
        """For each box (channel, side, side): uint8, or float32 in the file's own values of more than 8 bits."""
        image = decode(file, near=None if self.tile else self.side)
        if image.mode == "RGB" and len(self.colours) == 1:
            image = image.convert("L")
        for box in boxes:
            cut = image.crop((box.left, box.top, box.left + box.width, box.top + box.height)) if self.tile else image
            small = np.asarray(
                cut.resize((self.side, self.side), Image.Resampling.BILINEAR)
            )  # averages when it shrinks
            channels = small[None] if small.ndim == 2 else small.transpose(2, 0, 1)
            yield np.broadcast_to(channels, (len(self.colours), self.side, self.side))

    def _in_range(self, values: np.ndarray, mode: str) -> tuple[np.ndarray, int]:
        """The values of an item, and the number of them that had to be cut to its range."""
        if not self.deep:
            if values.dtype == np.float32 and not mode.startswith("I;16"):
                raise DataError(
                    "Holds other numbers than uint8 or uint16, while the training images have 8 bits: they can't be "
                    "compared."
                )
            return values if values.dtype == np.uint8 else (values / 257).round().clip(0, 255).astype(np.uint8), 0
        numbers = values.astype(np.float32) * 257 if values.dtype == np.uint8 else values  # 255 * 257 = 65535
        share = 0.1 + 0.8 * (numbers - self.low) / (self.high - self.low)
        beyond = int(((share < 0) | (share > 1)).sum())
        return (share.clip(0, 1) * 65535).round().astype(np.uint16), beyond


def in_threads(work: Callable[..., T], *arguments: Iterable[object]) -> list[T]:
    """`work` on each line of the arguments, in order. Pillow and hashing release the GIL, so threads suffice."""
    with calm_pillow(), ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:
        return list(pool.map(work, *arguments))


def empty_items(shape: tuple[int, ...], dtype: type[np.unsignedinteger]) -> np.ndarray:
    """An empty array for items: in memory, or above `IN_MEMORY` bytes in a temporary file deleted with the array.

    Raises:
        ResourceError: the disk is full.
    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if size <= IN_MEMORY:
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile() as file:
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)  # a full disk shows here, not as a crash while writing
            return np.memmap(file, dtype, "r+" if hasattr(os, "posix_fallocate") else "w+", shape=shape)
        except OSError as error:
            raise ResourceError(
                f"The images need {size / 1e9:.1f} GB in {tempfile.gettempdir()}, which failed ({error.strerror}). "
                f"Make room there, choose a smaller reader.size, or set TMPDIR to a folder on a larger disk."
            ) from None
