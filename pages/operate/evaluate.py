"""Evaluate: detection quality, where there are labels or verdicts."""

import numpy as np
import streamlit as st

from ad_core.evaluation import figures, report_card
from ad_core.evaluation.indistinguishable import equal_in_words
from ad_core.evaluation.metrics import FEW
from ad_core.evaluation.report_card import known_rows
from ad_core.storage import verdicts
from pages._ui.evaluate.found_events import found_events
from pages._ui.evaluate.judged import judged
from pages._ui.evaluate.measured import equal_rows, measured, present_point
from pages._ui.evaluate.pixel_figures import pixel_figures
from pages._ui.evaluate.segments import segments
from pages._ui.shell import words
from pages._ui.shell.glossary import GLOSSARY
from pages._ui.shell.shell import chart, errors_shown, nothing_yet, page_top, pick_scored_run
from pages._ui.shell.stored import ranked, store, summary
from pages._ui.shell.threshold import threshold_at

HEADINGS = {"k": "top k", "low": "95 % from", "high": "to"}
SOURCES = {"labels": "Label column", "verdicts": "Verdicts", "both": "Both"}

page_top("evaluate")
with errors_shown():
    run = pick_scored_run()
    rows = ranked(run.id)
    own = rows["label"].to_numpy(dtype=np.float64, na_value=np.nan) if "label" in rows else np.full(len(rows), np.nan)
    said = verdicts.labels(store(), run.dataset_id, rows[["row_id"]])
modality = summary(run.id).get("modality")
known = {"labels": bool((~np.isnan(own)).any()), "verdicts": bool((~np.isnan(said)).any())}
if not any(known.values()):
    if modality == "image":
        pixel_figures(run)
    nothing_yet(
        "These rows have no labels and no verdicts",
        "An evaluation needs a label column (set its role on the Data page) or reviewed alerts.",
        "Review alerts",
        "review",
    )
sources = [name for name, there in known.items() if there] + (["both"] if all(known.values()) else [])
source = st.segmented_control(
    "Ground truth",
    sources,
    default=sources[-1],
    format_func=SOURCES.get,
    key="truth",
    bind="query-params",
    required=True,
    help="For a row with a label and a verdict, the label is used.",
)
labels = {"labels": own, "verdicts": said, "both": np.where(np.isnan(own), said, own)}[source]
if source != "labels":
    st.caption(
        "Verdicts are mostly on the highest scores. The precision of the alerts is reliable; recall, AUROC and the "
        "curves hold only for the rows that were reviewed."
    )

scores = rows["score"].to_numpy(dtype=np.float64)
found = measured(labels, scores)
positives = found["positives"]
if found["auroc"] is None:
    st.info(found["note"], icon=":material/info:")
    st.stop()
if positives < FEW:
    st.error(
        f"Only {words.count(positives, 'labelled anomaly', 'labelled anomalies')}: too few for reliable metrics.",
        icon=":material/priority_high:",
    )
with st.container(horizontal=True):
    for word, key in (("average precision", "average_precision"), ("AUROC", "auroc")):
        st.metric(
            word[0].upper() + word[1:],
            f"{found[key]:.3f}",
            border=True,
            width="stretch",
            delta=f"{found[f'{key}_low']:.3f} – {found[f'{key}_high']:.3f}",
            delta_color="off",
            delta_arrow="off",
            help=f"{GLOSSARY[word]} Below: 95 % interval (bootstrap).",
        )
    st.metric(
        "Labelled anomalies",
        f"{positives:,}",
        border=True,
        width="stretch",
        delta=f"of {found['n']:,} rows",
        delta_color="off",
        delta_arrow="off",
    )
if equal := equal_rows(run.id, rows["row_id"].to_numpy(), labels):
    st.warning(equal_in_words(equal, positives), icon=":material/join_inner:")
st.caption(report_card.more_labels_in_words(found))

drawn = report_card.curves(labels, scores)
with errors_shown():
    alert = threshold_at(run.id).of(rows)
left, right = st.columns(2, gap="large")
with left:
    st.subheader("Precision and recall", anchor=False)
    curve = drawn.precision_recall
    chart(
        figures.precision_recall(curve, found["base_rate"], present_point(labels, alert, "precision")),
        alt=figures.precision_recall_in_words(curve, found["base_rate"]),
        caption=figures.precision_recall_in_words(curve, found["base_rate"]),
        key="pr",
    )
with right:
    st.subheader("ROC curve", anchor=False)
    chart(
        figures.roc(drawn.roc, present_point(labels, alert, "false alarms")),
        alt=figures.roc_in_words(drawn.roc),
        caption=figures.roc_in_words(drawn.roc),
        key="roc",
    )

left, right = st.columns(2, gap="large")
with left:
    st.subheader("Did the guarantees hold?", anchor=False, help=words.GUARANTEES)
    fresh = (rows["used_for"] == "").to_numpy() if "used_for" in rows else np.ones(len(rows), dtype=bool)
    withdrawn = (rows["withdrawn"].fillna("") != "").to_numpy() & fresh if "withdrawn" in rows else ~fresh & fresh
    all_withdrawn = bool(fresh.any() and (withdrawn == fresh).all())
    fresh = fresh if all_withdrawn else fresh & ~withdrawn
    p_values = rows["p_value"].to_numpy(dtype=np.float64, na_value=np.nan)
    lines = report_card.guarantees_table(labels[fresh], p_values[fresh])
    if all_withdrawn:
        st.warning(
            "The drift check withdraws the guarantees for this file: these rates are what came true, and nothing about "
            "them was guaranteed.",
            icon=":material/gpp_maybe:",
        )
    if lines.empty:
        st.info(
            "No new row has a label and a p-value. Rows that train or calibrate the detector can't test its "
            "guarantees. Score a file with new rows.",
            icon=":material/info:",
        )
    else:
        chart(figures.kept_guarantees(lines), alt=figures.kept_guarantees_in_words(lines), key="guarantees")
        judges = words.count(int((fresh & known_rows(labels, p_values)).sum()), "row")
        kept = ", and that the drift check does not withdraw" if withdrawn.any() and not all_withdrawn else ""
        st.caption(
            f"{figures.kept_guarantees_in_words(lines)} Tested with {judges} that neither train nor calibrate the "
            f"detector{kept}."
        )
with right:
    st.subheader("Precision of the highest scores", anchor=False)
    st.dataframe(
        report_card.precision_table(labels, scores).round(3).rename(columns=HEADINGS),
        hide_index=True,
        alt="Precision among the highest scores",
    )
if modality == "sensor":
    found_events(run.id, rows, labels, alert)
if modality == "image":
    with errors_shown():
        pixel_figures(run)
segments(run.id, rows, labels)
judged(summary(run.id))
