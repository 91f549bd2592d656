"""One image of many thumbnails, which a map shows while the pointer is over a point."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from ad_core.data.dataset import Dataset
from ad_core.data.files.image_files import thumbnail
from ad_core.errors import DataError
from ad_core.progress import Report

SIDE, COLUMNS = 96, 32
"""Side of a cell [px], and number of cells per line."""

MOST = 768
"""Maximum number of images, those with the highest scores: about a megabyte."""

MAP_PICTURES = "map_pictures.webp"
"""The sheet's file in a run folder."""


def pictured(points: pd.DataFrame) -> np.ndarray:
    """(k,) positions of the points of a map (`score`) that the sheet has a cell for, in the order of its cells."""
    return np.argsort(-points["score"].to_numpy(), kind="stable")[:MOST]


def write_sheet(folder: Path, placed: pd.DataFrame, dataset: Dataset, report: Report) -> None:
    """Write the sheet of a map into the folder of its run.

    Args:
        placed: the points of the map, with `row_id` and `score`.
        dataset: the images, among them those of the points.
    """
    files = pd.Series(dataset.data["file"].to_numpy(), index=dataset.rows["row_id"].to_numpy())
    content = sheet(files.loc[placed["row_id"].iloc[pictured(placed)]].astype(str).tolist(), report)
    draft = folder / f".{MAP_PICTURES}"
    draft.write_bytes(content)
    draft.replace(folder / MAP_PICTURES)


def sheet(files: Sequence[str], report: Report) -> bytes:
    """A WebP of cells line by line, each with one of these images at its centre, proportions kept.

    The cell of an image that can no longer be decoded stays transparent.
    """
    lines = max(1, -(-len(files) // COLUMNS))
    whole = Image.new("RGBA", (COLUMNS * SIDE, lines * SIDE))
    for number, file in enumerate(files):
        report.check()
        try:
            small = Image.open(BytesIO(thumbnail(file, SIDE))).convert("RGB")
        except DataError:
            continue
        line, column = divmod(number, COLUMNS)
        whole.paste(small, (column * SIDE + (SIDE - small.width) // 2, line * SIDE + (SIDE - small.height) // 2))
    content = BytesIO()
    whole.save(content, "WEBP", quality=80)
    return content.getvalue()
