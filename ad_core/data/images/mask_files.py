"""Which files among images are masks of defects: they are never trained on and never scored."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from ad_core.data.images.folder_names import image_stem, is_surely_mask, mask_word
from ad_core.data.images.mask_pairs import pair_masks
from ad_core.data.images.mask_pixels import looks_like_mask
from ad_core.errors import DataError

SAMPLE = 8
"""Maximum number of images of a folder that are looked at to tell whether they are masks."""
_LOSSY = frozenset({".jpg", ".jpeg", ".jpe", ".jfif"})


def find_masks(paths: Sequence[str], files: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Find the masks among images, by folders (`ground_truth`, `masks`, `x_GT`) and names (`a_mask`, `a_GT`).

    A name is not enough: the masks also belong to images, or look like masks. `ground_truth` and `gt` beside images
    always hold masks. A PNG beside a JPEG of the same name is a mask where it looks like one and the JPEG does not.

    Args:
        paths: relative, with `/`.
        files: where the bytes are, as in `archives`.

    Returns:
        (images,) bool, and the folders whose names say mask although their images do not look like masks.
    """
    of_file = dict(zip(paths, files, strict=True))
    by_folder, by_name, twins = _candidates(paths)
    found: set[str] = set()
    doubted = []
    for folder, some in by_folder.items():
        inside = set(some)
        others = [path for path in paths if path not in inside]
        if others and _are_masks(some, others, mask_word(PurePosixPath(folder).name), of_file):
            found |= inside
        else:
            doubted.append(folder)
    for (_, word), some in by_name.items():
        rest = [path for path in some if path not in found]
        if rest and (is_surely_mask(word) or word == "mask" or look_like_masks([of_file[path] for path in rest])):
            found |= set(rest)
    for pairs in twins.values():
        lossless, lossy = ([of_file[path] for path, _ in pairs], [of_file[path] for _, path in pairs])
        if look_like_masks(lossless) and not look_like_masks(lossy):
            found |= {path for path, _ in pairs}
    if len(found) == len(paths):
        return np.zeros(len(paths), dtype=bool), sorted(by_folder)
    return np.array([path in found for path in paths], dtype=bool), doubted


def _candidates(
    paths: Sequence[str],
) -> tuple[dict[str, list[str]], dict[tuple[str, str], list[str]], dict[str, list[tuple[str, str]]]]:
    """Images below folders named after masks; images named after masks beside their image; a PNG beside a JPEG."""
    by_folder: dict[str, list[str]] = defaultdict(list)
    by_name: dict[tuple[str, str], list[str]] = defaultdict(list)
    twins: dict[str, list[tuple[str, str]]] = defaultdict(list)
    stems: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in paths:
        pure = PurePosixPath(path)
        stems[str(pure.parent), pure.stem.casefold()].append(path)
    for path in paths:
        pure = PurePosixPath(path)
        folder = str(pure.parent)
        above = next((p for p in reversed([pure, *pure.parents][1:-1]) if mask_word(p.name)), None)
        base = image_stem(pure.stem).casefold()
        if above is not None:
            by_folder[str(above)].append(path)
        elif base != pure.stem.casefold() and (folder, base) in stems:
            by_name[folder, mask_word(pure.stem)].append(path)
        elif pure.suffix.lower() not in _LOSSY:
            lossy = [p for p in stems[folder, pure.stem.casefold()] if PurePosixPath(p).suffix.lower() in _LOSSY]
            if lossy:
                twins[folder].append((path, lossy[0]))
    return by_folder, by_name, twins


def _are_masks(some: list[str], others: list[str], word: str, of_file: dict[str, str]) -> bool:
    """Whether the images of a folder whose name says mask are masks of the other images."""
    if is_surely_mask(word) and word != "masks":
        return True
    if word == "masks" and len(pair_masks(others, some).unused) <= len(some) / 2:
        return True
    return look_like_masks([of_file[path] for path in some])


def look_like_masks(files: Sequence[str]) -> bool:
    """Whether nearly all of a sample look like masks; what can't be decoded has no say."""
    chosen = np.unique(np.linspace(0, len(files) - 1, SAMPLE).astype(int))
    looks = [look for at in chosen if (look := _look(files[at])) is not None]
    return bool(looks) and sum(looks) >= 0.8 * len(looks)


def _look(file: str) -> bool | None:
    try:
        return looks_like_mask(file)
    except DataError:
        return None
