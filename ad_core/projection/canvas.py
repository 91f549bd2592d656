"""The points of a map as one block of bytes, for a browser that draws many of them itself."""

import json
import zlib
from typing import NamedTuple

import numpy as np
import pandas as pd

from ad_core.projection.colours import FAR, FAR_WORDS, colouring
from ad_core.projection.sprite_sheet import COLUMNS, SIDE

STEPS = 65_535
"""Number of steps of a coordinate along each axis; at the strongest zoom one step is a pixel."""

IS_ALERT, IS_FAR = 1, 2

NO_PICTURE = 65_535
"""The cell of points without an image in the sheet."""


class Pictures(NamedTuple):
    """Thumbnails of some of the points, see `sprite_sheet`."""

    sheet: bytes
    points: np.ndarray
    """(k,) the point of each cell; -1 = not on this map."""


def packed(
    points: pd.DataFrame, axes: tuple[str, str], colour: str, stamp: str, alt: str, pictures: Pictures | None = None
) -> bytes:
    """Little-endian: uint32 length of the header, the header (JSON), then the sections that it lists.

    Sections, one entry for each point: `score` float32; `value` float32 where colours are numbers other than the score;
    `place` 2 x uint16; `code` uint8 (see `Colouring.codes`); `mark` uint8 (IS_ALERT | IS_FAR); `ids`, the row ids as
    deflated UTF-8, one to a line; and where there are images `cell` uint16, the point's cell of the sheet or
    NO_PICTURE, and `sheet`, a WebP. Points are in the order of the data frame.

    Args:
        points: `row_id`, `score`, `alert`, `far_inside` where it exists, and the columns named by axes and colour;
            coordinates are finite.
        stamp: identifies this map; points with the same stamp lie on the same plane.
        alt: text alternative of the map.
    """
    colours = colouring(points, colour)
    places = points[list(axes)].to_numpy(dtype=np.float64)
    low, high = places.min(axis=0), places.max(axis=0)
    size = np.where(high > low, high - low, 1.0)
    far = points["far_inside"].to_numpy(dtype=bool) if "far_inside" in points else np.zeros(len(points), dtype=bool)
    alert = points["alert"].to_numpy(dtype=bool)
    sections = {"score": points["score"].to_numpy(dtype="<f4")}
    if colours.values is not None and colour != "score":
        sections["value"] = colours.values.astype("<f4")
    sections["place"] = np.round((places - low) / size * STEPS).astype("<u2")
    sections["code"], sections["mark"] = colours.codes, (alert * IS_ALERT + far * IS_FAR).astype(np.uint8)
    parts = {name: values.tobytes() for name, values in sections.items()}
    ids = points["row_id"].astype(str).str.replace("\n", " ", regex=False)
    parts["ids"] = zlib.compress("\n".join(ids).encode(), level=1)
    if pictures is not None:
        cell = np.full(len(points), NO_PICTURE, dtype="<u2")
        shown = np.flatnonzero(pictures.points >= 0)
        cell[pictures.points[shown]] = shown
        parts |= {"cell": cell.tobytes(), "sheet": pictures.sheet}
    header = {
        "map": stamp,
        "alt": alt,
        "n": len(points),
        "low": low.tolist(),
        "size": size.tolist(),
        "equal": axes[0] == "x",
        "title": colours.title,
        "names": colours.names,
        "tints": colours.tints,
        "scale": [colours.low, colours.high],
        "alerts": int(alert.sum()),
        "far": int(far.sum()),
        "grid": [SIDE, COLUMNS],
        "farTint": FAR,
        "farWords": FAR_WORDS,
        "sections": [[name, len(part)] for name, part in parts.items()],
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 4)  # numbers of four bytes must begin at a multiple of four
    return len(text).to_bytes(4, "little") + text + b"".join(parts.values())
