"""Is the recommendation worth anything? `python -m tests.benchmarks.recommend`, with labels only to judge.

Per table and protocol: the AUROC on synthetic anomalies and other signals without labels of every method, beside its
true AUROC on the judged rows; then the rank correlation of each signal with the truth, and what Auto reaches beside the
best and the worst single method. Sets with a line in the results are not run again, and a method that `make bench` has
measured on the same rows with the same seed is not trained again. AD_BENCH_DATA names the labelled data.
"""

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from ad_core.data.dataset import Dataset
from ad_core.errors import DataError
from ad_core.pipeline import reference_scores, train_all
from ad_core.progress import Silent
from ad_core.training.choice import Choice
from ad_core.training.selection.ranking import ranked
from ad_core.training.selection.recommend import Wanted, candidates_for, tried
from ad_core.training.selection.recommendation import Recommendation
from ad_core.training.selection.trials import Trials
from ad_core.training.synthetic.inject import SYNTHETIC_ANOMALIES
from ad_core.types import Modality
from tests.benchmarks.cases import Cell, opened

FILE = Path(__file__).parent / "results" / "recommend.tsv"
CELLS = FILE.with_name("cells_quick.tsv")
KINDS = tuple(flaw.name for flaw in SYNTHETIC_ANOMALIES[Modality.TABLE])
FEW = ("adbench_cardio", "adbench_ionosphere", "adbench_pima", "adbench_wbc", "adbench_letter", "adbench_vertebral")
COLUMNS = [
    "set",
    "protocol",
    "method",
    "kind",
    "seconds",
    "chosen",
    "task",
    "made_up",
    "agreement",
    "steadiness",
    "consensus",
    "tail",
    "truth",
    *KINDS,
]
SIGNALS = {
    "made_up": "AUROC on synthetic anomalies, mean over the kinds",
    "agreement": "Spearman between two seeds' scores of held-out rows",
    "steadiness": "minus the width of the bootstrap interval",
    "consensus": "Spearman with the mean rank that all other methods give the held-out rows",
    "tail": "(99 % - 50 % quantile) / (75 % - 50 % quantile) of held-out scores",
    **{flaw.name: f"AUROC on “{flaw.title}” alone" for flaw in SYNTHETIC_ANOMALIES[Modality.TABLE]},
}


def main() -> int:
    """Run what is missing, then print what is known."""
    options = _options()
    data = os.environ.get("AD_BENCH_DATA")
    if not data:
        print("Nothing measured: AD_BENCH_DATA does not name a folder with labelled data (tabular/).")
        return 0
    names = sorted(f.stem for f in (Path(data) / "tabular").glob("*.parquet")) if options.all else options.sets
    FILE.parent.mkdir(exist_ok=True)
    known = pd.read_csv(FILE, sep="\t") if FILE.exists() else pd.DataFrame(columns=COLUMNS)
    known.reindex(columns=COLUMNS).to_csv(FILE, sep="\t", index=False)  # older results know fewer signals
    done = {tuple(line) for line in known[["set", "protocol"]].to_numpy()}
    for name in names:
        for protocol in options.protocols:
            if (name, protocol) not in done:
                print(name, protocol, flush=True)
                try:
                    lines = measured(Path(data), name, protocol, options)
                except DataError as error:  # too small to compare methods: Auto is Balanced there
                    print(f"{name} {protocol}: {error}", flush=True)
                    continue
                lines.to_csv(FILE, sep="\t", index=False, mode="a", header=False, float_format="%.4f")
    results = pd.read_csv(FILE, sep="\t")
    print(*(in_tables(part, protocol) for protocol, part in results.groupby("protocol")), sep="\n\n")
    return 0


def measured(data: Path, name: str, protocol: str, options: argparse.Namespace) -> pd.DataFrame:
    """A line per method, and one for Auto, of one table."""
    declared = "clean" if protocol == "A" else "mixed"
    cell = Cell("table", "tabular", name, protocol, "recommend", declared, 0)
    dataset, rows = opened(data, cell, Path(tempfile.gettempdir()))
    only = tuple(c.name for c in candidates_for(Modality.TABLE) if c.name not in options.skip)
    plan = {"seeds": options.seeds, "steps": options.steps}
    trials = tried(dataset, Wanted(declared, device="cpu", only=only, plan=plan), Silent())
    found = ranked(trials, Modality.TABLE, declared, 0)
    lines = signals(found, trials)
    truth = _truth(dataset, rows, lines["method"].tolist(), cell)
    task = found.task if found.choice == "auto" else None
    settings = {"pretext": {"task": task}}  # the trials are not run twice
    truth["auto"] = _trained(dataset, rows, "auto", declared, settings) if task else truth["balanced"]
    lines["truth"] = lines["method"].map(truth)
    auto = {"method": "auto", "kind": "recipe", "truth": truth["auto"]}
    lines = pd.concat([lines, pd.DataFrame([auto])], ignore_index=True)
    lines = lines.assign(set=name, protocol=protocol, chosen=found.choice, task=found.task)
    return lines.reindex(columns=COLUMNS)  # a table may not allow every kind


def signals(found: Recommendation, trials: Trials) -> pd.DataFrame:
    """What can be known of every method without labels; higher should be better."""
    held_out = {t.method: t.usual for t in reversed(trials.done)}
    ranks = pd.DataFrame(held_out).rank()
    lines = []
    for s in found.standings:
        low, middle, high = np.quantile(held_out[s.method], [0.5, 0.75, 0.99])
        others = ranks.drop(columns=s.method).mean(axis=1)
        lines.append(
            {
                "method": s.method,
                "kind": s.kind,
                "seconds": s.seconds,
                "made_up": s.mean.auroc,
                "agreement": s.agreement,
                "steadiness": s.mean.low - s.mean.high,
                "consensus": spearmanr(ranks[s.method], others).statistic,
                "tail": (high - low) / max(middle - low, 1e-9),
                **{kind: figure.auroc for kind, figure in s.by_kind.items()},
            }
        )
    return pd.DataFrame(lines)


def _truth(dataset: Dataset, rows: np.ndarray, names: list[str], cell: Cell) -> dict[str, float]:
    found = _measured(cell)
    missing = [name for name in names if name not in found]
    table = reference_scores(dataset, cell.seed, Silent())[0] if missing else pd.DataFrame()
    for name in missing:
        if name in table:
            found[name] = _auroc(dataset, rows, table[name].to_numpy(dtype=float))
        else:
            found[name] = _trained(dataset, rows, name, cell.declared, {})
    return found


def _measured(cell: Cell) -> dict[str, float]:
    """What `make bench` has found on the very same rows: method -> AUROC."""
    if not CELLS.exists():
        return {}
    known = pd.read_csv(CELLS, sep="\t")
    same = (
        known[["modality", "name", "protocol", "seed"]] == [cell.modality, cell.name, cell.protocol, cell.seed]
    ).all(axis=1)
    told = known["declared"].isin([cell.declared, "reference"])
    found = known.loc[same & told & known["auroc"].notna()]
    return dict(zip(found["method"], found["auroc"], strict=True))


def _trained(dataset: Dataset, rows: np.ndarray, method: str, declared: str, settings: dict) -> float:
    choice = Choice(pretext=method, preset="quick", training_rows=declared, settings=settings)
    trained = train_all(dataset, choice, Silent(), references=False)
    return _auroc(dataset, rows, trained.scores["score"].to_numpy(dtype=float))


def _auroc(dataset: Dataset, rows: np.ndarray, scores: np.ndarray) -> float:
    label = dataset.rows["label"].to_numpy(dtype=float)
    known = rows & np.isfinite(scores) & np.isfinite(label)
    return float(roc_auc_score(label[known], scores[known]))


def in_tables(part: pd.DataFrame, protocol: str) -> str:
    """Rank correlations of every signal with the truth, and what choosing by synthetic anomalies reaches."""
    singles = part[part["method"] != "auto"]
    lines = [
        f"# Protocol {protocol}: {part['set'].nunique()} tables",
        "",
        "Spearman with the true AUROC, over methods:",
    ]
    for signal, words in SIGNALS.items():
        every = [_rank(s, signal) for _, s in singles.groupby("set")]
        tasks = [_rank(s[s["kind"] == "pretext"], signal) for _, s in singles.groupby("set")]
        lines.append(f"  {signal:17s} all {_mean(every)}   pretext tasks {_mean(tasks)}   ({words})")
    reached = pd.DataFrame([_reached(s) for _, s in part.groupby("set")])
    lines += ["", reached.round(3).to_string(index=False), "", "Mean AUROC:"]
    lines += [f"  {name:34s} {reached[name].mean():.3f}" for name in reached.columns if name not in ("set", "chosen")]
    return "\n".join(lines)


def _reached(part: pd.DataFrame) -> dict[str, object]:
    truth = part.set_index("method")["truth"]
    tasks = part[part["kind"] == "pretext"]
    singles = truth.drop(["auto", "balanced"], errors="ignore")
    return {
        "set": part["set"].iloc[0],
        "chosen": part["chosen"].iloc[0],
        "auto": truth["auto"],
        "balanced": truth["balanced"],
        "best task by made-up": tasks.loc[tasks["made_up"].idxmax(), "truth"],
        "named task": truth.get(part["task"].iloc[0]),
        "mean of tasks": tasks["truth"].mean(),
        "worst task": tasks["truth"].min(),
        "best task (oracle)": tasks["truth"].max(),
        "best single (oracle)": singles.max(),
    }


def _rank(part: pd.DataFrame, signal: str) -> float:
    known = part[[signal, "truth"]].dropna()
    if len(known) < 4 or known[signal].nunique() < 2:
        return float("nan")
    return float(spearmanr(known[signal], known["truth"]).statistic)


def _mean(values: list[float]) -> str:
    known = np.array([v for v in values if np.isfinite(v)])
    if not len(known):
        return "      –       "
    error = known.std(ddof=1) / np.sqrt(len(known)) if len(known) > 1 else float("nan")
    return f"{known.mean():+.2f} ± {error:.2f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every table, not a few")
    parser.add_argument("--sets", type=lambda text: text.split(","), default=list(FEW))
    parser.add_argument("--protocols", type=lambda text: text.split(","), default=["A", "B"])
    parser.add_argument("--seeds", type=int, default=2, help="trainings of each method in the trials")
    parser.add_argument("--steps", type=int, default=200, help="training steps of each")
    parser.add_argument("--skip", type=lambda text: text.split(","), default=[], help="methods to leave out")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
