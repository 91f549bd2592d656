"""
Card payments: find unusual rows in a table
===========================================

You train a detector on one month of card payments, score the next month, and look at why the highest scores are high.
Labels are not needed. This data set has them, so at the end you can check how good the ranking was.

The payments are simulated, 2 % of them fraudulent. A fraudulent payment is an unlikely combination of values, each of
which is usual by itself, such as a supermarket bill of the size of an electronics shop's.
"""

# %%
# Open the data
# -------------
# ``open_dataset`` reads the file and proposes a role and a kind for each column. Three things it can't know, so you say
# them: which column names the rows, which one holds the truth (it is never trained on), and which one to leave out.
# The time of payment is left out because as a feature it would make all of next month look odd.

import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from ad_core import open_dataset, train
from ad_core.data.sample_datasets import FOLDER

roles = {"id": "payment_id", "label": "is_fraud", "ignore": ["paid_at"]}
september = open_dataset(FOLDER / "card_payments_synthetic" / "train.csv", **roles)
pd.DataFrame(
    [
        {"column": c.name, "role": str(c.role), "kind": str(c.kind)}
        for c in september.schema.columns
    ]
)

# %%
# Train
# -----
# Without a method, ``train`` takes ``balanced``, an ensemble that was built to beat the best single classical detector.
# ``training_rows="mixed"`` says that anomalies may be among the training rows; the ensemble then uses members that
# tolerate them. Say ``"clean"`` only if you know that there are none.

detector = train(september, training_rows="mixed")
print(f"trained on {len(september):,} rows")

# %%
# Score the next month
# --------------------
# Each row gets a score (higher = more anomalous), its percentile among the calibration rows, and a p-value: how often a
# normal row scores at least as high. Rows that calibrate were not used to fit the scores that they get.

october = open_dataset(FOLDER / "card_payments_synthetic" / "next_month.csv", **roles)
scores = detector.score(october)
ranked = scores.sort_values("score", ascending=False)
ranked.head(8)

# %%
# How good is the ranking?
# ------------------------
# Only because this sample has labels, you can count how many of the highest scores are fraud. 3 % of all rows are.

truth = october.rows.set_index("row_id")["label"].astype(float)
hits = ranked["row_id"].map(truth).to_numpy()
precision = hits.cumsum() / range(1, len(hits) + 1)
for top in (20, 50, 100):
    print(
        f"Of the {top} highest scores {hits[:top].sum():.0f} are fraud ({precision[top - 1]:.0%})"
    )

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
for is_fraud, colour, name in ((0, "#2F8F8B", "normal"), (1, "#E0702C", "fraud")):
    of_kind = scores["score"][scores["row_id"].map(truth) == is_fraud]
    left.hist(of_kind, bins=40, color=colour, alpha=0.75, density=True, label=name)
left.set(xlabel="score", ylabel="density", title="Scores of October")
left.legend(frameon=False)
right.plot(range(1, 301), precision[:300], color="#2F8F8B")
right.axhline(truth.mean(), color="#8FA3A8", linestyle=":", label="guessing")
right.set(
    xlabel="rows looked at, highest first",
    ylabel="share of fraud",
    ylim=(0, 1.02),
    title="Precision",
)
right.legend(frameon=False)
plt.show()

# %%
# Why is a row unusual?
# ---------------------
# The detector is saved as a bundle, a folder without any executable content. The command line explains the highest
# scores: it attributes each score to the columns, compared with the nearest normal row, and tests every
# explanation (see :doc:`/concepts/explanations`).

folder = Path(tempfile.mkdtemp())
detector.save(folder / "payments-detector")
command = [
    "explain",
    "payments-detector",
    str(FOLDER / "card_payments_synthetic" / "next_month.csv"),
]
options = ["--top", "5", "--out", "why.parquet"]
done = subprocess.run(
    [sys.executable, "-m", "ad_core", *command, *options],
    cwd=folder,
    capture_output=True,
    text=True,
    check=True,
)
print(done.stdout)

# %%
# One line per row and column, with the grade of the explanation. The bars show the row with the highest score.

why = pd.read_parquet(folder / "why.parquet")
highest = why[why["row_id"] == ranked["row_id"].iloc[0]]
attribution = highest.set_index("part")["attribution"].sort_values()

figure, axis = plt.subplots(figsize=(8, 3.6), layout="constrained")
axis.barh(
    attribution.index,
    attribution,
    color=["#E0702C" if v > 0 else "#3B74B8" for v in attribution],
)
axis.axvline(0, color="#8FA3A8", linewidth=1)
axis.set(
    xlabel="share of the score",
    title=f"{highest['row_id'].iloc[0]}: explanation {highest['grade'].iloc[0]}",
)
plt.show()

# %%
# Where to go next
# ----------------
# - Turn the ranking into alerts with a controlled error rate: :doc:`plot_alerts_with_a_guarantee`.
# - Ask what would make such a row normal: ``python -m ad_core counterfactual``, :doc:`/howto/explain_a_row`.
# - See what was measured on 39 public tables: :doc:`/benchmarks/tables`.
