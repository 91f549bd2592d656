"""What anomalies among the training rows cost, and what trimming the calibration gives back: simulated tables with 0,
1, 2 and 5 % of anomalies among 2,500 training rows declared mixed, scored on 2,500 new rows with 2 % anomalies.

    python -m tests.benchmarks.contamination [--seeds 25] [--method balanced] [--normal correlated]

The other tables of normal rows show the price: `heavy` has heavy tails, and in `groups` 3 % of the normal rows form a
group of their own, which the rule takes for anomalies.
"""

import argparse
import sys

import numpy as np
import pandas as pd

from ad_core import pipeline
from ad_core.alerts.calibration import Calibration
from ad_core.alerts.calibration_rows import calibrated, trimmed
from ad_core.alerts.threshold import Rule, apply

ROWS, NEW, NEW_ANOMALIES = 2500, 2500, 0.02
CONTAMINATION = (0.0, 0.01, 0.02, 0.05)
RATE_FDR, RATE_FPR = 0.1, 0.05
COLUMNS = list("abcdefgh")
GROUP = 0.03


def main() -> None:
    """Print the realised rates and the power for each contamination, without and with trimming."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=25)
    parser.add_argument("--method", default="balanced")
    parser.add_argument("--normal", choices=("correlated", "heavy", "groups"), default="correlated")
    arguments = parser.parse_args()
    lines = []
    for share in CONTAMINATION:
        for seed in range(arguments.seeds):
            lines += cell(arguments.method, arguments.normal, share, seed)
            print(f"{share:.0%}, seed {seed}", file=sys.stderr, flush=True)
    print(summary(pd.DataFrame(lines)).to_string(index=False, float_format=lambda x: f"{x:.3f}"))


def cell(method: str, normal: str, share: float, seed: int) -> list[dict[str, object]]:
    """One training; a line without and one with trimming."""
    rng = np.random.default_rng([seed, round(1000 * share)])
    taught, _ = table(rng, ROWS, share, normal)
    new, is_anomaly = table(rng, NEW, NEW_ANOMALIES, normal)
    dataset = pipeline.open_dataset(taught, use=COLUMNS)
    options = {"training_rows": "mixed", "trim_calibration": False, "device": "cpu", "preset": "quick", "seed": seed}
    detector = pipeline.train(dataset, method, **options)  # type: ignore[arg-type]
    scores = detector.score(pipeline.open_dataset(new, use=COLUMNS))["score"].to_numpy()
    rows = detector.calibration_rows
    ways = {"none": calibrated(rows), "trimmed": calibrated(trimmed(rows))}
    return [
        {"contamination": share, "trimming": way, "rows left out": one.trimmed, **judged(scores, is_anomaly, one)}
        for way, one in ways.items()
    ]


def table(rng: np.random.Generator, n: int, share: float, normal: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows of eight correlated columns; an anomaly has three of them shifted by 3 to 6 standard deviations."""
    loadings = np.random.default_rng(5).normal(size=(3, len(COLUMNS)))
    x = rng.normal(size=(n, 3)) @ loadings + 0.5 * rng.normal(size=(n, len(COLUMNS)))
    if normal == "heavy":
        x *= np.sqrt(4 / rng.chisquare(4, (n, 1)))  # Student's t with 4 degrees of freedom
    if normal == "groups":
        x[rng.random(n) < GROUP, :2] += 12
    spread = x.std(axis=0)
    is_anomaly = np.zeros(n, dtype=bool)
    is_anomaly[rng.choice(n, round(share * n), replace=False)] = True
    for row in np.flatnonzero(is_anomaly):
        columns = rng.choice(len(COLUMNS), 3, replace=False)
        x[row, columns] += rng.choice([-1, 1], 3) * rng.uniform(3, 6, 3) * spread[columns]
    return pd.DataFrame(x, columns=COLUMNS), is_anomaly


def judged(scores: np.ndarray, is_anomaly: np.ndarray, calibration: Calibration) -> dict[str, float]:
    """Realised rates of the two rules, and the share of the anomalies that each finds."""
    rows = pd.DataFrame({"score": scores, "p_value": calibration.p_value(scores)})
    rows["percentile"] = calibration.percentile(scores)
    fdr, fpr = (
        apply(Rule(kind=kind, value=value), rows, calibration).of_rows
        for kind, value in (("fdr", RATE_FDR), ("p", RATE_FPR))
    )
    return {
        f"FDR at {RATE_FDR:g}": (fdr & ~is_anomaly).sum() / max(fdr.sum(), 1),
        "power of the FDR rule": fdr[is_anomaly].mean(),
        f"FPR at {RATE_FPR:g}": fpr[~is_anomaly].mean(),
        "power of the FPR rule": fpr[is_anomaly].mean(),
    }


def summary(lines: pd.DataFrame) -> pd.DataFrame:
    """Per contamination and trimming: medians over the seeds, and the mean false discovery rate with its error."""
    grouped = lines.groupby(["contamination", "trimming"], sort=False)
    medians = grouped.median()
    rate = grouped[f"FDR at {RATE_FDR:g}"]
    return medians.assign(**{"mean FDR": rate.mean(), "error": rate.std() / np.sqrt(rate.count())}).reset_index()


if __name__ == "__main__":
    main()
