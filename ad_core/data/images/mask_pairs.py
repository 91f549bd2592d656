"""Which mask belongs to which image, by the names of both."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from ad_core.data.images.folder_names import image_stem, split_of, telling


class Pairs(NamedTuple):
    """The masks of the images, and those of which it is not clear whose they are. All are relative paths."""

    of_image: dict[str, list[str]]
    """Image -> its masks, in order; an image without one is not in it."""
    unused: list[str]
    """Masks that belong to no image."""
    unclear: list[str]
    """Masks whose name fits images in several folders, none better than the others; or the other way round."""


class _Place(NamedTuple):
    folder: tuple[str, ...]
    split: str


def pair_masks(images: Sequence[str], masks: Sequence[str]) -> Pairs:
    """Pair masks with images as the folders of public benchmarks are laid out.

    A mask has the name of its image, with or without `_mask`, `_GT`, `_label` and a number, and any ending; or it lies
    in a folder of the image's name, beside other masks of it. Where images of one name lie in several folders, such as
    kinds of defects, the mask lies in a folder of that name too; training images have masks only below `train`.
    """
    by_stem: dict[str, list[str]] = defaultdict(list)
    for image in images:
        by_stem[PurePosixPath(image).stem.casefold()].append(image)
    places = {image: _place(str(PurePosixPath(image).parent)) for image in images}
    of_image: dict[str, dict[str, _Place]] = defaultdict(dict)
    unused: list[str] = []
    unclear: list[str] = []
    for mask in masks:
        owners, place = _owners(PurePosixPath(mask), by_stem, places)
        if len(owners) == 1:
            of_image[owners[0]][mask] = place
        else:
            (unclear if owners else unused).append(mask)
    for image in [image for image, its in of_image.items() if len(set(its.values())) > 1]:
        unclear += of_image.pop(image)  # masks of several kinds of defects can't all be of one image
    return Pairs({image: list(its) for image, its in of_image.items()}, unused, unclear)


def _owners(mask: PurePosixPath, by_stem: dict[str, list[str]], places: dict[str, _Place]) -> tuple[list[str], _Place]:
    """The images that fit a mask best, usually one or none; and the place at which the mask was taken to lie."""
    beside = (mask.parent.name.casefold(), mask.parent.parent)
    stems = dict.fromkeys((mask.stem.casefold(), image_stem(mask.stem).casefold()))
    for stem, folder in (beside, *((stem, mask.parent) for stem in stems)):
        place = _place(str(folder))
        fits = {image: _fit(place, places[image]) for image in by_stem.get(stem, ())}
        if best := max(fits.values(), default=0):
            return [image for image, fit in fits.items() if fit == best], place
    return [], _place("")


def _fit(mask: _Place, image: _Place) -> int:
    """How well the folders of a mask fit those of an image; 0 = not at all."""
    if mask.split and image.split and mask.split != image.split:
        return 0
    common = 0
    for a, b in zip(reversed(mask.folder), reversed(image.folder), strict=False):
        if a != b:
            return 0
        common += 1
    is_of_split = image.split == (mask.split or "test")
    return 1 + 2 * common + is_of_split


def _place(folder: str) -> _Place:
    splits = [split for name in folder.split("/") if (split := split_of(name))]
    return _Place(tuple(name for name in telling(folder) if name != "."), splits[-1] if splits else "")
