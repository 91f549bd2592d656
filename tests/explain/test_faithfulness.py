"""Checks of explanations of hand-made scores, of which it is known whether they are right."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from ad_core.explain.attribution import Attribution, explain
from ad_core.explain.faithfulness import Checks, check, second_method, shared
from ad_core.explain.grade import DRAWS, OWN_MAP, grades, in_words, nothing_stands_out
from ad_core.explain.perturbation import FeaturePerturbation, RegionPerturbation, _elsewhere, of_map
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.types import Modality
from tests.explain.test_attribution import HandMade, shape_of

WIDE = shape_of(Modality.TABLE, (12,))
NOTHING = torch.zeros(0), torch.zeros(0)
PICTURE = shape_of(Modality.IMAGE, (3, 48, 48))


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
    x, baseline, ahead = torch.zeros(30, 12), torch.zeros(30, 12), np.arange(30) % 2
    x[:, :2] = 2.0
    x[np.arange(30), ahead] += 0.0001
    found = claimed(model, x, baseline, np.eye(12)[ahead] * 20)

    still, moved = (check(model, WIDE, x, baseline, found, torch.full((12,), s)) for s in (0.0, 1.0))

    np.testing.assert_allclose(still.stability, 1, atol=0.01)
    # the same change happens to all: it turns those round in which the other entry was ahead
    np.testing.assert_allclose(moved.stability.mean(), 0.5, atol=0.05)
    turned = moved.stability < 0.5
    assert turned.any()
    assert set(np.array(grade_of(moved))[turned]) == {"weak"}


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


def test_of_windows_whole_channels_are_tested_of_a_single_channel_its_spans():
    """Only a stretch of one channel counts in the score."""

    def tested(channels: int) -> Checks:
        shape, x = shape_of(Modality.SENSOR, (channels, 32)), torch.ones(2, channels, 32)
        weight = torch.zeros(channels, 32)
        weight[0, :4] = 1.0
        model = HandMade(lambda x: (weight * x**2).flatten(1).sum(1))
        found = explain(model, shape, x, torch.zeros_like(x), "occlusion")
        return check(model, shape, x, torch.zeros_like(x), found, torch.full((channels, 32), 0.1))

    several, single = tested(3), tested(1)

    for checks in (several, single):
        assert (checks.drop >= 0.5).all()
        assert (checks.p == 1 / (DRAWS + 1)).all()
        assert np.isnan(checks.gap).all()
        assert np.isnan(checks.area).all()
    assert FeaturePerturbation(HandMade(None), shape_of(Modality.SENSOR, (3, 32)), *NOTHING).pieces.max() == 2
    assert FeaturePerturbation(HandMade(None), shape_of(Modality.SENSOR, (1, 32)), *NOTHING).pieces.max() == 7


def test_the_second_opinion_on_windows_is_of_whole_channels():
    """The score hardly falls until the last odd stretch of the second channel is gone."""
    shape, x = shape_of(Modality.SENSOR, (3, 32)), torch.zeros(2, 3, 32)
    x[:, 1:] = 1.0
    model = HandMade(lambda x: x[:, 1].amax(1) + 0.05 * x[:, 2].mean(1))
    found = explain(model, shape, x, torch.zeros_like(x), "integrated_gradients")

    checks = check(model, shape, x, torch.zeros_like(x), found, torch.zeros(3, 32))

    assert checks.second_method == "feature_ablation"
    np.testing.assert_allclose(checks.agreement, 1)
    ablated = explain(model, shape, x, torch.zeros_like(x), "feature_ablation")  # stretch by stretch
    assert (ablated.values[:, 1].sum(1) < ablated.values[:, 2].sum(1)).all()


class Remembering(HandMade):
    """Notes which item each copy was said to be made of; the first entry says which it was."""

    def __init__(self, items: torch.Tensor) -> None:
        super().__init__(lambda x: (x[:, 1:] ** 2).sum(1))
        self.items, self.asked, self.plain = items, 0, 0

    def score(self, x: torch.Tensor) -> torch.Tensor:
        self.plain += len(x)
        return self.formula(x)

    def score_copies(self, x: torch.Tensor, originals: SourceItems) -> torch.Tensor:
        for copy, own in zip(x, originals.items[originals.of], strict=True):
            assert copy[0] == own[0]
            assert any(torch.equal(own, item) for item in self.items)
        self.asked += len(x)
        return self.formula(x)


@pytest.mark.parametrize(
    "method",
    ["integrated_gradients", "gradient_shap", "occlusion", "feature_ablation", "shapley_sampling", "kernel_shap"],
)
def test_every_test_says_what_its_copies_were_made_of(method):
    x = torch.randn(3, 6, generator=torch.Generator().manual_seed(0)) + 2
    x[:, 0] = torch.arange(3.0)
    baseline, spread = torch.zeros(3, 6), torch.full((6,), 0.1)
    baseline[:, 0], spread[0] = x[:, 0], 0
    shape, model = shape_of(Modality.TABLE, (6,)), Remembering(x)

    found = explain(model, shape, x, baseline, method, 8)
    checks = check(model, shape, x, baseline, found, spread)

    assert model.asked > 3 * (8 + DRAWS)
    assert model.plain <= 4  # one item each time, to see whether there is a gradient
    assert np.isfinite(checks.p).all()


def test_what_is_painted_stays_within_what_an_image_can_show():
    seen = []
    model = HandMade(lambda x: (seen.append((x.min(), x.max())), x.square().flatten(1).sum(1))[1])
    x, baseline = torch.full((1, 3, 48, 48), 0.95), torch.full((1, 3, 48, 48), 0.2)
    x[:, :, 20:26, 20:26] = 1.0
    baseline[:, :, 22:24] = 0.4  # as bright as around, this would be 1.15

    check(model, PICTURE, x, baseline, explain(model, PICTURE, x, baseline, "occlusion"), torch.zeros(PICTURE.size))

    assert max(high for _, high in seen) <= 1
    assert min(low for low, _ in seen) >= 0


def test_an_own_map_says_what_is_more_than_usual_in_the_image():
    coarse = torch.full((1, 2, 2), 7.0)
    coarse[0, 1, 1] = 9.0

    found = of_map(coarse, (4, 6)).reshape(4, 6)

    assert found[0, 0] == 0
    assert found[3, 5] == found.max() == pytest.approx(2)


def test_a_score_that_does_not_fall_supports_nothing():
    """Even where it rises less than in any random draw."""
    lines = pd.DataFrame([line(drop=-0.1, drop_random=-0.5), line()]).drop(columns="grade")

    assert grades(lines).tolist() == ["not supported", "supported"]


class Spots(HandMade):
    """How much neighbouring pixels differ, at all places alike; the map says where, or what it is told to."""

    def __init__(self, own: torch.Tensor | None = None) -> None:
        super().__init__(lambda x: x.diff(dim=2).square().flatten(1).sum(1) + x.diff(dim=3).square().flatten(1).sum(1))
        self.own = own

    def part_scores(self, x: torch.Tensor) -> torch.Tensor:
        if self.own is not None:
            return self.own.expand(len(x), *self.own.shape)
        down, across = (torch.nn.functional.pad(x.diff(dim=d), pad) for d, pad in ((2, (0, 0, 0, 1)), (3, (0, 1))))
        return (down.square() + across.square()).sum(1)


@pytest.fixture
def spotted():
    """Two grey images that brighten from left to right, each with two spots, and a flat baseline, brighter by far.

    In the second image one of them is at the rim.
    """
    x = torch.linspace(0.2, 0.5, 48).expand(2, 3, 48, 48).clone()
    for image, y, left in ((0, 10, 5), (0, 30, 38), (1, 0, 5), (1, 20, 38)):
        x[image, :, y : y + 5, left : left + 5] += 0.4
    return x, torch.full_like(x, 0.95)


def right(x: torch.Tensor, baseline: torch.Tensor) -> Attribution:
    return explain(Spots(), PICTURE, x, baseline, "integrated_gradients")


def wrong(x: torch.Tensor, baseline: torch.Tensor) -> Attribution:
    """With the right scores, but of a place where nothing is."""
    values = np.zeros(x.shape)
    values[:, :, 36:40, 15:19] = 3.0
    return replace(right(x, baseline), values=values)


def test_the_regions_that_are_named_are_painted_over(spotted):
    x, baseline = spotted

    checks = check(Spots(), PICTURE, x, baseline, right(x, baseline), torch.zeros(PICTURE.size))

    assert grade_of(checks) == ["supported"] * 2
    assert (checks.drop > 0.94).all()  # margin and soft edge leave nothing of the spots, and no new steps
    np.testing.assert_allclose(checks.drop_random, 0, atol=0.12)
    assert checks.named.tolist() == [2, 2]
    assert (checks.area > 2 * 25 / 48**2).all()  # the margin is painted over, too
    assert (checks.area < 0.15).all()
    assert checks.second_method == OWN_MAP


def test_what_is_painted_at_a_rim_leaves_the_opposite_one_alone():
    x = torch.full((1, 3, 48, 48), 0.3)
    x[:, :, 20:26, :5] = x[:, :, 20:26, -5:] = 0.8
    found = right(x, torch.full_like(x, 0.5))
    found.values[..., 24:] = 0  # only one of the two is named

    checks = check(Spots(), PICTURE, x, torch.full_like(x, 0.5), found, torch.zeros(PICTURE.size))

    np.testing.assert_allclose(checks.drop, 0.5, atol=0.02)


def test_a_case_is_tested_the_same_alone_and_among_others(spotted):
    x, baseline = spotted
    spread = torch.full(PICTURE.size, 0.2)

    together = check(Spots(), PICTURE, x, baseline, wrong(x, baseline), spread).table(["a", "b"])
    alone = check(Spots(), PICTURE, x[1:], baseline[1:], wrong(x[1:], baseline[1:]), spread).table(["b"])

    pd.testing.assert_frame_equal(together.tail(1).reset_index(drop=True), alone)


def test_a_row_is_tested_the_same_alone_and_among_others(broken):
    model, x, baseline = broken
    spread = torch.full((12,), 0.3)

    together, alone = (
        check(model, WIDE, x[i:], baseline[i:], explain(model, WIDE, x[i:], baseline[i:], "occlusion"), spread)
        for i in (0, 5)
    )

    pd.testing.assert_frame_equal(together.table([""] * 6).tail(1).reset_index(drop=True), alone.table([""]))


def test_a_region_that_takes_most_of_an_image_is_not_tested():
    x = torch.rand((1, 3, 48, 48), generator=torch.Generator().manual_seed(0))  # everywhere alike
    baseline = torch.full_like(x, 0.5)

    checks = check(Spots(), PICTURE, x, baseline, right(x, baseline), torch.zeros(PICTURE.size))

    assert grade_of(checks) == ["not checked"]


def test_a_region_that_is_named_takes_a_quarter_of_an_image_at_most():
    shares = np.ones((1, 400))

    assert RegionPerturbation(Spots(), shape_of(Modality.IMAGE, (1, 20, 20)), *NOTHING).first(shares).sum() == 100


def test_a_region_that_is_not_what_raises_the_score_is_not_supported(spotted):
    x, baseline = spotted

    checks = check(Spots(), PICTURE, x, baseline, wrong(x, baseline), torch.zeros(PICTURE.size))

    assert grade_of(checks) == ["not supported"] * 2
    assert (checks.agreement < 0.1).all()


def test_a_region_that_the_own_map_names_is_weak_where_painting_proves_nothing(spotted):
    x, baseline = spotted
    coarse = torch.full((12, 12), 7.0)  # what is usual everywhere names no place
    coarse[9, 4] = 8.0

    checks = check(Spots(coarse), PICTURE, x, baseline, wrong(x, baseline), torch.zeros(PICTURE.size))

    assert (checks.agreement > 0.8).all()
    lines = checks.table(["a", "b"])
    assert lines["grade"].tolist() == ["weak"] * 2
    assert "painting over other places does as much" in in_words(lines.iloc[0])


def test_where_a_detector_has_no_map_of_its_own_another_method_is_asked(spotted):
    x, _ = spotted
    model, baseline = HandMade(Spots().formula), torch.linspace(0.2, 0.5, 48).expand(2, 3, 48, 48)
    found = explain(model, PICTURE, x, baseline, "integrated_gradients")

    checks = check(model, PICTURE, x, baseline, found, torch.zeros(PICTURE.size))

    assert checks.second_method == "feature_ablation"
    assert checks.agreement[0] > 0.5
    assert grade_of(checks)[0] == "supported"


def test_as_much_elsewhere_is_the_same_region_moved_away():
    region = np.zeros((20, 30), dtype=bool)
    region[2:6, 25:30] = True

    shifts = _elsewhere(region)

    moved = [np.roll(region, shift, (0, 1)) for shift in shifts]
    assert len(moved) == DRAWS
    assert len(set(shifts)) == DRAWS
    assert max((region & one).sum() for one in moved) <= 0.1 * region.sum()
    everywhere = _elsewhere(np.ones((3, 4), dtype=bool))  # there is no elsewhere
    assert len(everywhere) == DRAWS


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
    p = np.array([0.04, np.nan])
    lines = Checks(two, two * np.nan, two, two, p, two, "occlusion", two, two, two, two).table(["a", "b"])

    assert lines["row_id"].tolist() == ["a", "b"]
    assert lines["grade"].tolist() == ["weak", "not checked"]


def line(**changed: object) -> dict[str, object]:
    usual = {"grade": "supported", "named": 2.0, "drop": 0.81, "drop_random": 0.12, "agreement": 0.9}
    return {**usual, "p": 1 / (DRAWS + 1), "stability": 0.9, "gap": 0.01, **changed}


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
    assert "The score does not fall" in in_words(line(grade="not supported", drop=-0.1))
    assert "painting" not in in_words(line(grade="weak", drop=-0.1))  # columns are not painted
    assert "can't be tested" in in_words(line(grade="not checked", drop=float("nan")))


@pytest.mark.parametrize(
    ("grade", "severity", "usual"),
    [
        ("not supported", "Low", True),
        ("not checked", "Low", True),
        ("weak", "Low", False),
        ("not supported", "Medium", False),
        ("not supported", None, False),
    ],
)
def test_a_usual_score_is_not_called_badly_explained(grade, severity, usual):
    checked = line(grade=grade)

    assert nothing_stands_out(checked, severity) == usual
    assert ("scores like many normal ones" in in_words(checked, severity)) == usual


def test_words_speak_of_regions_of_images():
    told = in_words(line(area=0.034, second_method=OWN_MAP))
    assert told == (
        "With the 2 regions named first (3 % of the image) painted over as in a normal image, 81 % of the score above "
        "the baseline is gone; with as much painted over elsewhere, 12 % on average."
    )
    small = in_words(line(area=0.001, named=1.0, drop=0.2, p=0.2, grade="weak", agreement=0.1, second_method=OWN_MAP))
    assert "the region named first (under 1 % of the image)" in small
    assert "the detector's own map names other places" in small
    assert "most of the score" not in small  # a score that is made of the worst places hangs on what is left of them
    assert "Other places do as much" in in_words(line(area=0.1, p=0.5, agreement=0.1, grade="not supported"))


LOW = -20.0
"""What a detector that knows its training windows by heart gives to one of them; new normal windows score 0."""


def by_heart() -> HandMade:
    """(b, 3, 32): the logarithm of the size of each channel, so that nothing at all scores LOW."""
    return HandMade(lambda x: (x.square().mean(2).sum(1) + np.exp(LOW)).log())


def test_what_a_training_window_scores_below_a_new_one_is_not_lost_by_mending_the_named_channel():
    """One channel is broken, the others are usual; without it the window scores as new normal ones do."""
    model, shape = by_heart(), shape_of(Modality.SENSOR, (3, 32))
    x, baseline = torch.full((2, 3, 32), 2**-0.5), torch.zeros(2, 3, 32)
    x[:, 1] = 20.0
    found = explain(model, shape, x, baseline, "feature_ablation")

    above_baseline, above_usual = (
        check(model, shape, x, baseline, replace(found, usual_score=usual), torch.full((3, 32), 0.01))
        for usual in (None, 0.0)
    )

    np.testing.assert_allclose(above_baseline.drop, np.log(401) / (np.log(401) - LOW), rtol=1e-3)
    assert set(grade_of(above_baseline)) == {"weak"}
    np.testing.assert_allclose(above_usual.drop, 1, rtol=1e-3)
    assert set(grade_of(above_usual)) <= {"supported", "weak"}
    words = in_words(above_usual.table(["", ""]).iloc[0])
    assert words.startswith("Without the part named first, all of the score above that of a typical normal one is gone")
    assert "most of the score" not in words


def test_the_usual_score_counts_only_between_the_baseline_and_the_item():
    score, baseline = np.array([3.0, 3.0, 0.5]), np.array([-2.0, 2.0, -2.0])
    found = Attribution(np.zeros((3, 1)), np.zeros(3), "occlusion", score, baseline, usual_score=1.0)

    assert found.least.tolist() == [1.0, 2.0, -2.0]
    assert found.is_above_usual.tolist() == [True, False, False]
    assert replace(found, usual_score=None).least.tolist() == baseline.tolist()
