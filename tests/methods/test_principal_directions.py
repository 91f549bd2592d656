"""Wide rows on their leading directions, some at a time."""

import numpy as np

from ad_core.methods.principal_directions import AT_A_TIME, PrincipalDirections


def test_rows_taken_some_at_a_time_turn_out_as_each_by_itself_and_keep_their_length():
    x = np.random.default_rng(0).normal(size=(AT_A_TIME + 3, 12))
    leading = PrincipalDirections(x, 4, 0)

    z = leading(x)

    np.testing.assert_allclose(z[-5:], np.concatenate([leading(row[None]) for row in x[-5:]]))
    np.testing.assert_allclose(np.square(z).sum(1), np.square(x - x.mean(0)).sum(1))


def test_narrow_rows_stay_as_they_are():
    x = np.random.default_rng(0).normal(size=(9, 4))

    np.testing.assert_array_equal(PrincipalDirections(x, 4, 0)(x), x)
