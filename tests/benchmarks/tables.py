"""What the benchmark prints and keeps: means over the sets, ratios to the best reference, and every set by itself."""

from pathlib import Path

import numpy as np
import pandas as pd

from tests.benchmarks import sensor_tables
from tests.benchmarks.means import NEAR, by_set, complete, named, references


def print_tables(results: pd.DataFrame) -> None:
    """A table per kind of data and protocol."""
    for part in _parts(results):
        print(_summary(part))
    if len(failed := results[results["error"].notna()]):
        print("\nFailed:\n" + failed[["cell", "error"]].to_string(index=False))


def write_tables(results: pd.DataFrame, folder: Path, preset: str) -> None:
    """All of it as text, one file per kind of data."""
    for modality, of_modality in results.groupby("modality"):
        texts = [f"# {modality}, preset {preset}\n"]
        measure, what = ("vus_pr", "VUS-PR by series") if modality == "sensor" else ("auroc", "AUROC by set")
        for part in _parts(of_modality):
            texts += [_summary(part), f"\n{what}: mean over seeds (spread over seeds)\n", by_set(part, measure)]
            for name, title in {"ap": "AP", "pixel_auroc": "Pixel AUROC", "aupro": "AUPRO to 0.3"}.items():
                if modality == "image" and part.get(name, pd.Series(dtype=float)).notna().any():
                    texts += [f"\n{title} by set: mean over seeds (spread over seeds)\n", by_set(part, name)]
        (folder / f"{modality}_{preset}.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")


def summary(part: pd.DataFrame) -> str:
    """Mean over the sets of each method, and how it does against the best single reference of the same sets.

    The best reference is the one with the best mean, for each of the two measures; ratios are (1 - AUROC) / (1 - its
    AUROC), lower is better, and AP / its AP. Seconds are ratios to the isolation forest on the same set and seed.
    """
    sets = complete(part)
    if not references(sets):
        return "\nNo set was scored by all of these methods and a reference; see the single sets."
    means = sets.groupby("method")[["auroc", "ap"]].mean()
    best, best_ap = (means.loc[references(sets), measure].idxmax() for measure in ("auroc", "ap"))
    wide = sets.pivot(index="name", columns="method", values="auroc")
    seeds = named(part).groupby("method")["seed"].nunique()
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
                "seeds": int(seeds[method]),
            }
        )
    first = part.iloc[0]
    title = f"\n{first['modality']} {first['group']}, {first['protocol']}: {len(wide)} sets, "
    title += f"{part['seed'].nunique()} seed(s); best reference {best} (AUROC), {best_ap} (AP)\n"
    return title + pd.DataFrame(lines).round(3).to_string(index=False)


def _summary(part: pd.DataFrame) -> str:
    return sensor_tables.summary(part) if part.iloc[0]["modality"] == "sensor" else summary(part)


def _parts(results: pd.DataFrame) -> list[pd.DataFrame]:
    """What belongs into one table; the families of recordings share one."""
    sound = results[results["error"].isna()]
    table = sound["group"].where(sound["modality"] != "sensor", "all")
    parts = [part for _, part in sound.groupby(["modality", table.rename("table"), "protocol"], sort=True)]
    return [part for part in parts if len(references(part))]
