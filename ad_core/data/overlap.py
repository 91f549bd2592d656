"""Sum the scores of overlapping items per sample; the same function serves files and streams."""

import numpy as np


def covering_sums(start: np.ndarray, scores: np.ndarray, span: int, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Sum and number of the scores that cover each sample.

    Args:
        start: (n,) int64, the first sample that each item covers.
        scores: (n,) or (n, span) float64: one number per item, or one per sample that it covers.
        span: number of samples that an item covers.
        samples: number of samples; `start + span` is never larger.

    Returns:
        (samples,) float64 sums and (samples,) int64 counts, both 0 where no item covers the sample.
    """
    total, count = np.zeros(samples), np.zeros(samples, dtype=np.int64)
    if len(start) < span:
        for at, score in zip(start, scores, strict=True):
            total[at : at + span] += score
            count[at : at + span] += 1
        return total, count
    for offset in range(span):
        np.add.at(total, start + offset, scores if scores.ndim == 1 else scores[:, offset])
        np.add.at(count, start + offset, 1)
    return total, count
