"""True labels of rows, where known: a label column as 0 (normal) and 1 (anomaly)."""

import numpy as np
import pandas as pd

from ad_core.errors import DataError

NORMAL = frozenset("0 0.0 false f no n normal good ok pass passed healthy benign inlier negative -".split())  # noqa: SIM905
ANOMALY = frozenset("1 1.0 true t yes y anomaly anomalous abnormal bad nok fail failed faulty fault defect".split())  # noqa: SIM905
ANOMALY |= {"not ok", "defective", "outlier", "attack", "fraud", "positive", "+"}


def labels_if_readable(values: pd.Series, name: str) -> tuple[np.ndarray | None, list[str]]:
    """As `label_values`; None and a notice where the column holds something else, as scoring needs no labels."""
    try:
        return label_values(values, name), []
    except DataError as error:
        return None, [f"{error} Scoring needs no labels: the column is not used."]


def label_values(values: pd.Series, name: str) -> np.ndarray:
    """A label column as numbers.

    Args:
        values: booleans, 0 and 1, or words such as normal / anomaly, good / bad, ok / nok in any case.

    Returns:
        (rows,) float64: 0 normal, 1 anomaly, NaN not known.

    Raises:
        DataError: the column holds something else.
    """
    codes, levels = pd.factorize(values)
    words = [str(level).strip().lower() for level in levels]
    if strange := [level for level, word in zip(levels, words, strict=True) if word not in NORMAL | ANOMALY]:
        more = f" and {len(strange) - 1} more that can't be read" if len(strange) > 1 else ""
        raise DataError(
            f"The label column {name!r} has the value {str(strange[0])!r}{more}. Use 0 and 1, or words such as "
            f"normal and anomaly; leave cells empty where the label is not known."
        )
    truth = np.array([float(word in ANOMALY) for word in words] + [np.nan])  # code -1, missing, takes the last
    return np.asarray(truth[codes])
