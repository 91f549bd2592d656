"""Arrays of grey images as frames."""

import numpy as np
import pandas as pd

from ad_core.data.item_set import ItemSet
from ad_core.types import ItemShape, Modality, PartKind, Parts


def frame_of(x: np.ndarray, classes: np.ndarray | None = None) -> ItemSet:
    """Items of (n, 1, y, x) values in 0..1, with class codes if there are classes."""
    n = len(x)
    parts = Parts(names=("grey",), of_entry=(0,), kinds=(PartKind.NUMBER,), units=(None,))
    items = pd.DataFrame({"start": np.arange(n)} | ({} if classes is None else {"cls": classes}))
    rows = pd.DataFrame({"row_id": [f"r{i}" for i in range(n)], "sample": np.arange(n), "note": ""})
    shape = ItemShape(
        modality=Modality.IMAGE,
        size=x.shape[1:],
        parts=parts,
        classes=0 if classes is None else len(np.unique(classes)),
    )
    return ItemSet(shape, x.astype(np.float32), items, rows)
