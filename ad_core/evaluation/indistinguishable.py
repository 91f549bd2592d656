"""Labelled anomalies that equal a normal row: no detector can rank them apart, whatever the metrics say."""

import numpy as np
import numpy.typing as npt

from ad_core.data.dataset import Dataset, Role
from ad_core.data.duplicates import row_codes
from ad_core.types import Modality


def equal_to_normal(dataset: Dataset, labels: npt.ArrayLike) -> int:
    """Number of labelled anomalies that equal a row labelled normal: a table's in all used columns, an image's file.

    Always 0 for recordings: a single reading may be normal by itself and anomalous where it stands.

    Args:
        labels: (n,) 1 = anomaly, 0 = normal, NaN = unknown.
    """
    used = ["sha"] if dataset.modality is Modality.IMAGE else dataset.schema.names(Role.FEATURE)
    if dataset.modality is Modality.SENSOR or not used:
        return 0
    y = np.asarray(labels, dtype=np.float64)
    codes = row_codes(dataset.data, used)
    return int(np.isin(codes[y > 0], codes[y == 0]).sum())


def equal_in_words(equal: int, anomalies: int) -> str:
    """The sentence for an analyst; "" where no anomaly equals a normal row."""
    if not equal:
        return ""
    return (
        f"{equal:,} of {anomalies:,} labelled anomalies equal a row labelled normal in everything that the detector "
        "sees: no method can tell them apart, so the metrics say more about the labels than about the detector."
    )
