"""Filters that need no training: what they answer to, on their scale, in cells of the image."""

import math

import pytest
import torch

from ad_core.methods.base_detectors.fixed_filters import MOST_CELLS, TURNS, WIDTHS, FixedFilters, smoothed

COLOURS, SIDE = 3, 32
PER_WIDTH = COLOURS + 2 + 3 + TURNS
ACROSS, DOWN = COLOURS, COLOURS + 1
LINES = slice(COLOURS + 5, PER_WIDTH)


def answers(image: torch.Tensor, width: int = 0) -> torch.Tensor:
    """(number, y, x) of one (channel, y, x) image by the filters of one width."""
    (found,) = FixedFilters(COLOURS, image.shape[1:])(image[None])
    return found[0, width * PER_WIDTH : (width + 1) * PER_WIDTH]


def grating(angle: float) -> torch.Tensor:
    """Stripes whose brightness changes along this direction."""
    y, x = torch.meshgrid(torch.arange(SIDE).float(), torch.arange(SIDE).float(), indexing="ij")
    return (0.5 + 0.3 * torch.sin(x * math.cos(angle) + y * math.sin(angle))).expand(COLOURS, -1, -1)


def test_a_plain_colour_has_that_colour_and_neither_slopes_nor_lines():
    colour = torch.tensor([0.2, 0.5, 0.9])

    found = answers(colour[:, None, None].expand(-1, SIDE, SIDE))

    torch.testing.assert_close(found[:COLOURS].mean((1, 2)), colour)
    assert found[COLOURS:].abs().max() < 1e-3


def test_a_ramp_has_its_slope_along_one_axis():
    ramp = (0.01 * torch.arange(SIDE).float()).expand(COLOURS, SIDE, SIDE)

    inside = answers(ramp)[:, 2:-2, 2:-2]

    torch.testing.assert_close(inside[ACROSS], torch.full_like(inside[ACROSS], 0.01), atol=1e-5, rtol=0)
    torch.testing.assert_close(inside[DOWN], torch.zeros_like(inside[DOWN]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("turn", range(TURNS))
def test_lines_are_strongest_in_the_direction_in_which_they_change(turn):
    found = answers(grating(math.pi * turn / TURNS))[LINES].mean((1, 2))

    assert found.argmax() == turn


@pytest.mark.parametrize("width", WIDTHS)
def test_a_dot_is_smoothed_to_a_spot_of_the_width_that_is_asked_for(width):
    dot = torch.zeros(1, 1, 41, 41)
    dot[0, 0, 20, 20] = 1

    spot = smoothed(dot, width)[0, 0]

    away = torch.arange(41.0) - 20
    assert spot.sum() == pytest.approx(1)
    assert (spot.sum(0) * away.square()).sum().sqrt() == pytest.approx(width, rel=0.05)


def test_a_cell_is_four_pixels_and_large_images_have_larger_cells():
    assert FixedFilters(1, (32, 64)).grid == (8, 16)
    assert FixedFilters(1, (3, 3)).grid == (1, 1)
    (found,) = FixedFilters(1, (800, 400))(torch.rand(1, 1, 800, 400))
    assert tuple(found.shape) == (1, len(WIDTHS) * (PER_WIDTH - COLOURS + 1), MOST_CELLS, MOST_CELLS)


def test_answers_are_in_standard_deviations_of_what_is_usual():
    filters, usual = FixedFilters(COLOURS, (SIDE, SIDE)), torch.rand(8, COLOURS, SIDE, SIDE)

    filters.learn_scale(usual)

    (found,) = filters(usual)
    torch.testing.assert_close(found.mean((0, 2, 3)), torch.zeros(filters.d), atol=1e-3, rtol=0)
    torch.testing.assert_close(found.std((0, 2, 3), correction=0), torch.ones(filters.d), atol=1e-3, rtol=0)


def test_an_answer_does_not_depend_on_other_images_of_its_batch():
    filters, x = FixedFilters(COLOURS, (SIDE, SIDE)), torch.rand(4, COLOURS, SIDE, SIDE)

    torch.testing.assert_close(filters(x)[0][:1], filters(x[:1])[0])


def test_as_a_whole_an_image_is_seen_by_what_lies_where():
    filters = FixedFilters(COLOURS, (SIDE, SIDE))
    left, right = torch.zeros(2, 1, COLOURS, SIDE, SIDE)
    left[..., : SIDE // 2], right[..., SIDE // 2 :] = 1, 1

    a, b = (FixedFilters.whole(filters(x)[0]) for x in (left, right))

    assert a.norm() == pytest.approx(1)
    assert float((a * b).sum()) < 0.5
