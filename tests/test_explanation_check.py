"""Checks of explanations of hand-made scores, of which it is known whether they are right."""

import numpy as np
import pytest
import torch

from ad_core.explanation import Attribution, explain
from ad_core.explanation_check import Checks, check, second_method, shared
from ad_core.explanation_grade import DRAWS, in_words
from ad_core.types import Modality
from tests.test_explanation import HandMade, shape_of

WIDE = shape_of(Modality.TABLE, (12,))


def squares(weights: torch.Tensor) -> HandMade:
    return HandMade(lambda x: (weights * x**2).sum(1))


def claimed(model: HandMade, x: torch.Tensor, baseline: torch.Tensor, values: np.ndarray) -> Attribution:
    """An explanation that says what it is told to, with the true scores."""
    top, bottom = (model.score(items).double().numpy() for items in (x, baseline))
    delta = np.abs(values.sum(1) - (top - bottom))
    return Attribution(values.astype(np.float32), delta, "integrated_gradients", top, bottom)


def grade_of(checks: Checks) -> list[str]:
    return checks.table([""] * len(checks.p))["grade"].tolist()


@pytest.fixture
def broken():
    """Items whose third and ninth entry are far off, in a score that is their sum of squares."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(6, 12, generator=generator) * 0.3
    x[:, 2], x[:, 8] = 4.0, -3.0
    return squares(torch.ones(12)), x, torch.zeros(6, 12)


def test_a_right_explanation_is_supported(broken):
    model, x, baseline = broken
    found = explain(model, WIDE, x, baseline, "integrated_gradients")

    checks = check(model, WIDE, x, baseline, found, torch.full((12,), 0.3))

    assert grade_of(checks) == ["supported"] * 6
    assert (checks.named == 1).all()  # 16 of about 26 is more than half
    expected = 16 / (x**2).sum(1).numpy()
    np.testing.assert_allclose(checks.drop, expected, rtol=1e-4)
    assert (checks.p == 1 / (DRAWS + 1)).all()
    assert (checks.drop_random < 0.2).all()
    assert checks.second_method == "feature_ablation"
    assert (checks.agreement > 0.99).all()


def test_an_explanation_that_names_the_wrong_parts_is_not_supported(broken):
    model, x, baseline = broken
    wrong = (x**2).numpy().copy()
    wrong[:, [2, 5]] = wrong[:, [5, 2]]  # what entry 2 did is said of entry 5

    checks = check(model, WIDE, x, baseline, claimed(model, x, baseline, wrong), torch.full((12,), 0.3))

    assert grade_of(checks) == ["not supported"] * 6
    assert (checks.drop < 0.1).all()
    assert (checks.agreement < 0.1).all()


def test_an_explanation_that_misses_much_of_the_score_is_weak(broken):
    model, x, baseline = broken
    small = claimed(model, x, baseline, 0.5 * (x**2).numpy())

    checks = check(model, WIDE, x, baseline, small, torch.full((12,), 0.3))

    np.testing.assert_allclose(checks.gap, 0.5, rtol=1e-4)
    assert grade_of(checks) == ["weak"] * 6


def test_an_explanation_that_a_little_noise_turns_round_is_not_stable():
    """The score depends on which of two entries is larger, and they are nearly equal."""
    model = HandMade(lambda x: 10 * torch.where(x[:, 0] > x[:, 1], x[:, 0], x[:, 1]) + 0.01 * x.sum(1))
    x, baseline = torch.zeros(30, 12), torch.zeros(30, 12)
    x[:, 0], x[:, 1] = 2.0001, 2.0
    found = claimed(model, x, baseline, np.eye(12)[[0] * 30] * 20)

    still, moved = (check(model, WIDE, x, baseline, found, torch.full((12,), s)) for s in (0.0, 1.0))

    np.testing.assert_allclose(still.stability, 1, atol=0.01)
    assert 0.3 < moved.stability.mean() < 0.7  # entry 0 stays ahead in about half of the copies
    assert "supported" not in grade_of(moved)


def test_what_can_t_be_tested_is_not_called_tested():
    """One part only; nothing raises the score; the item is its baseline."""
    one = shape_of(Modality.TABLE, (1,))
    single = explain(squares(torch.ones(1)), one, torch.tensor([[3.0]]), torch.zeros(1, 1), "integrated_gradients")
    usual = torch.zeros(1, 12)
    nothing = explain(squares(torch.ones(12)), WIDE, usual, usual, "integrated_gradients")
    lowering = explain(squares(-torch.ones(12)), WIDE, usual + 1, usual, "integrated_gradients")

    found = [
        check(squares(torch.ones(1)), one, torch.tensor([[3.0]]), torch.zeros(1, 1), single, torch.ones(1)),
        check(squares(torch.ones(12)), WIDE, usual, usual, nothing, torch.ones(12)),
        check(squares(-torch.ones(12)), WIDE, usual + 1, usual, lowering, torch.ones(12)),
    ]

    assert [grade_of(checks)[0] for checks in found] == ["not checked"] * 3


@pytest.mark.parametrize(
    ("modality", "size", "method"),
    [(Modality.IMAGE, (3, 16, 16), "integrated_gradients"), (Modality.SENSOR, (2, 32), "occlusion")],
)
def test_pieces_of_images_and_windows_are_tested(modality, size, method):
    """Only one corner, or one stretch of a channel, counts in the score."""
    weight = torch.zeros(size)
    weight[..., :4] = 1.0 if modality is Modality.SENSOR else 0.0
    if modality is Modality.IMAGE:
        weight[:, :2, :2] = 1.0
    model = HandMade(lambda x: (weight * x**2).flatten(1).sum(1))
    x = torch.full((2, *size), 1.0)
    found = explain(model, shape_of(modality, size), x, torch.zeros_like(x), method)

    checks = check(model, shape_of(modality, size), x, torch.zeros_like(x), found, torch.full(size, 0.1))

    assert (checks.drop >= 0.5).all()
    assert (checks.p == 1 / (DRAWS + 1)).all()
    assert np.isnan(checks.gap).all() == (method == "occlusion")


def test_the_second_method_is_of_another_kind():
    smooth, rough = HandMade(None), HandMade(None, differentiable=False)

    assert second_method(smooth, "integrated_gradients", 30) == "feature_ablation"
    assert second_method(smooth, "integrated_gradients", 5000) == "gradient_shap"
    assert second_method(rough, "occlusion", 30) == "feature_ablation"
    assert second_method(rough, "feature_ablation", 5000) == "shapley_sampling"


def test_agreement_is_the_share_on_the_named_parts_of_what_is_possible():
    shares = np.array([[4.0, 3.0, 2.0, -9.0], [0.0, 0.0, 0.0, -1.0]])
    named = np.array([[True, False, True, False], [True, False, False, False]])

    found = shared(shares, named)

    assert found[0] == pytest.approx((4 + 2) / (4 + 3))
    assert np.isnan(found[1])


def test_a_table_has_a_line_per_explanation():
    two = np.array([1.0, 2.0])
    lines = Checks(two, two, two, np.array([0.04, np.nan]), two, "occlusion", two, two).table(["a", "b"])

    assert lines["row_id"].tolist() == ["a", "b"]
    assert lines["grade"].tolist() == ["weak", "not checked"]


def line(**changed: object) -> dict[str, object]:
    usual = {"grade": "supported", "named": 2.0, "drop": 0.81, "drop_random": 0.12, "agreement": 0.9, "stability": 0.9}
    return {**usual, "gap": 0.01, **changed}


def test_words_say_the_figures_and_the_doubts():
    assert in_words(line()) == (
        "Without the 2 parts named first, 81 % of the score above the baseline is gone; without as many other parts, "
        "12 % on average."
    )
    assert "other parts, nothing on average." in in_words(line(drop_random=-0.09))
    weak = in_words(line(grade="weak", named=1.0, agreement=0.2, gap=0.4))
    assert weak.startswith("Without the part named first,")
    assert weak.endswith("But another method names other parts and the shares miss the score by 40 %.")
    assert "most of the score" in in_words(line(grade="weak", drop=0.3))
    assert "tiny change" in in_words(line(grade="weak", stability=float("nan")))
    assert "nearest normal items" in in_words(line(grade="not supported"))
    assert "can't be tested" in in_words(line(grade="not checked", drop=float("nan")))
