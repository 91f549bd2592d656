"""
Review: judge alerts and measure precision
==========================================

An alert is a question to a person. Here you queue the training as a job, as the app does, walk through the alerts in
order, record verdicts, and estimate from them how many alerts are right. Verdicts never change a detector by
themselves.
"""

# %%
# A store of your own
# -------------------
# The store is a folder with a database. The app and its workers use the one in ``AD_HOME``; here it is a temporary one.

import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from ad_core import open_dataset
from ad_core.data.sample_datasets import FOLDER
from ad_core.jobs import queue as jobs
from ad_core.storage import results, verdicts
from ad_core.storage.store import Store

store = Store.open(Path(tempfile.mkdtemp()))
source = FOLDER / "card_payments_synthetic" / "train.csv"
roles = {"id": "payment_id", "label": "is_fraud", "ignore": ["paid_at"]}
payments = open_dataset(source, **roles)
record = store.add_dataset(
    "Card payments", "table", [source], roles, len(payments), payments.fingerprint, {}
)

# %%
# Train as a job
# --------------
# The job runs in a process of its own; closing this program would not stop it. Nearest neighbours are used here
# because they take a second.

run = jobs.submit(
    store, record.id, "train", {"pretext": "nearest_neighbours"}, "First look"
)
while store.run(run.id).status in ("queued", "running"):
    time.sleep(0.2)
run = store.run(run.id)
print(run.name, run.status)

ranked = results.ranked(store, run.id)
ranked.head()

# %%
# Line up the alerts
# ------------------
# Say 40 rows can be looked at. The queue orders them and gives a reason for each. Another order puts rows near the
# threshold first, or those about which the detectors disagree (:doc:`/concepts/review`).

from ad_core.review.queue import Scored, queue

is_alert = (ranked["score"].rank(ascending=False) <= 40).to_numpy()
reviewed = pd.Series(False, index=ranked.index).to_numpy()
waiting = queue(Scored(ranked[["row_id", "score"]], is_alert, reviewed), "highest")
waiting.items.head()

# %%
# Give verdicts
# -------------
# Here the label column plays the expert who says what each row is. A verdict is kept with its author, time, note, and
# the score and p-value that were seen. Nothing is overwritten: the newest verdict on a row counts, the others stay.

truth = payments.rows.set_index("row_id")["label"].astype(float)
for row_id in waiting.items["row_id"]:
    verdict = verdicts.Verdict.ANOMALY if truth[row_id] == 1 else verdicts.Verdict.NORMAL
    verdicts.give(
        store, run.id, [row_id], verdict, author="Ada", note="asked the card holder"
    )

first = waiting.items["row_id"].iloc[0]
verdicts.give(
    store, run.id, [first], verdicts.Verdict.UNSURE, author="Ben", note="second opinion"
)
verdicts.history(store, record.id, first)[["verdict", "author", "note", "score", "p_value"]]

# %%
# Precision so far
# ----------------
# The share of anomalies among the alerts that were called an anomaly or normal, with Wilson's 95 % interval. It speaks
# only of the rows that were looked at: the highest scores, so it is too high for those further down.

from ad_core.evaluation.precision import precision

found = precision(verdicts.current(store, record.id)["verdict"])
share = found.hits / found.judged
print(
    f"{found.hits} of {found.judged} are fraud: {share:.0%}, 95 % interval {found.low:.0%} to {found.high:.0%}"
)
print("decided nothing:", found.apart)

words = verdicts.current(store, record.id).set_index("row_id")["verdict"]
words = [words[row_id] for row_id in waiting.items["row_id"]]
course = [precision(words[:reviewed]) for reviewed in range(1, len(words) + 1)]
course = pd.DataFrame(
    [(one.hits / max(one.judged, 1), one.low, one.high) for one in course]
)

figure, axis = plt.subplots(figsize=(8, 3), layout="constrained")
reviewed_rows = range(1, len(course) + 1)
axis.fill_between(reviewed_rows, course[1], course[2], color="#2F8F8B", alpha=0.25)
axis.plot(reviewed_rows, course[0], color="#2F8F8B")
axis.set(xlabel="alerts reviewed, highest first", ylabel="precision so far", ylim=(0, 1))
plt.show()

# %%
# Hand them over
# --------------
# ``python -m ad_core verdicts export RUN said.csv`` writes the history to a file that can be taken in elsewhere. The
# same in Python:

from ad_core.review.verdict_files import to_file

print(to_file(verdicts.history(store, record.id), "csv").decode()[:400])
