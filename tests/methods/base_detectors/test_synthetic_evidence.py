"""Synthetic rows and the weights that follow from them."""

import numpy as np
import pytest

from ad_core.methods.base_detectors.synthetic_evidence import (
    FEW_LEVELS,
    SYNTHETIC,
    UNIFORM,
    synthetic_rows,
    weights_from,
)
from ad_core.types import Modality
from tests.contracts import items

X = items.item_set(Modality.TABLE).x
PARTS = items.shape(Modality.TABLE).parts


@pytest.fixture(scope="module")
def boxes() -> np.ndarray:
    return synthetic_rows(X, PARTS, np.random.default_rng(0))[:SYNTHETIC]


def test_there_are_as_many_rows_of_each_kind():
    assert synthetic_rows(X, PARTS, np.random.default_rng(0)).shape == (2 * SYNTHETIC, 7)


def test_boxes_keep_a_category_and_a_number_with_its_missing_flag_as_blocks(boxes):
    for block in ([2, 3], [4, 5, 6]):
        real = {tuple(row) for row in X[:, block]}
        assert {tuple(row) for row in boxes[:, block]} <= real


def test_boxes_fill_the_range_of_each_number_and_forget_what_goes_with_what(boxes):
    low, high = np.quantile(X[:, :2], [0.01, 0.99], axis=0)

    assert ((low <= boxes[:, :2]) & (boxes[:, :2] <= high)).all()
    assert (np.ptp(boxes[:, :2], axis=0) > 0.95 * (high - low)).all()
    assert np.corrcoef(X[:, 0], X[:, 1])[0, 1] < -0.9
    assert abs(np.corrcoef(boxes[:, 0], boxes[:, 1])[0, 1]) < 0.25  # 200 rows: standard error 0.07


def test_boxes_keep_numbers_of_few_levels_on_them():
    x = X.copy()
    x[:, 1] = np.arange(len(x)) % FEW_LEVELS

    boxes = synthetic_rows(x, PARTS, np.random.default_rng(0))[:SYNTHETIC]

    assert set(boxes[:, 1]) <= set(x[:, 1])


def test_the_other_rows_lie_between_or_beyond_two_real_ones():
    """Of two real rows, 0 and (1, 2, ...), each synthetic row is t times the second: t tells where it lies."""
    step = np.arange(1.0, 8.0, dtype=np.float32)
    x = np.stack([np.zeros(7, dtype=np.float32), step])

    lines = synthetic_rows(x, PARTS, np.random.default_rng(0))[SYNTHETIC:]

    t = lines[:, 0]
    np.testing.assert_allclose(lines, t[:, None] * step, atol=1e-5)
    between, beyond = (t >= 0.3) & (t <= 0.7), ((t >= -1) & (t <= -0.3)) | ((t >= 1.3) & (t <= 2))
    assert (between | beyond | np.isin(t, [0, 1])).all()  # 0 and 1: both ends were the same row
    assert between.sum() > 20
    assert beyond.sum() > 20


def test_a_difference_in_auroc_of_a_fiftieth_counts_e_times():
    """Of 50 real rows one is above the synthetic ones of the second member: AUROC 1 and 0.98."""
    real = np.arange(50.0)
    first, second = np.array([60.0, 60.0]), np.array([48.5, 48.5])

    found = weights_from([real, real], [first, second])

    np.testing.assert_allclose(found, [0.8 * np.e / (1 + np.e) + 0.1, 0.8 / (1 + np.e) + 0.1])


def test_the_auroc_is_the_mean_over_the_two_kinds_of_rows():
    """One member knows only the first kind, the other only the second: they count alike."""
    real = np.arange(50.0)
    high, middle = [60.0, 60.0], [24.5, 24.5]

    np.testing.assert_allclose(
        weights_from([real, real], [np.array(high + middle), np.array(middle + high)]), [0.5, 0.5]
    )


def test_weights_add_up_to_1_and_none_is_without_a_share():
    random = np.random.default_rng(0)
    real = [random.normal(size=300) for _ in range(4)]
    synthetic = [random.normal(size=2 * SYNTHETIC) + shift for shift in (0, 5, -5, 0.1)]

    found = weights_from(real, synthetic)

    assert found.sum() == pytest.approx(1)
    assert (found >= UNIFORM / 4).all()
    assert found.argmax() == 1
