"""Rests worked out by hand."""

import numpy as np

from ad_core.methods.references.principal_components import PrincipalComponents, PrincipalComponentsSettings


def test_score_is_the_squared_distance_from_the_leading_line():
    """The rows lie along (1, 1): a point's rest is its distance from that line."""
    along = np.linspace(-10, 10, 201)
    x = np.column_stack([along, along + np.where(np.arange(201) % 2, 0.01, -0.01)]).astype(np.float32)
    reference = PrincipalComponents(PrincipalComponentsSettings(), 0)
    reference.fit(x)

    scores = reference.score(np.array([[3.0, 3.0], [1.0, -1.0], [4.0, 2.0]], dtype=np.float32))
    np.testing.assert_allclose(scores, [0.0, 2.0, 2.0], atol=0.01)


def test_of_one_column_the_distance_from_the_mean_is_left():
    reference = PrincipalComponents(PrincipalComponentsSettings(), 0)
    reference.fit(np.array([[1.0], [3.0]], dtype=np.float32))

    np.testing.assert_allclose(reference.score(np.array([[2.0], [5.0]], dtype=np.float32)), [0.0, 9.0])
