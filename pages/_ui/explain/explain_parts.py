"""The elements of an explanation: sentence, grade, attributions, expected values, nearest normal rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.errors import AdError
from ad_core.explain import figures
from ad_core.explain import grade as explanation_grade
from ad_core.explain.robust_distance import apart
from ad_core.storage.results import Case
from ad_core.types import Modality
from pages._ui.shell import words
from pages._ui.shell.shell import chart, table_height
from pages._ui.shell.stored import batch, dataset, store

METHODS = {
    "integrated_gradients": ("Integrated gradients", "Sundararajan et al. 2017"),
    "gradient_shap": ("Gradient SHAP", "Lundberg & Lee 2017"),
    "occlusion": ("Occlusion", "Zeiler & Fergus 2014"),
    "feature_ablation": ("Feature ablation", "each feature replaced by the baseline's"),
    "shapley_sampling": ("Shapley values", "Castro et al. 2009, by sampling"),
    "kernel_shap": ("Kernel SHAP", "Lundberg & Lee 2017"),
}
BASELINES = {
    "nearest": "the nearest normal row",
    "mean": "the mean of normal rows",
    "zero": "zero in the units of the model",
}
UNITS = {Modality.TABLE: "row", Modality.IMAGE: "image", Modality.SENSOR: "time stamp"}
COLUMNS_SHOWN = 30
ELSEWHERE = 1e-3
"""Relative difference of two scores that is due to rounding on different processors."""

MISSING = "(missing)"
"""The text of an empty cell in an explanation."""

WORTH_NAMING = 0.2
"""The sentence names a second feature only if its attribution is at least this fraction of the largest."""


def sentence(case: Case, calibration: Mapping[str, Any], modality: Modality) -> str:
    """Score and main features in one or two sentences."""
    row, unit = case.row, UNITS[modality]
    if row["score"] is None or not np.isfinite(row["score"]):
        return f"This {unit} has no score."
    n = calibration.get("rows")
    rest = 100 - row["percentile"]
    where = (
        f"scores higher than all {n:,} calibration rows"
        if rest <= 0 and n
        else f"is in the top {rest:.2g} % of the calibration rows"
    )
    p = row.get("p_value")
    text = f"This {unit} {where}" + (f" (p = {words.p_text(p)})." if p is not None and np.isfinite(p) else ".")
    if case.explanation is None:
        return text
    if (case.check or {}).get("grade") == "not supported":
        return f"{text} The explanation of its score failed the faithfulness check."
    parts = _shown_parts(case.explanation, modality)
    raising = parts.loc[parts["attribution"] > max(0.0, WORTH_NAMING * parts["attribution"].max())].head(2)
    named = [_named(part) for part in raising.to_dict("records")]
    return f"{text} Mainly because of {' and '.join(named)}." if named else text


def grade(case: Case) -> None:
    """The result of the faithfulness check as a grade and a sentence; of a normal score, that it is normal."""
    if case.check is None:
        return
    word, colour, icon = words.GRADES[case.check["grade"]]
    severity = case.row.get("severity")
    if explanation_grade.nothing_stands_out(case.check, severity):
        word, colour, icon = words.NOTHING_STANDS_OUT
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(word, color=colour, icon=icon, help=words.GRADE_HELP)
        st.markdown(explanation_grade.in_words(case.check, severity), width="stretch")


def _named(part: Mapping[str, Any]) -> str:
    if part.get("span"):
        return f"*{words.plain(part['part'])}* from {part['span']}"
    if part.get("y0") is not None:
        return f"the area {words.plain(part['part'])} [px]"
    value, expected = part.get("value"), _range(part)
    text = f"*{words.plain(part['part'])}*"
    if value is not None and value == value:
        text += f" {words.plain(str(value))}"
    if expected == MISSING:
        return f"{text} (expected to be missing)"
    return f"{text} (expected {words.plain(expected)})" if expected else text


def _shown_parts(parts: pd.DataFrame, modality: Modality) -> pd.DataFrame:
    """The features in the sentence and the bars, largest attribution first: parts, or channels of a recording."""
    if modality is not Modality.SENSOR:
        return parts.sort_values("attribution", ascending=False, kind="stable")
    channels = []
    for channel, spans in parts.groupby("channel", sort=False):
        top = spans.loc[spans["attribution"] >= WORTH_NAMING * spans["attribution"].max()]
        span = f"{_clock(top['t0'].min())} to {_clock(top['t1'].max())}"
        channels.append({"part": channel, "attribution": spans["attribution"].sum(), "span": span})
    return pd.DataFrame(channels).sort_values("attribution", ascending=False, kind="stable")


def _clock(moment: Any) -> str:
    """The time of day of a time stamp; anything else as it is."""
    return f"{pd.Timestamp(moment):%H:%M:%S}" if isinstance(moment, pd.Timestamp) else f"{moment:.6g}"


def _range(part: Mapping[str, Any]) -> str:
    low, high, middle = part.get("expected_low"), part.get("expected_high"), part.get("expected")
    known = all(bound is not None and bound == bound and bound != MISSING for bound in (low, high))
    if known and low != high:
        return f"{low} to {high}"
    return str(middle) if middle is not None and middle == middle else ""


def bars(case: Case, modality: Modality) -> None:
    """Bars of the attributions, with their baseline and their completeness gap."""
    parts = case.explanation
    assert parts is not None  # the page shows a button instead
    st.subheader("What raises the score", anchor=False)
    shown = _shown_parts(parts, modality)
    names, values = shown["part"].tolist(), shown["attribution"].to_numpy(dtype=np.float64)
    grade = (case.check or {}).get("grade")
    figure = figures.attribution_bars(names, values, doubtful=grade == "not supported")
    chart(figure, alt=figures.attribution_in_words(names, values), key="bars")
    method, source = METHODS.get(parts["method"].iloc[0], (parts["method"].iloc[0], ""))
    nearest = case.neighbours["neighbour"].iloc[0] if case.neighbours is not None and len(case.neighbours) else None
    unit = {"table": "row", "image": "image", "sensor": "window"}[str(modality)]
    baseline = f"the nearest normal {unit}" + (f", `{nearest}`" if nearest else "")
    if case.check and case.check["baseline"] != "nearest":
        baseline = BASELINES[case.check["baseline"]]
    colours = (
        "Grey: not reliable, the faithfulness check failed."
        if grade == "not supported"
        else "Orange raises the score, blue lowers it."
    )
    st.caption(f"{colours} Attributions by {method} ({source}), baseline: {baseline}. {sums(case, modality)}")
    with st.expander("Show as table"):
        st.dataframe(
            parts.drop(columns=["row_id", "method", "delta"], errors="ignore"),
            hide_index=True,
            alt="All features with their attribution",
        )


def _signed(widths: float) -> str:
    return "" if np.isnan(widths) else f"{widths:+.1f}"


def sums(case: Case, modality: Modality) -> str:
    """What the attributions add up to, which score that is the difference to, and how exact the sum is."""
    delta, total = float(case.explanation["delta"].iloc[0]), float(case.explanation["attribution"].sum())  # type: ignore[index]
    share = delta / max(abs(total), 1e-12)
    meaning = (
        "the sum is reliable"
        if share < 0.05
        else "the sizes are approximate"
        if share < 0.25
        else "only the order is reliable"
    )
    gap = f"completeness gap {delta:.2g} ({100 * share:.1f} %): {meaning}."
    score, base = ((case.check or {}).get(name) for name in ("score", "baseline_score"))
    if score is None or base is None or score != score:  # explained by an older version
        return f"They add up to {total:.3g}; {gap}"
    listed = float(case.row["score"])
    of = {Modality.TABLE: "row", Modality.IMAGE: "image", Modality.SENSOR: "window around this time"}[modality]
    text = f"They add up to {total:.3g}: the {of} scores {score:.4g}, the baseline {base:.4g}; {gap}"
    if modality is Modality.SENSOR:
        return f"{text} The score of this time stamp, {listed:.4g}, is the mean over the windows that cover it."
    if not np.isclose(score, listed, rtol=ELSEWHERE):
        return (
            f"{text} The score in the list is {listed:.4g}: the file has changed since it was scored, or the detector "
            f"is of an older version and scored this training row by models that it did not keep. Score the file "
            f"again, or train again."
        )
    return text


def expected_table(case: Case) -> None:
    """The values of the row beside those that the detector expects, given the rest of the row."""
    parts = case.explanation
    assert parts is not None
    st.subheader("Actual and expected values", anchor=False)
    if not parts["expected"].notna().any():
        st.info(
            "This method does not predict values, so there are no expected values. The nearest normal rows below show "
            "normal values.",
            icon=":material/info:",
        )
        return
    shown = pd.DataFrame(
        {
            "column": parts["part"],
            "actual": parts["value"].astype("string"),
            "expected": parts["expected"].astype("string"),
            "expected range": [_range(p) for p in parts.to_dict("records")],
        }
    )
    st.dataframe(
        shown.head(COLUMNS_SHOWN),
        hide_index=True,
        height=table_height(len(shown), 430),
        placeholder="(missing)",
        alt="Actual and expected value of each column, largest attribution first",
    )
    st.caption(
        f"{min(len(shown), COLUMNS_SHOWN)} of {words.count(len(shown), 'column')}. The detector expects the value "
        "in this range in nine of ten cases."
    )


def _differing(side: pd.DataFrame) -> pd.Series:
    """Per line, in how many of the other columns the text differs from the first; a missing cell counts as a text."""
    texts = side.fillna("")
    return texts.iloc[:, 1:].ne(texts.iloc[:, 0], axis=0).sum(axis=1)


def neighbours(run_id: str, training_id: str, row_id: str, case: Case, modality: Modality) -> None:
    """The case beside its nearest normal rows."""
    if case.neighbours is None or case.neighbours.empty:
        return
    st.subheader("Nearest normal rows" if modality is Modality.TABLE else "Nearest normal windows", anchor=False)
    near = case.neighbours.sort_values("rank")
    if modality is Modality.SENSOR:
        st.dataframe(
            near[["rank", "neighbour", "distance"]].rename(columns={"neighbour": "window around"}),
            hide_index=True,
            alt="The five nearest normal windows",
        )
        return
    try:
        mine, trained = batch(run_id), dataset(store().dataset(store().run(training_id).dataset_id))
    except AdError as error:
        st.warning(f"The data can't be opened any more, so the rows can't be shown: {error}")
        return
    explained = set(case.explanation["part"])  # type: ignore[index]
    columns = [c for c in trained.schema.scored if c in explained]
    own = mine.data.loc[(mine.rows["row_id"] == row_id).to_numpy(), [c for c in columns if c in mine.data]].head(1)
    position = pd.Series(np.arange(len(trained)), index=trained.rows["row_id"].to_numpy())
    there = [name for name in near["neighbour"] if name in position.index]
    others = trained.data.iloc[position.loc[there].to_numpy()][columns]
    side = pd.concat([own, others], ignore_index=True).astype("string").T
    side.columns = ["this row", *there]
    differs = _differing(side)
    order = [part for part in case.explanation["part"] if part in side.index]  # type: ignore[index]
    side.insert(0, "differs from", differs.map(lambda n: f"{n} of {len(there)}"))
    side.insert(1, "difference [SD]", apart(own, others, trained.data[list(own)]).map(_signed))
    side.index.name = "column"
    st.dataframe(
        side.loc[order].head(COLUMNS_SHOWN),
        height=table_height(len(order), 430),
        placeholder="(missing)",
        column_config={"difference [SD]": st.column_config.TextColumn(help=words.APART)},
        alt="This row beside its nearest normal rows, column by column",
    )
    st.caption(
        "Columns in order of their attribution. The rows are the nearest in the embedding among the training rows."
    )
