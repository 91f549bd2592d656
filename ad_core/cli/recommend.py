"""A recommendation on a terminal: a line per method, AUROC with its interval per kind of synthetic anomaly."""

from rich.console import Console
from rich.table import Table

from ad_core.training.selection.recommendation import Figure, Recommendation


def print_recommendation(found: Recommendation) -> None:
    """The table, what is missing, and the sentences."""
    console = Console()
    table = Table(title="AUROC of synthetic anomalies against held-out normals [95 % interval]")
    table.add_column("method", no_wrap=True)
    for kind in found.kinds.values():
        table.add_column(kind["title"], justify="right")
    for name in ("mean", "seeds agree", "seconds"):
        table.add_column(name, justify="right")
    for line in found.standings:
        agreement = "–" if line.agreement is None else f"{line.agreement:.2f}"
        figures = [_figure(line.by_kind[kind]) for kind in found.kinds]
        table.add_row(line.method, *figures, _figure(line.mean), agreement, f"{line.seconds:.1f}")
    console.print(table)
    for kind in found.kinds.values():
        console.print(f"{kind['title']}: {kind['says']}", highlight=False, markup=False)
    for name, reason in found.failed.items():
        console.print(f"{name}: {reason}", highlight=False, markup=False)
    for sentence in (*found.notices, *found.sentences):
        console.print(sentence, highlight=False, markup=False)


def _figure(figure: Figure) -> str:
    return f"{figure.auroc:.2f} [{figure.low:.2f}–{figure.high:.2f}]".replace("0.", ".")
