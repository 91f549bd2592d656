"""AUPRO on masks that can be worked out by hand, and against its definition spelt out threshold by threshold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import label
from sklearn.metrics import auc, roc_curve

from ad_core.evaluation.region_metrics import aupro


def slowly(masks, maps, limit):
    """The definition: for every threshold the mean share of each region and the share of normal pixels above it."""
    normal = np.concatenate([found[~mask] for mask, found in zip(masks, maps, strict=True)])
    regions = []
    for mask, found in zip(masks, maps, strict=True):
        numbered, count = label(mask, structure=np.ones((3, 3)))
        regions += [found[numbered == number] for number in range(1, count + 1)]
    x, y = [0.0], [0.0]
    for threshold in sorted({*np.concatenate([found.ravel() for found in maps])}, reverse=True):
        x.append((normal >= threshold).mean())
        y.append(np.mean([(region >= threshold).mean() for region in regions]))
    area = 0.0
    for x0, x1, y0, y1 in zip(x, x[1:], y, y[1:], strict=False):
        end = min(x1, limit)
        if x0 < end:
            area += (end - x0) * (y0 + (y0 + (y1 - y0) * (end - x0) / (x1 - x0))) / 2
    return area / limit


def test_every_region_counts_the_same_whatever_its_size():
    """The map marks the large region fully and the small one never: half of the regions at no false pixel."""
    mask = np.zeros((10, 10), dtype=bool)
    mask[:4, :4], mask[8, 8] = True, True
    found = np.where(mask, 1.0, 0.5)
    found[8, 8] = 0.0

    assert aupro([mask], [found], limit=0.3) == pytest.approx(0.5)


def test_regions_that_touch_by_a_corner_are_one():
    """Three pixels of one region of four are marked first."""
    mask = np.zeros((4, 8), dtype=bool)
    mask[[0, 1, 2, 3], [0, 1, 2, 3]] = True
    found = np.where(mask, 1.0, 0.5)
    found[3, 3] = 0.0

    assert aupro([mask], [found], limit=0.5) == pytest.approx(0.75)


def test_a_perfect_map_has_all_and_an_even_one_has_the_diagonal():
    mask = np.zeros((6, 6), dtype=bool)
    mask[2, 2] = True

    assert aupro([mask], [mask.astype(float)]) == pytest.approx(1.0)
    assert aupro([mask], [np.zeros((6, 6))], limit=0.3) == pytest.approx(0.15)


@settings(max_examples=60, deadline=None)
@given(
    masks=st.lists(arrays(bool, (5, 6)), min_size=1, max_size=3),
    levels=st.integers(2, 40),
    limit=st.sampled_from([0.05, 0.3, 1.0]),
    seed=st.integers(0, 99),
)
def test_it_follows_the_definition_threshold_by_threshold(masks, levels, limit, seed):
    every = np.concatenate(masks)
    if every.all() or not every.any():
        return
    random = np.random.default_rng(seed)
    maps = [random.integers(levels, size=mask.shape) / 8 for mask in masks]  # many equal values

    assert aupro(masks, maps, limit) == pytest.approx(slowly(masks, maps, limit), abs=1e-9)


@pytest.mark.parametrize("mask", [np.zeros((3, 3), dtype=bool), np.ones((3, 3), dtype=bool)])
def test_without_defects_or_without_normal_pixels_there_is_no_figure(mask):
    with pytest.raises(ValueError, match="needs defective and normal pixels"):
        aupro([mask], [np.zeros((3, 3))])


@pytest.mark.parametrize("limit", [0.05, 0.3, 1.0])
def test_it_is_the_mean_of_the_partial_areas_that_scikit_learn_gives_for_each_region(limit):
    """Each region against all normal pixels: `roc_curve` of scikit-learn, its area up to the limit by trapezoids."""
    random = np.random.default_rng(3)
    masks = [np.zeros((24, 20), bool) for _ in range(3)]
    masks[0][2:6, 3:9] = masks[0][15:16, 1:4] = masks[1][8:20, 10:12] = True
    maps = [np.round(random.normal(size=mask.shape) + 0.8 * mask, 1) for mask in masks]  # rounded: with ties
    places = [(0, np.s_[2:6, 3:9]), (0, np.s_[15:16, 1:4]), (1, np.s_[8:20, 10:12])]
    normal = np.concatenate([m[~mask] for m, mask in zip(maps, masks, strict=True)])

    areas = []
    for image, place in places:
        region = maps[image][place].ravel()
        truth, scores = np.r_[np.ones(len(region)), np.zeros(len(normal))], np.r_[region, normal]
        false, found, _ = roc_curve(truth, scores, drop_intermediate=False)
        grid = np.r_[false[false < limit], limit]
        areas.append(auc(grid, np.r_[found[false < limit], np.interp(limit, false, found)]) / limit)

    assert aupro(masks, maps, limit) == pytest.approx(np.mean(areas), abs=1e-9)
