"""The panel "Which method suits these data?": starts the comparison as a job, follows it, and shows the result."""

import pandas as pd
import streamlit as st

from ad_core.storage.store import RunRecord
from ad_core.training.selection import figures
from ad_core.training.selection.recommendation import Figure, Recommendation
from pages._ui.shell import selection_words, words
from pages._ui.shell.shell import chart
from pages._ui.shell.side_job import followed, submit
from pages._ui.shell.stored import store

MINUTES = {5: "5 min", 10: "10 min", 30: "30 min", 120: "2 h"}


def recommendation_panel(dataset_id: str, training_rows: str, device: str, method_key: str) -> None:
    """Closed until a comparison was started.

    Args:
        training_rows: the answer in the form; the result of a comparison with another answer gets a warning.
        method_key: session key of the chosen method; a button of the panel sets it.
    """
    asked = store().runs(kind="recommend", dataset_id=dataset_id, limit=1)
    latest = asked[0] if asked else None
    with st.expander("Which method suits these data?", icon=":material/science:", expanded=latest is not None):
        st.markdown(selection_words.RECOMMENDATION)
        if followed(latest, "Training every method briefly"):
            return
        if latest is not None and latest.status == "done":
            _result(latest, training_rows, method_key)
        _start(dataset_id, training_rows, device, again=latest is not None)


def _start(dataset_id: str, training_rows: str, device: str, *, again: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        minutes = st.selectbox(
            "Maximum time",
            list(MINUTES),
            index=1,
            format_func=MINUTES.get,
            key="recommend-minutes",
            width=140,
            help="No further training starts after this time; methods that were not tried are listed.",
        )
        seeds = st.number_input(
            "Trainings per method",
            1,
            10,
            2,
            key="recommend-seeds",
            width=160,
            help="Two or more also show whether a method ranks the rows alike when it is trained again.",
        )
        config = {
            "training_rows": training_rows,
            "device": device,
            "plan": {"minutes": float(minutes), "seeds": int(seeds)},
        }
        st.button(
            "Compare again" if again else "Compare methods",
            key="recommend",
            icon=":material/play_arrow:",
            on_click=submit,
            args=(dataset_id, "recommend", config, f"{store().dataset(dataset_id).name} · method comparison"),
        )


def _result(run: RunRecord, training_rows: str, method_key: str) -> None:
    found = Recommendation.model_validate(run.summary["recommendation"])
    if found.training_rows != training_rows:
        st.warning(selection_words.OTHER_ROWS, icon=":material/history:")
    st.info(
        "  \n".join(found.sentences), title=f"Recommended: {_named(found, found.choice)}", icon=":material/lightbulb:"
    )
    wanted = dict.fromkeys([found.choice, found.task] if found.task else [found.choice])
    with st.container(horizontal=True):
        for number, name in enumerate(wanted):
            st.button(
                f"Choose {_named(found, name)}",
                key=f"take-{name}",
                type="secondary" if number else "primary",
                icon=":material/check:",
                on_click=st.session_state.__setitem__,
                args=(method_key, name),
            )
    chart(
        figures.kinds_chart(found),
        alt=figures.kinds_in_words(found),
        caption=selection_words.SYNTHETIC,
        key="recommendation-chart",
    )
    if st.toggle("Show as table", key="recommendation-table"):
        st.dataframe(table(found), hide_index=True, alt=figures.kinds_in_words(found))
    st.caption("  \n".join(f"**{kind['title']}**: {kind['says']}" for kind in found.kinds.values()))
    for notice in (*found.notices, *(f"{_named(found, name)}: {why}" for name, why in found.failed.items())):
        st.caption(f":material/info: {notice}")


def table(found: Recommendation) -> pd.DataFrame:
    """A line per method: AUROC with its interval per kind, the mean, how well two seeds agree, and seconds."""
    lines = []
    for line in found.standings:
        kinds = {found.kinds[kind]["title"]: _interval(figure) for kind, figure in line.by_kind.items()}
        agreement = "–" if line.agreement is None else f"{line.agreement:.2f}"
        lines.append(
            {"method": line.title, "mean": _interval(line.mean)}
            | kinds
            | {"seeds agree": agreement, "seconds": round(line.seconds, 1)}
        )
    return pd.DataFrame(lines)


def _interval(figure: Figure) -> str:
    return f"{figure.auroc:.2f} [{figure.low:.2f} – {figure.high:.2f}]"


def _named(found: Recommendation, method: str) -> str:
    """The title on its card; of a method that was not tried, its name."""
    line = found.standing(method)
    return line.title if line else words.method_title(method)
