"""The chart of a recommendation: every dot has its interval, and the words say the finding."""

import numpy as np
import pytest

from ad_core.training.selection import figures
from ad_core.training.selection.recommendation import Recommendation
from ad_core.types import Modality
from tests.training.selection.test_ranking import found


@pytest.fixture(scope="module")
def outcome() -> Recommendation:
    return found({"autoencoder": 2.5, "deep_svdd": 0.5, "balanced": 1.0})


def test_each_kind_is_a_trace_with_a_dot_and_an_interval_for_every_method(outcome: Recommendation) -> None:
    figure = figures.kinds_chart(outcome)

    assert [trace.name for trace in figure.data] == [kind["title"] for kind in outcome.kinds.values()]
    for trace, kind in zip(figure.data, outcome.kinds, strict=True):
        best_last = [line.by_kind[kind] for line in outcome.standings][::-1]
        assert list(trace.x) == [f.auroc for f in best_last]
        np.testing.assert_allclose(np.array(trace.x) + trace.error_x.array, [f.high for f in best_last])
        np.testing.assert_allclose(np.array(trace.x) - trace.error_x.arrayminus, [f.low for f in best_last])


def test_dots_of_one_method_do_not_hide_each_other_and_kinds_differ_in_shape(outcome: Recommendation) -> None:
    traces = figures.kinds_chart(outcome).data

    assert len({tuple(trace.y) for trace in traces}) == len(traces)
    assert all(np.abs(np.array(trace.y) - np.arange(3)).max() < 0.5 for trace in traces)
    assert len({trace.marker.symbol for trace in traces}) == len(traces)


def test_the_named_task_stands_out(outcome: Recommendation) -> None:
    assert "<b>Autoencoder</b>" in figures.kinds_chart(outcome).layout.yaxis.ticktext


def test_the_words_say_what_the_best_task_sees_best_and_worst(outcome: Recommendation) -> None:
    words = figures.kinds_in_words(outcome)
    line = outcome.standing("autoencoder")
    best, worst = (pick(line.by_kind.values(), key=lambda f: f.auroc) for pick in (max, min))

    assert "Autoencoder finds best" in words
    assert words.index(f"{best.auroc:.2f}, {best.low:.2f} to") < words.index(f"{worst.auroc:.2f}, {worst.low:.2f} to")


def test_of_many_methods_the_best_are_drawn_and_always_the_task_and_balanced(outcome: Recommendation) -> None:
    first = outcome.standings[0]
    many = [first.model_copy(update={"method": f"m{i}"}) for i in range(20)]
    last = [first.model_copy(update={"method": name}) for name in ("balanced", "autoencoder")]
    crowded = outcome.model_copy(update={"standings": many + last})

    methods = [line.method for line in figures.shown(crowded)]
    assert methods == [*(f"m{i}" for i in range(figures.MOST)), "balanced", "autoencoder"]


def test_nothing_tried_is_said() -> None:
    empty = Recommendation(
        modality=Modality.TABLE,
        training_rows="clean",
        standings=[],
        kinds={},
        failed={"autoencoder": "No time."},
        task=None,
        clear=False,
        beats_balanced=None,
        choice="balanced",
        sentences=[],
        notices=[],
    )

    assert figures.kinds_in_words(empty) == "No method has been tried."
