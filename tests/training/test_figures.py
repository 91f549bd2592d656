"""Charts of a training: losses and the split."""

from ad_core.training.figures import loss_curve, loss_in_words, split_bar


def test_the_loss_curve_has_a_line_for_each_kind_of_rows() -> None:
    curve = [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0, "held_out_loss": 1.5}, {"step": 3, "loss": 0.5}]

    training, held_out = loss_curve(curve).data

    assert list(training.y) == [2.0, 1.0, 0.5]
    assert list(held_out.x) == [2]
    assert "from 2 to 0.5" in loss_in_words(curve)
    assert loss_in_words([]) == "No training step has been reported yet."


def test_the_split_is_one_bar_of_as_many_rows_as_there_are() -> None:
    figure = split_bar(60, 15, 25, other=100)

    assert sum(trace.x[0] for trace in figure.data) == 200
    assert len(split_bar(60, 15, 25).data) == 3
