"""What all tables of the benchmark share: names of methods, means over seeds, and the sets that can be compared."""

import pandas as pd

from tests.benchmarks.cases import RANDOM

NEAR = 0.005
"""A figure that differs by less is neither a win nor a loss."""

REFERENCE = "reference"
"""What is `declared` of a reference: it is told nothing."""

MEASURES = ["auroc", "ap", "vus_pr", "event_recall", "pixel_auroc", "aupro"]


def complete(part: pd.DataFrame) -> pd.DataFrame:
    """Means over the seeds, for the methods that were run on most sets, and the sets that all of them were run on."""
    means = {measure: (measure, "mean") for measure in MEASURES if measure in part}
    sets = (
        named(part)
        .groupby(["method", "name"], as_index=False)
        .agg(**means, time=("time", "mean"), declared=("declared", "first"), group=("group", "first"))
    )
    counts = sets["method"].value_counts()
    sets = sets[sets["method"].isin(counts[counts >= 0.9 * counts.max()].index)]
    methods = sets["method"].nunique()
    per_set = sets["name"].value_counts()
    return sets[sets["name"].isin(per_set[per_set == methods].index)]


def named(part: pd.DataFrame) -> pd.DataFrame:
    """Methods are named with what was declared of the rows; times are ratios to the isolation forest."""
    part = part.copy()
    forest = part[part["method"] == "isolation_forest"].set_index(["name", "seed"])["seconds"]
    forest = forest[~forest.index.duplicated()]
    part["time"] = part["seconds"] / pd.MultiIndex.from_frame(part[["name", "seed"]]).map(forest).to_numpy(dtype=float)
    told = part["declared"] != REFERENCE
    part.loc[told, "method"] = part["method"] + " (" + part["declared"] + ")"
    return part


def references(sets: pd.DataFrame) -> list[str]:
    """The classical detectors among the methods; random scores are none."""
    return sorted(set(sets.loc[sets["declared"] == REFERENCE, "method"]) - {RANDOM})


def by_set(part: pd.DataFrame, measure: str) -> str:
    """A line per set, a column per method."""
    lines = named(part)
    mean = lines.pivot_table(index="name", columns="method", values=measure, aggfunc="mean")
    spread = lines.pivot_table(index="name", columns="method", values=measure, aggfunc="std")
    texts = mean.map("{:.3f}".format)
    known = spread.reindex_like(mean)
    return (texts + known.map(lambda s: f" ({s:.3f})" if s == s else "")).where(mean.notna(), "-").to_string()
