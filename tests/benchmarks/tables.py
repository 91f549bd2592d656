"""What the benchmark prints and keeps: means over the sets, ratios to the best reference, and every set by itself."""

from pathlib import Path

import numpy as np
import pandas as pd

NEAR = 0.005
"""An AUROC that differs by less is neither a win nor a loss."""

REFERENCE = "reference"
"""What is `declared` of a reference: it is told nothing."""


def print_tables(results: pd.DataFrame) -> None:
    """A table per kind of data and protocol."""
    for text in (summary(part) for _, part in _parts(results)):
        print(text)
    if len(failed := results[results["error"].notna()]):
        print("\nFailed:\n" + failed[["cell", "error"]].to_string(index=False))


def write_tables(results: pd.DataFrame, folder: Path, preset: str) -> None:
    """All of it as text, one file per kind of data."""
    for modality, of_modality in results.groupby("modality"):
        texts = [f"# {modality}, preset {preset}\n"]
        for _, part in _parts(of_modality):
            texts += [summary(part), "\nAUROC by set: mean over seeds (spread over seeds)\n", by_set(part)]
        (folder / f"{modality}_{preset}.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")


def summary(part: pd.DataFrame) -> str:
    """Mean over the sets of each method, and how it does against the best single reference of the same sets.

    The best reference is the one with the best mean, for each of the two measures; ratios are (1 - AUROC) / (1 - its
    AUROC), lower is better, and AP / its AP. Seconds are ratios to the isolation forest on the same set and seed.
    """
    sets = _complete(part)
    means = sets.groupby("method")[["auroc", "ap"]].mean()
    references = sorted(set(sets.loc[sets["declared"] == REFERENCE, "method"]))
    best, best_ap = means.loc[references, "auroc"].idxmax(), means.loc[references, "ap"].idxmax()
    wide = sets.pivot(index="name", columns="method", values="auroc")
    lines = []
    for method in means.sort_values("auroc", ascending=False).index:
        gain = wide[method] - wide[best]
        lines.append(
            {
                "method": method,
                "auroc": means.at[method, "auroc"],
                "ap": means.at[method, "ap"],
                "error ratio": (1 - means.at[method, "auroc"]) / (1 - means.at[best, "auroc"]),
                "ap ratio": means.at[method, "ap"] / means.at[best_ap, "ap"],
                "standard error": gain.std() / np.sqrt(len(gain)) if method != best else 0.0,
                "wins": int((gain > NEAR).sum()),
                "losses": int((gain < -NEAR).sum()),
                "seconds / IF": sets.loc[sets["method"] == method, "time"].median(),
            }
        )
    first = part.iloc[0]
    title = f"\n{first['modality']} {first['group']}, {first['protocol']}: {len(wide)} sets, "
    title += f"{part['seed'].nunique()} seed(s); best reference {best} (AUROC), {best_ap} (AP)\n"
    return title + pd.DataFrame(lines).round(3).to_string(index=False)


def by_set(part: pd.DataFrame) -> str:
    """A line per set, a column per method."""
    named = _named(part)
    mean = named.pivot_table(index="name", columns="method", values="auroc", aggfunc="mean")
    spread = named.pivot_table(index="name", columns="method", values="auroc", aggfunc="std")
    texts = mean.map("{:.3f}".format)
    known = spread.reindex_like(mean)
    return (texts + known.map(lambda s: f" ({s:.3f})" if s == s else "")).where(mean.notna(), "-").to_string()


def _parts(results: pd.DataFrame) -> list[tuple[object, pd.DataFrame]]:
    sound = results[results["error"].isna()]
    parts = list(sound.groupby(["modality", "group", "protocol"], sort=True))
    return [(key, part) for key, part in parts if (part["declared"] == REFERENCE).any()]


def _named(part: pd.DataFrame) -> pd.DataFrame:
    """Methods are named with what was declared of the rows; times are ratios to the isolation forest."""
    part = part.copy()
    forest = part[part["method"] == "isolation_forest"].set_index(["name", "seed"])["seconds"]
    forest = forest[~forest.index.duplicated()]
    part["time"] = part["seconds"] / pd.MultiIndex.from_frame(part[["name", "seed"]]).map(forest).to_numpy(dtype=float)
    told = part["declared"] != REFERENCE
    part.loc[told, "method"] = part["method"] + " (" + part["declared"] + ")"
    return part


def _complete(part: pd.DataFrame) -> pd.DataFrame:
    """Means over the seeds, for the methods that were run on most sets, and the sets that all of them were run on."""
    named = _named(part)
    sets = named.groupby(["method", "name"], as_index=False).agg(
        auroc=("auroc", "mean"), ap=("ap", "mean"), time=("time", "mean"), declared=("declared", "first")
    )
    counts = sets["method"].value_counts()
    sets = sets[sets["method"].isin(counts[counts >= 0.9 * counts.max()].index)]
    methods = sets["method"].nunique()
    per_set = sets["name"].value_counts()
    return sets[sets["name"].isin(per_set[per_set == methods].index)]
