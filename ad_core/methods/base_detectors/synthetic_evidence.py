"""Weights of base detectors by how well they tell synthetic rows from real ones, for training rows declared clean.

With anomalies among the training rows such weights mislead (they reward detectors that score groups of anomalies as
normal), so they are used for clean rows only, and a share of every weight is equal for all detectors.
"""

import numpy as np
from sklearn.metrics import roc_auc_score

from ad_core.types import Parts

SYNTHETIC = 200
"""Number of synthetic rows of each kind."""

SHARPNESS = 0.02
"""Difference in AUROC that multiplies a weight by e."""

UNIFORM = 0.2
"""Share of the weights that is equal for all detectors."""

FEW_LEVELS = 20


def synthetic_rows(x: np.ndarray, parts: Parts, random: np.random.Generator) -> np.ndarray:
    """Synthetic rows: plausible in each column alone, or on a line through two real rows.

    Args:
        x: (n, entries) real rows.

    Returns:
        (2 * SYNTHETIC, entries): first rows with each column drawn independently and uniformly over its range, then
        points on the line through two real rows, between them or beyond.
    """
    return np.concatenate([_boxes(x, parts, random), _on_lines(x, random)])


def weights_from(real: list[np.ndarray], synthetic: list[np.ndarray]) -> np.ndarray:
    """A weight per base detector, by how well it tells synthetic rows from real ones.

    Args:
        real: per detector, (n,) out-of-bag scores of real rows.
        synthetic: per detector, (2 * SYNTHETIC,) scores of `synthetic_rows`.

    Returns:
        (detectors,) weights that sum to 1.
    """
    found = np.array([_auroc(r, m) for r, m in zip(real, synthetic, strict=True)])
    weights = np.exp((found - found.max()) / SHARPNESS)
    return np.asarray((1 - UNIFORM) * weights / weights.sum() + UNIFORM / len(weights))


def _auroc(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Mean over the two kinds."""
    kinds = np.split(synthetic, 2)
    truth = np.concatenate([np.zeros(len(real)), np.ones(len(kinds[0]))])
    return float(np.mean([roc_auc_score(truth, np.concatenate([real, kind])) for kind in kinds]))


def _boxes(x: np.ndarray, parts: Parts, random: np.random.Generator) -> np.ndarray:
    rows = np.empty((SYNTHETIC, x.shape[1]), dtype=np.float32)
    for part in range(len(parts.names)):
        entries = parts.entries(part)
        levels = np.unique(x[:, entries[0]])
        if len(entries) > 1:
            rows[:, entries] = x[random.integers(len(x), size=SYNTHETIC)][:, entries]  # a category stays one
        elif len(levels) <= FEW_LEVELS:
            rows[:, entries[0]] = random.choice(levels, SYNTHETIC)
        else:
            low, high = np.quantile(x[:, entries[0]], [0.01, 0.99])
            rows[:, entries[0]] = random.uniform(low, high, SYNTHETIC)
    return rows


def _on_lines(x: np.ndarray, random: np.random.Generator) -> np.ndarray:
    a, b = x[random.integers(len(x), size=SYNTHETIC)], x[random.integers(len(x), size=SYNTHETIC)]
    between, beyond = random.uniform(0.3, 0.7, SYNTHETIC), -random.uniform(0.3, 1.0, SYNTHETIC)
    t = np.where(random.random(SYNTHETIC) < 0.5, between, beyond)[:, None]
    return np.asarray(a + t * (b - a), dtype=np.float32)
