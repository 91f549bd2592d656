"""Cases that are unusual in the same way: by what raises their scores, or by their course where that is one channel."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ad_core.explain.global_importance import signed
from ad_core.explain.shares import raising_shares


def similar_by_attribution(parts: pd.DataFrame, row_id: str) -> pd.Series:
    """How alike other cases are to one: 1 = raised by the same parts in the same shares, 0 = by no part in common.

    Args:
        parts: lines of `Explained.parts` of this case and of those that it is compared with.

    Returns:
        Row id -> 1 - Hellinger distance of the shares (Le Cam and Yang 2000, section 3.1), most alike first; cases that
        nothing raises are left out. Empty where all cases have one and the same part: their shares say nothing.
    """
    shares = raising_shares(signed(parts))
    if row_id not in shares.index or shares.shape[1] < 2:
        return pd.Series(dtype=np.float64)
    roots = np.sqrt(shares)
    apart = np.linalg.norm(roots - roots.loc[row_id], axis=1) / np.sqrt(2)
    return pd.Series(1 - apart, index=shares.index).drop(row_id).sort_values(ascending=False, kind="stable")


def similar_by_signal(courses: Mapping[str, np.ndarray], row_id: str) -> pd.Series:
    """How alike the courses of one channel are, whatever their height, their scale, and when in the window they begin.

    Args:
        courses: row id -> (time,) values; all of one length.

    Returns:
        Row id -> 0..1, the largest normalised cross-correlation over all shifts (Paparrizos and Gravano 2015, k-Shape,
        equation 9: 1 - shape-based distance), most alike first; flat courses and those with gaps are left out.
    """
    usable = {name: _standardised(values) for name, values in courses.items()}
    own = usable.pop(row_id, None)
    if own is None:
        return pd.Series(dtype=np.float64)
    found = {
        name: float(np.clip(_correlated(own, other), 0, 1))
        for name, other in usable.items()
        if other is not None and len(other) == len(own)
    }
    return pd.Series(found, dtype=np.float64).sort_values(ascending=False, kind="stable")


def _standardised(values: np.ndarray) -> np.ndarray | None:
    values = np.asarray(values, dtype=np.float64)
    centred = values - values.mean() if len(values) else values
    norm = float(np.linalg.norm(centred))
    return centred / norm if np.isfinite(norm) and norm > 0 else None


def _correlated(a: np.ndarray, b: np.ndarray) -> float:
    from scipy.signal import correlate  # takes a while to load

    return float(correlate(a, b, method="auto").max())
