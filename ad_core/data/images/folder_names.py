"""What the names of folders and files say: training or test, normal or anomalous, image or mask."""

import re
from functools import lru_cache

_TRAIN = frozenset({"train", "training"})
_TEST = frozenset({"test", "tests", "testing", "val", "valid", "validation", "eval", "evaluation"})
_NORMAL = frozenset(
    {"good", "normal", "normals", "ok", "okay", "healthy", "pass", "passed", "intact", "undamaged", "flawless"}
    | {"faultless", "defectfree", "faultfree", "anomalyfree", "nodefect", "nodefects", "nondefect", "nondefective"}
)
_ANOMALOUS = frozenset(
    {"defect", "defects", "defective", "def", "anomaly", "anomalies", "anomalous", "abnormal", "bad", "broken"}
    | {"fault", "faults", "faulty", "ng", "nok", "ko", "fail", "failed", "reject", "rejects", "rejected", "damage"}
    | {"damaged", "unhealthy", "outlier", "outliers", "notok", "notgood"}
)
_NEGATIONS = frozenset({"no", "not", "non", "without"})
_MASK = frozenset(
    {"mask", "masks", "gt", "gts", "groundtruth", "label", "labels", "seg", "segs", "segmentation", "segmentations"}
    | {"annotation", "annotations"}
)
_SURELY_MASK = frozenset({"gt", "gts", "groundtruth", "masks"})
_PLAIN = frozenset({"image", "images", "img", "imgs", "data", "jpegimages", "rgb"})
"""Names that say nothing about what lies in the folder."""


@lru_cache(maxsize=100_000)
def _words(name: str) -> tuple[str, ...]:
    joined = re.sub(r"ground[ _-]?truth", "groundtruth", name.lower())
    return tuple(word for word in re.split(r"[^a-z0-9]+", joined) if word)


def split_of(name: str) -> str:
    """`train`, `test` (also validation), or "" where the folder's name says neither: `train`, `test_public`, ..."""
    first = (*_words(name), "")[0]
    return "train" if first in _TRAIN else "test" if first in _TEST else ""


def label_of(name: str) -> int | None:
    """0 = normal (`good`, `ok_front`, `no_defect`, `defect-free`), 1 = anomalous (`bad`, `not_ok`), None = not said."""
    words = _words(name)
    if not words:
        return None
    if len(words) > 1 and words[0] in _NEGATIONS:
        said = label_of("_".join(words[1:]))
        return None if said is None else 1 - said
    if len(words) > 1 and words[-1] == "free" and words[-2] in _ANOMALOUS:
        return 0
    for word in ("".join(words), words[0], words[-1]):
        if word in _NORMAL:
            return 0
        if word in _ANOMALOUS:
            return 1
    return None


def mask_word(name: str) -> str:
    """The word by which a folder or file (without its ending) is named after masks, or ""."""
    words = [word for word in _words(name) if not word.isdigit()]
    return next((word for word in (*words[-1:], *words[:1]) if word in _MASK), "")


def is_surely_mask(word: str) -> bool:
    """Whether a folder of this name holds masks wherever it lies beside images, whatever they look like."""
    return word in _SURELY_MASK


def image_stem(stem: str) -> str:
    """The stem of the image that a mask belongs to: `000_mask`, `000_GT`, `000-label_1` and `gt_000` give `000`."""
    names = "|".join(sorted({*_MASK, "ground[ _-]?truth"}, key=len, reverse=True))
    behind = re.fullmatch(rf"(.+?)[ _.-](?:{names})(?:[ _.-]?\d+)?", stem, re.IGNORECASE)
    before = re.fullmatch(rf"(?:{names})[ _.-](.+)", stem, re.IGNORECASE)
    found = behind or before
    return found.group(1) if found else stem


def telling(folder: str) -> tuple[str, ...]:
    """The names of a folder's path, in lower case, without those that say nothing or only train, test or mask."""
    names = (name for name in folder.split("/") if name)
    return tuple(name.lower() for name in names if not (split_of(name) or mask_word(name) or name.lower() in _PLAIN))
