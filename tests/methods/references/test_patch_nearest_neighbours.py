"""Nearest patches, by hand: features go in as a reader of images would make them."""

import numpy as np
import pytest

from ad_core.methods.reference import REFERENCES

CLS = REFERENCES.get("patch_nearest_neighbours")


def grid(values: list[list[float]]) -> np.ndarray:
    """One image of 2 x 2 places with two features, the second of which never varies."""
    first = np.array(values, dtype=np.float16)
    return np.stack([first, np.zeros_like(first)], axis=-1)[None]


def test_distances_are_in_standard_deviations_of_the_bank():
    """The bank holds 0, 4, 0, 4: standard deviation 2. A place of 10 is 3 from the nearest."""
    reference = CLS(CLS.Settings(worst_share=0.25), 0)
    reference.fit(grid([[0, 4], [0, 4]]))

    odd = grid([[0, 4], [10, 2]])

    assert reference.part_scores(odd)[0].tolist() == [[0.0, 0.0], [3.0, 1.0]]
    assert reference.score(odd).tolist() == [3.0]


def test_the_whole_map_can_count():
    reference = CLS(CLS.Settings(worst_share=1.0), 0)
    reference.fit(grid([[0, 4], [0, 4]]))

    assert reference.score(grid([[0, 4], [10, 2]])).tolist() == [1.0]


def test_the_bank_is_no_larger_than_asked_for():
    reference = CLS(CLS.Settings(bank=3), 1)
    reference.fit(np.random.default_rng(0).random((5, 4, 4, 7)).astype(np.float16))

    assert reference.bank.shape == (3, 7)


def test_a_scratch_stands_out_of_plain_plates():
    """Through the frozen network: where the scratch is, the map is highest."""
    import torch

    from ad_core.types import Modality

    plain = 0.5 + 0.02 * torch.randn(12, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    reference = CLS(CLS.Settings(), 0)
    reference.fit(CLS.vectors(plain[:8], Modality.IMAGE))
    scratched = plain[8:9].clone()
    scratched[:, :, 40:44, 8:30] = 0.0

    vectors = CLS.vectors(torch.cat([plain[9:], scratched]), Modality.IMAGE)
    scores = reference.score(vectors)

    assert scores[-1] > 1.2 * scores[:-1].max()
    row, column = divmod(int(reference.part_scores(vectors)[-1].argmax()), 8)
    assert row == pytest.approx(5, abs=1)
    assert 0 <= column <= 4
