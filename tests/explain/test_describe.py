"""Values of an explanation as text."""

from ad_core.explain.describe import _without_noise


def test_what_differs_from_zero_by_rounding_only_is_zero():
    assert _without_noise([0.3, -1.9e-7, 2.0]) == [0.3, 0.0, 2.0]


def test_small_values_among_small_ones_and_texts_stay_as_they_are():
    assert _without_noise([3e-9, 2e-9]) == [3e-9, 2e-9]
    assert _without_noise(["(missing)", 1e-12]) == ["(missing)", 1e-12]
    assert _without_noise([]) == []
