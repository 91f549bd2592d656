"""Painting over places of images, by hand."""

import numpy as np

from ad_core.explain.inpainting import as_bright, smooth, soft_edge


def disc(size: int, y: int, x: int, radius: int) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size]
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


def test_an_edge_is_whole_where_something_is_hidden_and_fades_around_it():
    hidden = disc(64, 0, 32, 6)

    weight = soft_edge(hidden)

    assert (weight[hidden] == 1).all()
    around = weight[~hidden]
    assert 0 < around.max() < 1
    assert (weight[:, 32][:12] >= weight[:, 32][1:13]).all()  # less and less
    assert (weight[20:] == 0).all()  # also at the opposite rim


def test_a_donor_is_as_bright_as_what_is_around_each_place():
    across = np.linspace(0.2, 0.8, 64)
    picture = np.stack([np.tile(across, (64, 1)), np.tile(1 - across, (64, 1))])
    donor = np.full((2, 64, 64), 0.4) + np.random.default_rng(0).normal(0, 0.01, (2, 64, 64))
    places = [disc(64, 20, 10, 5), disc(64, 40, 54, 5)]

    found = as_bright(donor, picture, places[0] | places[1])

    for place in places:
        np.testing.assert_allclose(found[:, place].mean(1), picture[:, place].mean(1), atol=0.02)
        details = [image[:, place] - image[:, place].mean(1, keepdims=True) for image in (found, donor)]
        np.testing.assert_allclose(*details, atol=1e-9)  # what is in the donor stays
    assert as_bright(donor, picture, np.zeros((64, 64), dtype=bool)) is donor
    np.testing.assert_array_equal(as_bright(donor, picture, np.ones((64, 64), dtype=bool)), donor)  # nothing around


def test_a_smooth_filling_is_the_mean_of_what_can_be_seen():
    picture = np.full((1, 32, 32), 0.3)
    picture[:, :, 16:] = 0.7
    hidden = disc(32, 16, 16, 4)
    picture[:, hidden] = 9.0

    filled = smooth(picture, hidden, 4.0)[:, hidden]

    assert 0.3 < filled.min() < 0.45
    assert 0.55 < filled.max() < 0.7
