"""What each folder of images is for (training, only scored, normal, anomalous, masks), by its name or as the user says.

Known are `train/ test/` (also validation), `good/` beside folders of defects, and with them MVTec AD, MVTec LOCO, VisA,
BTAD and folders of one's own in that manner. It is a guess: a notice says it, and the user can say otherwise.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from ad_core.data.images.folder_names import label_of, mask_word, split_of
from ad_core.data.images.mask_files import find_masks
from ad_core.data.images.mask_pairs import pair_masks
from ad_core.data.images.mask_pixels import marked_pixels
from ad_core.errors import DataError


class FolderUse(StrEnum):
    """What the images of a folder are used for."""

    TRAIN = "train"
    """Training images; not anomalous."""
    NORMAL = "normal"
    """Only scored; normal."""
    ANOMALY = "anomaly"
    """Only scored; anomalous."""
    UNKNOWN = "unknown"
    """Only scored; it is not known whether they are normal."""
    MASK = "mask"
    """Left out: masks of defects."""


ALL = "*"
"""In place of a folder: all images."""


@dataclass(frozen=True)
class Layout:
    """What was recognised, or said, about each of the images that were given; all arrays run parallel to them."""

    is_mask: np.ndarray
    teaches: np.ndarray
    """Training images, if they can be used."""
    label: np.ndarray
    """float: 0 = normal, 1 = anomalous, NaN = not known."""
    split: np.ndarray
    """object: `train`, `test` or ""."""
    by_mask: np.ndarray
    """bool: the label is known from a mask, not from a folder."""
    doubted: tuple[str, ...] = ()
    """Folders with names like those of masks, whose images are used as images all the same."""

    def table(self, folders: pd.Series) -> pd.DataFrame:
        """`folder`, `images`, `use` (a `FolderUse`, several joined by "/") of each folder, in order of their names."""
        use = np.select(
            [self.is_mask, self.teaches, self.label == 0, self.label == 1],
            [FolderUse.MASK, FolderUse.TRAIN, FolderUse.NORMAL, FolderUse.ANOMALY],
            FolderUse.UNKNOWN,
        )
        table = pd.DataFrame({"folder": folders.to_numpy(), "use": use})
        together = table.groupby("folder", sort=True)["use"].agg(
            images="size", use=lambda uses: "/".join(dict.fromkeys(uses))
        )
        return together.reset_index()


def recognise(
    paths: Sequence[str], files: Sequence[str], said: Mapping[str, str], *, reads_labels: bool = True
) -> Layout:
    """Recognise what the folders are for.

    Args:
        paths: relative paths of the images, with `/`.
        files: where their bytes are, as in `archives`; a few are looked at.
        said: folder (see `lies_in`, or `*`) -> `FolderUse`, which comes before what its name says; the use of
            the longest folder counts.
        reads_labels: names of folders and masks say which images are anomalous; False where folders are classes.

    Raises:
        DataError: there is no such folder, or no such use.
    """
    folders = [path.rpartition("/")[0] for path in paths]
    use = _said(folders, said)
    if (use == FolderUse.MASK).all():
        raise DataError("All images were said to be masks, so there is none left. Say so of some folders only.")
    is_mask, doubted = _masks(paths, files, use)
    split = np.array([_split(folder) for folder in folders], dtype=object)
    label = _labels(folders, split, is_mask) if reads_labels else np.full(len(paths), np.nan)
    label[use == FolderUse.NORMAL] = 0.0
    label[use == FolderUse.ANOMALY] = 1.0
    label[use == FolderUse.UNKNOWN] = np.nan
    label[(use == FolderUse.TRAIN) & (label == 1)] = np.nan
    by_mask = np.zeros(len(paths), dtype=bool)
    if reads_labels and is_mask.any():
        by_mask = _label_by_masks(paths, files, is_mask, (use == "") & ~is_mask & np.isnan(label), label)
    teaches = _by_split(split, is_mask) & ~is_mask & (label != 1)
    teaches = np.where(use == "", teaches, use == FolderUse.TRAIN)
    return Layout(is_mask, teaches, label, split, by_mask, tuple(doubted))


def lies_in(folder: str, named: str) -> bool:
    """Whether a folder is, or lies below, the named one: a part of a path, or a path from the top where it starts
    with `/`."""
    part, path = f"/{named.strip('/')}/", f"/{folder}/"
    return named == ALL or (path.startswith(part) if named.startswith("/") else part in path)


def _said(folders: list[str], said: Mapping[str, str]) -> np.ndarray:
    """(images,) object: the use that the user named, or ""."""
    use = np.full(len(folders), "", dtype=object)
    for named in sorted(said, key=lambda name: (name != ALL, len(name))):
        if said[named] not in set(FolderUse):
            raise DataError(
                f"The folder {named!r} can't be {said[named]!r}. It can be {', '.join(FolderUse)} ({FolderUse.UNKNOWN} "
                f"= only scored)."
            )
        chosen = np.array([lies_in(folder, named) for folder in folders])
        if not chosen.any():
            known = ", ".join(sorted({folder or "(no folder)" for folder in folders})[:20])
            raise DataError(f"There is no folder {named!r} among the images. The folders are: {known}.")
        use[chosen] = str(said[named])
    return use


def _masks(paths: Sequence[str], files: Sequence[str], use: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Masks as said, and as found among the images of which nothing was said."""
    is_mask = use == FolderUse.MASK
    open_ = [at for at, said in enumerate(use) if said == ""]
    if not open_:
        return is_mask, []
    found, doubted = find_masks([paths[at] for at in open_], [files[at] for at in open_])
    is_mask[open_] = found
    return is_mask, doubted


def _split(folder: str) -> str:
    return next((split for name in reversed(folder.split("/")) if (split := split_of(name))), "")


def _by_split(split: np.ndarray, is_mask: np.ndarray) -> np.ndarray:
    """(images,) bool: below `train` where there is such a folder; otherwise not below `test`, unless all are."""
    if (split[~is_mask] == "train").any():
        return np.asarray(split == "train")
    return np.asarray(split != "test") if (split[~is_mask] != "test").any() else np.ones(len(split), dtype=bool)


def _labels(folders: list[str], split: np.ndarray, is_mask: np.ndarray) -> np.ndarray:
    """(images,) float: what the folders say.

    The deepest name that says normal or anomalous counts. Beside a folder of normal images, and below `test`, every
    other folder is a kind of anomaly.
    """
    beside: dict[str, bool] = defaultdict(bool)
    parts = [folder.split("/") if folder else [] for folder in folders]
    for names, mask in zip(parts, is_mask, strict=True):
        for depth, name in enumerate(names):
            if not mask and label_of(name) == 0:
                beside["/".join(names[:depth])] = True
    label = np.full(len(folders), np.nan)
    for at, names in enumerate(parts):
        if not is_mask[at]:
            label[at] = _label(names, beside, bool(split[at] == "test" and beside))
    return label


def _label(names: list[str], beside: Mapping[str, bool], kinds_below_test: bool) -> float:
    for depth in range(len(names) - 1, -1, -1):
        name = names[depth]
        if (said := label_of(name)) is not None:
            return float(said)
        if split_of(name) or mask_word(name):
            continue
        below_test = kinds_below_test and depth > 0 and split_of(names[depth - 1]) == "test"
        if beside.get("/".join(names[:depth])) or below_test:
            return 1.0
    return np.nan


def _label_by_masks(
    paths: Sequence[str], files: Sequence[str], is_mask: np.ndarray, open_: np.ndarray, label: np.ndarray
) -> np.ndarray:
    """Label the open images, of which no folder says anything, by their masks; returns which. `label` is written to."""
    by_mask = np.zeros(len(paths), dtype=bool)
    of_file, place = dict(zip(paths, files, strict=True)), {path: at for at, path in enumerate(paths)}
    masks = [path for path, one in zip(paths, is_mask, strict=True) if one]
    for image, its in pair_masks([path for path in paths if not is_mask[place[path]]], masks).of_image.items():
        if open_[at := place[image]]:
            marked = [_is_marked(of_file[mask]) for mask in its]
            if None not in marked:
                label[at], by_mask[at] = float(any(marked)), True
    return by_mask


def _is_marked(file: str) -> bool | None:
    """Whether a mask marks anything; None where it can't be read."""
    try:
        return bool(marked_pixels(file).any())
    except DataError:
        return None
