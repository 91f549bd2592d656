"""Attributions of hand-made scores whose right answer is known."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor

from ad_core.errors import ExplanationError
from ad_core.explain.attribution import baseline_from, boxes, by_part, explain, heat, methods_for, spans
from ad_core.explain.neighbours import nearest_normals
from ad_core.methods.scorer import ScoreModel
from ad_core.types import ItemShape, Modality, PartKind, Parts

EVERY_METHOD = [
    "integrated_gradients",
    "gradient_shap",
    "occlusion",
    "feature_ablation",
    "shapley_sampling",
    "kernel_shap",
]


class HandMade(ScoreModel):
    """A score model from a formula; everything else that a model may offer is absent."""

    differentiable = True

    def __init__(self, score, differentiable=True):
        self.formula, self.differentiable = score, differentiable

    def score(self, x: Tensor) -> Tensor:
        return self.formula(x)

    def embed(self, _x: Tensor) -> None:
        return None


def shape_of(modality: Modality, size: tuple[int, ...], of_entry: list[int] | None = None) -> ItemShape:
    owner = list(range(size[0])) if of_entry is None else of_entry
    n = max(owner) + 1
    names = tuple(f"part {i}" for i in range(n))
    parts = Parts(names=names, of_entry=tuple(owner), kinds=(PartKind.NUMBER,) * n, units=(None,) * n)
    return ItemShape(modality=modality, size=size, parts=parts)


def mahalanobis(correlation: float, d: int) -> HandMade:
    covariance = torch.full((d, d), correlation, dtype=torch.float32) + (1 - correlation) * torch.eye(d)
    precision = torch.linalg.inv(covariance)
    return HandMade(lambda x: torch.einsum("bi,ij,bj->b", x, precision, x))


def correlated(n: int, correlation: float, d: int) -> np.ndarray:
    covariance = np.full((d, d), correlation) + (1 - correlation) * np.eye(d)
    return np.random.default_rng(0).multivariate_normal(np.zeros(d), covariance, n).astype(np.float32)


@pytest.fixture(scope="module")
def broken_columns():
    """60 rows of 6 correlated columns, in each of which one known column was moved by 4 standard deviations."""
    normals = correlated(400, 0.8, 6)
    rows, broken = normals[:60].copy(), np.arange(60) % 6
    rows[np.arange(60), broken] += 4
    normals = normals[60:]
    index, _ = nearest_normals(rows, normals)
    return torch.from_numpy(rows), baseline_from(torch.from_numpy(normals), index), broken


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_the_column_that_was_broken_gets_the_most_attribution(broken_columns, method):
    rows, baseline, broken = broken_columns

    found = explain(mahalanobis(0.8, 6), shape_of(Modality.TABLE, (6,)), rows, baseline, method)

    assert np.mean(found.values.argmax(1) == broken) >= 0.95  # by chance: 0.17
    assert found.values.dtype == np.float32
    assert found.values.shape == (60, 6)


@pytest.mark.parametrize("method", ["integrated_gradients", "shapley_sampling"])
def test_complete_methods_add_up_to_the_difference_of_the_scores(broken_columns, method):
    rows, baseline, _ = broken_columns

    found = explain(mahalanobis(0.8, 6), shape_of(Modality.TABLE, (6,)), rows, baseline, method)

    whole = found.score - found.baseline_score
    # the formula is a quadratic, which the quadrature integrates exactly: only float32 rounding is left
    np.testing.assert_allclose(found.values.sum(1), whole, rtol=1e-4)
    assert (found.delta <= 1e-4 * np.abs(whole)).all()


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_delta_is_what_is_missing_between_the_parts_and_the_whole(broken_columns, method):
    rows, baseline, _ = broken_columns
    model = mahalanobis(0.8, 6)

    found = explain(model, shape_of(Modality.TABLE, (6,)), rows, baseline, method)

    whole = (model.score(rows) - model.score(baseline)).numpy()
    # float32 values of up to some hundred are compared
    np.testing.assert_allclose(found.delta, np.abs(found.values.sum(1) - whole), atol=1e-3)


@given(
    arrays(np.float32, (3, 4), elements=st.floats(-10, 10, width=32)),
    arrays(np.float32, (3, 4), elements=st.floats(-10, 10, width=32)),
)
@settings(max_examples=30, deadline=None)  # no deadline: other work shares the machine
def test_integrated_gradients_are_complete_for_any_item_and_baseline(x, baseline):
    weight = torch.linspace(-1, 1, 4)
    model = HandMade(
        lambda x: torch.nn.functional.softplus(x @ weight) + (x**2).sum(1).sqrt() * 0.1 + x[:, 0] ** 3 / 100
    )
    x, baseline = torch.from_numpy(x) + 20, torch.from_numpy(baseline) + 20  # away from the root's kink at 0

    found = explain(model, shape_of(Modality.TABLE, (4,)), x, baseline, "integrated_gradients")

    assert (found.delta < 1e-3).all()


def test_an_item_that_equals_its_baseline_has_nothing_to_explain():
    x = torch.ones(2, 3)

    for method in EVERY_METHOD:
        found = explain(mahalanobis(0.1, 3), shape_of(Modality.TABLE, (3,)), x, x.clone(), method)
        np.testing.assert_array_equal(found.values, 0)
        np.testing.assert_array_equal(found.delta, 0)


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_a_score_of_a_single_entry_is_explained_by_it(method):
    found = explain(
        HandMade(lambda x: x[:, 0] ** 2),
        shape_of(Modality.TABLE, (1,)),
        torch.tensor([[3.0]]),
        torch.zeros(1, 1),
        method,
    )

    # gradient_shap integrates at 64 random points: error of the mean of 2·9·u is about 0.65
    assert found.values[0, 0] == pytest.approx(9, abs=2.5 if method == "gradient_shap" else 1e-4)


@pytest.mark.parametrize("method", ["feature_ablation", "shapley_sampling", "occlusion"])
def test_a_category_is_replaced_as_a_whole(method):
    """Columns: a number, and three categories as a one-hot block; a half replaced block would be an impossible row."""
    seen = []
    model = HandMade(lambda x: (seen.append(x.clone()), x[:, 0] + x[:, 1] * 2 + x[:, 3] * 7)[1], differentiable=False)
    shape = shape_of(Modality.TABLE, (4,), of_entry=[0, 1, 1, 1])
    x, baseline = torch.tensor([[1.0, 0, 0, 1]]), torch.tensor([[0.0, 1, 0, 0]])

    found = explain(model, shape, x, baseline, method)

    assert by_part(shape, found.values[0]).tolist() == pytest.approx([1, 5])
    assert (torch.cat(seen)[:, 1:].sum(1) == 1).all()


def test_entries_of_a_column_are_added_up():
    shape = shape_of(Modality.TABLE, (5,), of_entry=[0, 1, 1, 0, 2])

    assert by_part(shape, np.array([1.0, 2, 3, 4, 5], dtype=np.float32)).tolist() == [5, 5, 5]


def test_a_model_without_gradient_is_offered_perturbation_only_and_says_why():
    model = HandMade(lambda x: x.sum(1), differentiable=False)

    assert methods_for(model) == ["occlusion", "feature_ablation", "shapley_sampling", "kernel_shap"]
    assert methods_for(HandMade(lambda x: x.sum(1)))[0] == "integrated_gradients"
    with pytest.raises(ExplanationError, match=r"has no gradient, which integrated_gradients needs.*occlusion"):
        explain(model, shape_of(Modality.TABLE, (2,)), torch.ones(1, 2), torch.zeros(1, 2), "integrated_gradients")


def test_a_model_that_only_claims_a_gradient_is_found_out():
    model = HandMade(lambda x: x.detach().sum(1))

    with pytest.raises(ExplanationError, match="has no gradient"):
        explain(model, shape_of(Modality.TABLE, (2,)), torch.ones(1, 2), torch.zeros(1, 2), "gradient_shap")


def test_an_unknown_method_is_named_with_the_closest():
    with pytest.raises(ExplanationError, match="Did you mean 'occlusion'"):
        explain(mahalanobis(0, 2), shape_of(Modality.TABLE, (2,)), torch.ones(1, 2), torch.zeros(1, 2), "oclusion")


def test_a_score_that_takes_a_gradient_inside_is_explained_completely():
    """The item is pushed uphill before it is scored; the push depends on the item, so its own derivative counts."""
    weight = torch.tensor([1.0, -2.0, 0.5])

    def pushed(x: Tensor) -> Tensor:
        outer = torch.is_grad_enabled()
        with torch.enable_grad():
            inner = x if x.requires_grad else x.clone().requires_grad_()
            uphill = torch.autograd.grad((inner @ weight).exp().sum(), inner, create_graph=outer)[0]
        return ((x + 0.1 * uphill) @ weight).square()

    x, baseline = torch.tensor([[1.0, 0.3, -0.5]]), torch.zeros(1, 3)

    with torch.no_grad():  # as a caller that scores would
        found = explain(HandMade(pushed), shape_of(Modality.TABLE, (3,)), x, baseline, "integrated_gradients")

    assert found.delta[0] < 1e-4
    assert abs(found.score[0] - found.baseline_score[0]) > 0.1


def test_a_gradient_that_is_not_finite_gives_nan_for_that_item_only():
    model = HandMade(lambda x: (x[:, 0] - 1).abs().sqrt() * x[:, 1])
    x, baseline = torch.tensor([[1.0, 2.0], [3.0, 2.0]]), torch.tensor([[1.0, 0.0], [2.0, 0.0]])

    found = explain(model, shape_of(Modality.TABLE, (2,)), x, baseline, "integrated_gradients")

    assert np.isnan(found.delta).tolist() == [True, False]


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_explanations_depend_neither_on_chance_nor_on_the_batch_and_leave_the_generators_alone(broken_columns, method):
    rows, baseline, _ = broken_columns
    model, shape = mahalanobis(0.8, 6), shape_of(Modality.TABLE, (6,))
    torch.manual_seed(1)
    np.random.seed(1)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()

    together = explain(model, shape, rows[:5], baseline[:5], method).values
    after = torch.get_rng_state(), np.random.get_state()[1]
    np.random.seed(2)
    alone = np.concatenate(
        [explain(model, shape, rows[i : i + 1], baseline[i : i + 1], method).values for i in range(5)]
    )

    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-4)  # float32 sums in other orders
    assert torch.equal(before[0], after[0])
    np.testing.assert_array_equal(before[1], after[1])


def test_gradient_shap_takes_several_baselines_per_item():
    model = mahalanobis(0.0, 3)
    x, pool = torch.full((2, 3), 3.0), torch.tensor([[[0.0, 0, 0], [1, 1, 1]], [[0, 0, 0], [2, 2, 2]]])

    found = explain(model, shape_of(Modality.TABLE, (3,)), x, pool, "gradient_shap", steps=2000)

    assert found.baseline_score.tolist() == pytest.approx([1.5, 6.0])
    assert (found.delta < 0.1 * (found.score - found.baseline_score)).all()  # chance at 2,000 draws


def test_more_items_than_fit_in_one_pass_give_the_same_values(monkeypatch):
    x = torch.from_numpy(correlated(20, 0.5, 4))
    model, shape = mahalanobis(0.5, 4), shape_of(Modality.TABLE, (4,))
    whole = {m: explain(model, shape, x, torch.zeros(20, 4), m).values for m in EVERY_METHOD}

    monkeypatch.setattr("ad_core.explain.attribution.MOST_ITEMS", 3)

    for method in set(EVERY_METHOD) - {"gradient_shap"}:  # whose draws come in other portions
        pieces = explain(model, shape, x, torch.zeros(20, 4), method).values
        np.testing.assert_allclose(pieces, whole[method], atol=1e-4)


def test_no_items_give_no_values():
    for method in EVERY_METHOD:
        found = explain(mahalanobis(0, 2), shape_of(Modality.TABLE, (2,)), torch.zeros(0, 2), torch.zeros(0, 2), method)
        assert found.values.shape == (0, 2)
        assert found.delta.shape == (0,)


def spotted_plates(size: int = 32) -> tuple[Tensor, Tensor, list[tuple[int, int]]]:
    """Grey plates with a little noise; in each a bright 5 x 5 spot at a known place."""
    generator = torch.Generator().manual_seed(0)
    plates = 0.5 + 0.01 * torch.randn(4, 3, size, size, generator=generator)
    places = [(3, 4), (20, 25), (12, 6), (26, 1)]
    for plate, (y, x) in zip(plates, places, strict=True):
        plate[:, y : y + 5, x : x + 5] = 1.0
    return plates, 0.5 + 0.01 * torch.randn(4, 3, size, size, generator=generator), places


BRIGHTNESS = HandMade(lambda x: ((x - 0.5) ** 2).flatten(1).sum(1))


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_the_largest_box_lies_on_the_broken_patch_in_the_image_s_own_pixels(method):
    plates, normal, places = spotted_plates()

    found = explain(BRIGHTNESS, shape_of(Modality.IMAGE, (3, 32, 32)), plates, normal, method)

    for values, (y, x) in zip(found.values, places, strict=True):
        lines = boxes(values, (320, 64))  # the user's image is 10 times as tall and twice as wide
        top = lines[0]
        assert top["y0"] - 40 <= 10 * (y + 2.5) <= top["y1"] + 40  # a cell of the grid is 40 tall, 8 wide
        assert top["x0"] - 8 <= 2 * (x + 2.5) <= top["x1"] + 8
        assert sum(line["attribution"] for line in lines) == pytest.approx(values.sum(), abs=1e-3)


@pytest.mark.parametrize(("modality", "size"), [(Modality.IMAGE, (3, 16, 32)), (Modality.SENSOR, (2, 64))])
@pytest.mark.parametrize("method", EVERY_METHOD)
def test_where_every_entry_counts_the_same_each_gets_its_own_share(modality, size, method):
    x = torch.ones(2, *size)

    found = explain(HandMade(lambda x: x.flatten(1).sum(1)), shape_of(modality, size), x, torch.zeros_like(x), method)

    np.testing.assert_allclose(found.values, 1, rtol=1e-5)


def test_integrated_gradients_put_a_tight_box_around_a_spot():
    plates, normal, places = spotted_plates()
    found = explain(BRIGHTNESS, shape_of(Modality.IMAGE, (3, 32, 32)), plates, normal, "integrated_gradients")

    for values, (y, x) in zip(found.values, places, strict=True):
        top = boxes(values, (32, 32))[0]
        # the map is smoothed by one pixel
        assert np.abs(np.subtract([top["y0"], top["x0"], top["y1"], top["x1"]], [y, x, y + 5, x + 5])).max() <= 1
        assert top["attribution"] > 0.9 * values.sum()


@given(arrays(np.float32, (2, 13, 17), elements=st.floats(-5, 5, width=32)), st.integers(1, 200), st.integers(1, 200))
@settings(deadline=None)
def test_boxes_add_up_to_the_whole_and_stay_inside_the_image(values, height, width):
    lines = boxes(values, (height, width))

    assert sum(line["attribution"] for line in lines) == pytest.approx(values.sum(dtype=np.float64), abs=1e-6)
    assert all(0 <= line["y0"] < line["y1"] <= height and 0 <= line["x0"] < line["x1"] <= width for line in lines)
    shares = [abs(line["attribution"]) for line in lines]
    assert shares == sorted(shares, reverse=True)


def test_a_single_pixel_has_one_box():
    assert boxes(np.full((1, 1, 1), 2.0), (7, 9)) == [{"y0": 0, "x0": 0, "y1": 7, "x1": 9, "attribution": 2.0}]


def test_the_smoothed_map_still_adds_up_and_has_one_value_per_pixel():
    values = np.random.default_rng(0).normal(size=(2, 3, 40, 24)).astype(np.float32)

    maps = heat(values)

    assert maps.shape == (2, 40, 24)
    assert maps.dtype == np.float32
    np.testing.assert_allclose(maps.sum((1, 2)), values.sum((1, 2, 3)), rtol=1e-3)
    assert maps.std() < values.sum(1).std() / 2


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_the_broken_channel_and_time_span_of_a_window_come_first(method):
    clock = torch.arange(64) / 8
    normal = torch.stack([torch.sin(clock), torch.cos(clock), torch.sin(2 * clock)])[None]
    window = normal.clone()
    window[0, 1, 40:48] += 3
    score = HandMade(lambda x: ((x - normal) ** 2).flatten(1).sum(1))
    shape = shape_of(Modality.SENSOR, (3, 64))
    times = np.datetime64("2024-01-01T00:00") + np.arange(64) * np.timedelta64(1, "m")

    found = explain(score, shape, window, normal, method)
    top, *rest = spans(shape, found.values[0], times)

    assert top["channel"] == "part 1"
    assert top["t0"] == np.datetime64("2024-01-01T00:40")
    assert top["t1"] == np.datetime64("2024-01-01T00:47")
    assert len(rest) == 3 * 8 - 1
    assert top["attribution"] + sum(r["attribution"] for r in rest) == pytest.approx(found.values.sum(), abs=1e-3)


def test_a_window_shorter_than_eight_steps_has_a_span_per_step():
    shape = shape_of(Modality.SENSOR, (2, 3))

    found = spans(shape, np.arange(6.0).reshape(2, 3), [10, 20, 30])

    assert found[0] == {"channel": "part 1", "t0": 30, "t1": 30, "attribution": 5.0}
    assert len(found) == 6


def test_nearest_normals_are_sorted_exact_and_at_most_as_many_as_there_are():
    normals = np.array([[0.0, 0], [10, 0], [10.5, 0]])

    index, distance = nearest_normals(np.array([[10.1, 0], [0, 3]]), normals, k=5)

    assert index.tolist() == [[1, 2, 0], [0, 1, 2]]
    assert distance[1, 0] == 3


def test_constant_embeddings_fall_back_to_the_first_normal():
    index, distance = nearest_normals(np.ones((3, 4), dtype=np.float32), np.ones((10, 4), dtype=np.float32), k=2)

    assert index.tolist() == [[0, 1]] * 3
    assert (distance == 0).all()


def test_the_baseline_is_the_nearest_normal_item_itself_unless_asked_otherwise():
    normals = torch.tensor([[1.0, 1.0], [3.0, 5.0]])
    index = np.array([[1, 0], [0, 1], [1, 0]])

    assert baseline_from(normals, index).tolist() == [[3, 5], [1, 1], [3, 5]]
    assert baseline_from(normals, index, "zero").tolist() == [[0, 0]] * 3
    assert baseline_from(normals, index, "mean").tolist() == [[2, 3]] * 3
