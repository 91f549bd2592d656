"""Images: files, folders and zips, resized to one square size.

An image becomes one item of `size` x `size` px and loses its proportions; `ItemSet.place` resizes maps to its own
height and width. Greys of more than 8 bits rarely fill their range (a 12-bit camera uses a sixteenth of 16 bits),
so the range of the training images is learnt and mapped to the middle of uint16, with room for brighter pixels.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from ad_core.data.dataset import Dataset, Declared
from ad_core.data.files.image_files import calm_pillow, decode
from ad_core.data.files.image_modes import is_deep
from ad_core.data.images.dataset import cut_to_range, left_out, open_images
from ad_core.data.images.pixels import Pixels, empty_items, in_threads
from ad_core.data.images.tiles import Box, boxes
from ad_core.data.item_set import ItemSet
from ad_core.data.reader import READERS, Reader
from ad_core.errors import DataError
from ad_core.settings import Settings
from ad_core.types import ItemShape, Modality, PartKind, Parts

RANGE_SAMPLE = 256
"""Maximum number of training images, evenly spaced, from which the range of greys of more than 8 bits is learnt."""


AS_LARGE_AS = (96, 384)
"""Range of the side of items where it follows the size of the images [px]."""


class ImagesSettings(Settings):
    """How images become items."""

    size: int = Field(
        128,
        ge=0,
        le=1024,
        multiple_of=16,
        description="Side of the square items [px]; 0 = as large as the images are, 96 to 384. Larger finds smaller "
        "defects and takes longer.",
    )
    tile: int = Field(
        0,
        ge=0,
        le=4096,
        description="Side of the overlapping square tiles that each image is cut into [px of the image]; 0 = images "
        "are not cut. For large images with small defects: an image's score is that of its highest tile.",
    )
    color: Literal["auto", "grey", "rgb"] = Field(
        "auto", description="Use brightness only, or colours; auto: grey when all training images are grey."
    )


class Learnt(BaseModel):
    """What was learnt from the training images."""

    model_config = ConfigDict(frozen=True)

    pixels: Pixels
    coloured: bool
    """Whether any image has colours."""
    sides: tuple[int, int]
    """Shortest and longest side of all images [px]."""
    classes: tuple[str, ...] = ()


@READERS.register
class Images(Reader[ImagesSettings]):
    """Images of one kind of object, each one item or cut into tiles."""

    title = "Images"
    modalities = frozenset({Modality.IMAGE})
    Settings = ImagesSettings

    _learnt: Learnt | None = None

    @classmethod
    def open(cls, sources: Sequence[Path] | pd.DataFrame, declared: Declared) -> Dataset:
        """See the contract; `label` and `class_column` can be "folder", `only` takes folder=NAME and path=START."""
        if isinstance(sources, pd.DataFrame):
            raise DataError("Images are opened from files, folders or zip files, not from a table.")
        return open_images([Path(source) for source in sources], declared)

    def fit(self, dataset: Dataset, rows: np.ndarray) -> None:
        """See the contract. At least two different training images are needed."""
        chosen = rows & (dataset.rows["note"] == "").to_numpy()
        data = dataset.data[chosen]
        _require_two(data)
        coloured = not data["grey"].all()
        grey = self.settings.color == "grey" or (self.settings.color == "auto" and not coloured)
        pixels = Pixels(
            side=self.settings.size or _typical_side(data, self.settings.tile),
            tile=self.settings.tile,
            colours=("grey",) if grey else ("red", "green", "blue"),
            deep=bool(data["mode"].map(is_deep).any()),
        )
        if pixels.deep:
            low, high = _range(data, pixels)
            pixels = pixels.model_copy(update={"low": low, "high": high})
        sides = data[["height", "width"]].to_numpy()
        classes = sorted(set(dataset.rows.loc[chosen, "cls"]) - {""}) if "cls" in dataset.rows else ()
        self._learnt = Learnt(
            pixels=pixels, coloured=coloured, sides=(int(sides.min()), int(sides.max())), classes=tuple(classes)
        )

    def item_set(self, dataset: Dataset) -> ItemSet:
        """See the contract. An image that can't be decoded keeps its row, with a note."""
        pixels = self._known.pixels
        notes = dataset.rows["note"].to_numpy(dtype=object, copy=True)
        usable = np.flatnonzero(notes == "")
        data = dataset.data.iloc[usable]
        places = [boxes(int(h), int(w), pixels.tile) for h, w in zip(data["height"], data["width"], strict=True)]
        first_at = np.cumsum([0, *map(len, places)])
        x = empty_items((int(first_at[-1]), *self.shape.size), pixels.dtype)

        def put(at: int, file: str, mode: str) -> tuple[str, float]:
            try:
                return "", pixels.fill(x[first_at[at] : first_at[at + 1]], file, mode, places[at])
            except DataError as error:
                return str(error), 0.0

        filled = in_threads(put, range(len(usable)), data["file"], data["mode"])
        problems, beyond = [problem for problem, _ in filled], np.array([share for _, share in filled])
        notes[usable] = problems
        start = np.flatnonzero([not problem for problem in problems])  # the positions in x of failed images stay unused
        if not len(start):
            first = next(at for at, note in enumerate(notes) if note)
            raise DataError(f"No image can be decoded. The first, {dataset.rows['row_id'].iloc[first]}: {notes[first]}")
        sample = np.full(len(notes), -1, dtype=np.int64)
        sample[usable[start]] = start
        rows = dataset.rows.drop(columns="cls", errors="ignore").assign(note=notes, sample=sample)
        rows[["height", "width"]] = dataset.data[["height", "width"]].to_numpy()
        items = pd.DataFrame({"start": start, **self._codes(dataset, usable[start])})
        if pixels.tile:
            items = items.loc[items.index.repeat([len(places[at]) for at in start])].reset_index(drop=True)
            items["at"] = np.concatenate([np.arange(first_at[at], first_at[at + 1]) for at in start])
            items[list(Box._fields)] = np.concatenate([places[at] for at in start])
        notices = left_out(data["path"].tolist(), problems) + cut_to_range(data["path"], beyond) + self._shrunk(data)
        return ItemSet(self.shape, x, items, rows, notices=notices)

    def match(self, dataset: Dataset) -> list[str]:
        """See the contract."""
        learnt = self._known
        if dataset.modality is not Modality.IMAGE:
            raise DataError(f"The detector was trained on images, but {dataset.name} is {dataset.modality} data.")
        usable = (dataset.rows["note"] == "").to_numpy()
        data, (least, most) = dataset.data[usable], learnt.sides
        sides, deep = data[["height", "width"]].to_numpy(), data["mode"].map(is_deep)
        odd = {
            f"with a side outside the {least} to {most} px of the training images (they are resized all the same, so a "
            f"defect looks larger or smaller)": ((sides < least) | (sides > most)).any(axis=1),
            "with colours, while the training images are grey": ~data["grey"] & (not learnt.coloured),
            "in grey, while the training images have colours": data["grey"] & learnt.coloured,
            "with more than 8 bits, while the training images have 8": deep & (not learnt.pixels.deep),
            "with 8 bits, while the training images have more": ~deep & learnt.pixels.deep,
        }
        if learnt.classes and "cls" in dataset.rows:
            odd["in a folder that no training image was in"] = ~dataset.rows["cls"][usable].isin(learnt.classes)
        return [f"Images {what}: {np.sum(which):,} of {len(data):,}." for what, which in odd.items() if np.any(which)]

    @property
    def shape(self) -> ItemShape:
        """`(1 or 3, size, size)`; the parts are the colour channels."""
        pixels = self._known.pixels
        n = len(pixels.colours)
        parts = Parts(names=pixels.colours, of_entry=tuple(range(n)), kinds=(PartKind.NUMBER,) * n, units=(None,) * n)
        size = (n, pixels.side, pixels.side)
        return ItemShape(modality=Modality.IMAGE, size=size, parts=parts, classes=len(self._known.classes))

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """See the contract; there are no arrays."""
        return self._known.model_dump(mode="json"), {}

    def restore(self, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:  # noqa: ARG002
        """See the contract."""
        self._learnt = Learnt.model_validate(dict(facts))

    @property
    def _known(self) -> Learnt:
        if self._learnt is None:
            raise RuntimeError("the reader has to be fitted or restored first")
        return self._learnt

    def _codes(self, dataset: Dataset, rows: np.ndarray) -> dict[str, np.ndarray]:
        """The column `cls` of the items, where there are classes."""
        if not (classes := self._known.classes):
            return {}
        if "cls" not in dataset.rows:
            return {"cls": np.full(len(rows), -1, dtype=np.int64)}
        return {"cls": pd.Index(classes).get_indexer(dataset.rows["cls"].iloc[rows]).astype(np.int64)}

    def _shrunk(self, data: pd.DataFrame) -> list[str]:
        pixels, longest = self._known.pixels, int(data[["height", "width"]].to_numpy().max())
        side = pixels.side
        longest = min(longest, pixels.tile) if pixels.tile else longest
        if longest < 2 * side:
            return []
        what = "Tiles" if pixels.tile else "Images"
        return [
            f"{what} of up to {longest:,} px are resized to {side} px, {longest / side:.0f} px to one: smaller "
            f"details may vanish. Raise reader.size, or cut the images into tiles with reader.tile, to find them."
        ]


def _require_two(data: pd.DataFrame) -> None:
    """Two images that can be decoded and are not the same file, or a DataError."""
    different = data.drop_duplicates("sha")
    if len(different) < 2:
        available = (
            "no image" if data.empty else "one image" if len(data) == 1 else f"{len(data):,} copies of one image"
        )
        raise DataError(
            f"There is {available} to train on. At least two different images are needed; 20 or more are better."
        )
    good, problem = 0, ""
    with calm_pillow():
        for path, file in different[["path", "file"]].itertuples(index=False):
            try:
                decode(file)
            except DataError as error:
                problem = problem or f"The first that can't, {path}: {error}"
                continue
            if (good := good + 1) == 2:
                return
    raise DataError(f"Only {good} of the {len(data):,} training images can be decoded; two are needed. {problem}")


def _typical_side(data: pd.DataFrame, tile: int) -> int:
    """Side of a square with as many pixels as the median training image, or a tile, in steps of 16."""
    side = float(np.sqrt((data["height"] * data["width"]).median()))
    side = min(side, tile) if tile else side
    return int(np.clip(16 * round(side / 16), *AS_LARGE_AS))


def _range(data: pd.DataFrame, pixels: Pixels) -> tuple[float, float]:
    """Smallest and largest value of the training images once resized, from a sample of them."""
    chosen = np.unique(np.linspace(0, len(data) - 1, RANGE_SAMPLE).astype(int))

    def ends(file: str, height: int, width: int) -> tuple[float, float]:
        low, high = np.inf, -np.inf
        try:
            for values in pixels.values(file, boxes(height, width, pixels.tile)):
                scale = 257.0 if values.dtype == np.uint8 else 1.0
                low, high = min(low, float(values.min()) * scale), max(high, float(values.max()) * scale)
        except DataError:
            return np.inf, -np.inf
        return low, high

    some = data.iloc[chosen]
    low, high = np.array(in_threads(ends, some["file"], some["height"], some["width"])).T
    if not low.min() < high.max():
        raise DataError("All pixels of the training images have the same brightness. Nothing can be learnt from them.")
    return float(low.min()), float(high.max())
