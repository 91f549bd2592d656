"""Which members see that synthetic rows are not real: evidence without labels, for training rows declared clean.

Where the training rows hold anomalies this evidence misleads (it rewards members that take groups of anomalies for
normal), so it is asked for clean rows only, and never decides alone: a share of every weight is the same for all.
"""

import numpy as np
from sklearn.metrics import roc_auc_score

from ad_core.types import Parts

SYNTHETIC = 200
"""Rows of each kind."""

SHARPNESS = 0.02
"""So much more AUROC multiplies a weight by e."""

UNIFORM = 0.2
"""Share of the weights that evidence cannot touch."""

FEW_LEVELS = 20


def synthetic_rows(x: np.ndarray, parts: Parts, random: np.random.Generator) -> np.ndarray:
    """Rows that look plausible column by column, or lie between or beyond real ones.

    Args:
        x: (n, entries) real rows.

    Returns:
        (2 * MADE_UP, entries): first boxes (each column drawn by itself, evenly over its range), then points on the
        line through two real rows, between them or beyond.
    """
    return np.concatenate([_boxes(x, parts, random), _on_lines(x, random)])


def weights_from(real: list[np.ndarray], synthetic: list[np.ndarray]) -> np.ndarray:
    """A weight per member, by how well it tells synthetic rows from real ones.

    Args:
        real: per member, (n,) scores of real rows that it did not learn from.
        synthetic: per member, (2 * MADE_UP,) scores of `synthetic_rows`.

    Returns:
        (members,) weights that add up to 1.
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
