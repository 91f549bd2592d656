"""Tables of the recordings: VUS-PR over all series and within each family, beside the best single reference."""

import pandas as pd

from tests.benchmarks.means import MEASURES, NEAR, complete, named, references


def summary(part: pd.DataFrame) -> str:
    """Both tables as text, best mean VUS-PR first.

    The best reference is the one with the best mean VUS-PR: of all series for the first table, within each family for
    the second; ratios are to its mean. A win is a series on which a method's VUS-PR is above that of the best reference
    of all. The spread is the standard deviation over the seeds of the mean over the series. Seconds are ratios to the
    isolation forest on the same series and seed.
    """
    series, seeds = complete(part), part["seed"].nunique()
    best, best_within = best_references(series)
    sizes = series.groupby("group")["name"].nunique()
    words = ", ".join(f"{family} {name} ({sizes[family]} series)" for family, name in best_within.items())
    return (
        f"\nsensor, {part.iloc[0]['protocol']}: {sizes.sum()} series, {seeds} seed(s); best reference {best} (VUS-PR); "
        f"event recall at one false alarm a day\n{_as_text(over_all(part))}\n\n"
        f"VUS-PR by family; best references: {words}\n{_as_text(by_family(part))}"
        f"{_of_all_methods(part)}"
    )


def _of_all_methods(part: pd.DataFrame) -> str:
    """The table of the series on which every method was run, where some were run on few; else nothing."""
    table, series = on_common_series(part)
    if set(table["method"]) == set(complete(part)["method"]) or not series:
        return ""
    return f"\n\nVUS-PR on the {series} series on which every method was run\n{table.round(3).to_string(index=False)}"


def on_common_series(part: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Every method, also those that were run on few series: means over the series that all of them scored.

    Returns:
        `method`, `vus_pr`, a column per family, `seconds / IF`; best first. And the number of series.
    """
    scored = named(part)
    wide = scored.pivot_table(index=["group", "name"], columns="method", values="vus_pr").dropna()
    times = scored[scored["name"].isin(wide.index.get_level_values("name"))].groupby("method")["time"].median()
    table = wide.groupby("group").mean().T.assign(vus_pr=wide.mean(), **{"seconds / IF": times})
    families = [name for name in table if name not in ("vus_pr", "seconds / IF")]
    table = table[["vus_pr", *families, "seconds / IF"]].sort_values("vus_pr", ascending=False)
    return table.rename_axis(columns=None).rename_axis("method").reset_index(), len(wide)


def best_references(series: pd.DataFrame) -> tuple[str, pd.Series]:
    """The reference with the best mean VUS-PR over all series, and within each family."""
    known = series[series["method"].isin(references(series))]
    within = known.pivot_table(index="method", columns="group", values="vus_pr", aggfunc="mean")
    return str(known.groupby("method")["vus_pr"].mean().idxmax()), within.idxmax()


def over_all(part: pd.DataFrame) -> pd.DataFrame:
    """A line per method: means over all series, and how it does against the best single reference."""
    series = complete(part)
    best, _ = best_references(series)
    means = series.groupby("method")[MEASURES].mean().sort_values("vus_pr", ascending=False)
    wide = series.pivot(index="name", columns="method", values="vus_pr")
    gain = wide.sub(wide[best], axis=0)
    of_seeds = named(part[part["name"].isin(wide.index)]).groupby(["method", "seed"])["vus_pr"].mean()
    table = {
        "vus_pr": means["vus_pr"],
        "spread": of_seeds.groupby("method").std(),
        "ratio": means["vus_pr"] / means.at[best, "vus_pr"],
        "wins": (gain > NEAR).sum(),
        "losses": (gain < -NEAR).sum(),
        "ap": means["ap"],
        "auroc": means["auroc"],
        "event recall": means["event_recall"],
        "seconds / IF": series.groupby("method")["time"].median(),
    }
    return pd.DataFrame({name: values.reindex(means.index) for name, values in table.items()})


def by_family(part: pd.DataFrame) -> pd.DataFrame:
    """A line per method: VUS-PR in each family, its ratio to the family's own best reference, and the lowest ratio."""
    series = complete(part)
    _, best = best_references(series)
    order = series.groupby("method")["vus_pr"].mean().sort_values(ascending=False).index
    means = series.pivot_table(index="method", columns="group", values="vus_pr", aggfunc="mean").loc[order]
    ratios = means / [means.at[best[family], family] for family in means]
    table = {name: frame[family] for family in means for name, frame in ((family, means), (f"{family} ratio", ratios))}
    return pd.DataFrame({**table, "lowest ratio": ratios.min(axis=1)})


def _as_text(table: pd.DataFrame) -> str:
    return table.rename_axis("method").reset_index().round(3).to_string(index=False)
