"""Similar cases: by the attributions that raise their scores, or by their signals where there is one channel."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ad_core.explain.global_importance import signed
from ad_core.explain.shares import raising_shares


def similar_by_attribution(parts: pd.DataFrame, row_id: str) -> pd.Series:
    """Similarity of other cases to one: 1 = raised by the same parts in the same shares, 0 = no part in common.

    Args:
        parts: lines of `Explained.parts` of this case and of the others.

    Returns:
        Row id -> 1 - Hellinger distance of the shares (Le Cam and Yang 2000, section 3.1), most similar first; cases
        no part raises are left out. Empty where there is only one part, as all shares are then 1.
    """
    shares = raising_shares(signed(parts))
    if row_id not in shares.index or shares.shape[1] < 2:
        return pd.Series(dtype=np.float64)
    roots = np.sqrt(shares)
    apart = np.linalg.norm(roots - roots.loc[row_id], axis=1) / np.sqrt(2)
    return pd.Series(1 - apart, index=shares.index).drop(row_id).sort_values(ascending=False, kind="stable")


def similar_by_signal(signals: Mapping[str, np.ndarray], row_id: str) -> pd.Series:
    """Similarity of signals of one channel, independent of their offset, scale and position in the window.

    Args:
        signals: row id -> (time,) values; all of one length.

    Returns:
        Row id -> 0..1, the largest normalised cross-correlation over all shifts (Paparrizos and Gravano 2015, k-Shape,
        equation 9: 1 - shape-based distance), most similar first; constant signals and those with gaps are left out.
    """
    usable = {name: _standardised(values) for name, values in signals.items()}
    own = usable.pop(row_id, None)
    if own is None:
        return pd.Series(dtype=np.float64)
    similarity = {
        name: float(np.clip(_correlated(own, other), 0, 1))
        for name, other in usable.items()
        if other is not None and len(other) == len(own)
    }
    return pd.Series(similarity, dtype=np.float64).sort_values(ascending=False, kind="stable")


def _standardised(values: np.ndarray) -> np.ndarray | None:
    values = np.asarray(values, dtype=np.float64)
    centred = values - values.mean() if len(values) else values
    norm = float(np.linalg.norm(centred))
    return centred / norm if np.isfinite(norm) and norm > 0 else None


def _correlated(a: np.ndarray, b: np.ndarray) -> float:
    from scipy.signal import correlate  # takes a while to load

    return float(correlate(a, b, method="auto").max())
