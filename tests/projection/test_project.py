"""Maps of embeddings. UMAP compiles on its first call in a process: one fit serves most tests."""

import os

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from ad_core.errors import DataError
from ad_core.progress import Silent
from ad_core.projection.planes import between_neighbours, itself_first, principal_axes
from ad_core.projection.project import BATCH, EmbeddingMap, fit_sample, project, project_items

CLUSTERS, PER_CLUSTER, OUTLIERS = 3, 80, 10


def clusters() -> np.ndarray:
    """Three round clusters far apart in 8 dimensions, ten duplicates of a point, then ten points far from all."""
    generator = np.random.default_rng(0)
    centres = generator.normal(scale=10, size=(CLUSTERS, 8))
    crowd = np.repeat(centres, PER_CLUSTER, axis=0) + generator.normal(size=(CLUSTERS * PER_CLUSTER, 8))
    crowd[:10] = crowd[0]
    outliers = np.full(8, 40.0) + generator.normal(size=(OUTLIERS, 8))
    return np.concatenate([crowd, outliers]).astype(np.float32)


class Recorded(Silent):
    def __init__(self) -> None:
        self.done: list[float] = []

    def step(self, done: float, **_facts: float) -> None:
        self.done.append(done)


@pytest.fixture(scope="session")
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture(scope="session")
def mapped(recorded) -> EmbeddingMap:
    """200 of 250 points fitted, among them all ten outliers; the other 50 placed by their neighbours."""
    return project(clusters(), keep=np.arange(240, 250), seed=3, max_fit=200, report=recorded)


def test_points_of_a_cluster_lie_together_whether_fitted_or_placed(mapped):
    xy = mapped.coordinates[["x", "y"]].to_numpy()
    cluster = np.arange(240) // PER_CLUSTER
    centres = np.stack([xy[:240][cluster == c].mean(axis=0) for c in range(CLUSTERS)])

    nearest = ((xy[:240, None] - centres) ** 2).sum(-1).argmin(axis=1)

    placed = ~mapped.coordinates["fitted"].to_numpy()[:240]
    assert placed.sum() == 50
    assert (nearest == cluster).mean() > 0.99
    assert (nearest == cluster)[placed].all()


def test_the_points_to_keep_are_always_fitted_and_stay_apart_from_the_crowd(mapped):
    xy = mapped.coordinates[["x", "y"]].to_numpy()
    apart = np.sqrt(((xy[240:, None] - xy[None, :240]) ** 2).sum(-1))

    assert mapped.coordinates["fitted"][240:].all()
    assert apart.min() > 1  # UMAP lays neighbours about 0.1 to 0.5 apart


def test_every_item_has_both_places_and_the_trust_is_high_on_an_easy_map(mapped):
    coordinates = mapped.coordinates

    assert coordinates.columns.tolist() == [
        "x",
        "y",
        "pca_x",
        "pca_y",
        "fitted",
        "kept",
        "far_inside",
        "pca_kept",
        "pca_far_inside",
    ]
    assert len(coordinates) == 250
    assert np.isfinite(coordinates[["x", "y", "pca_x", "pca_y"]].to_numpy()).all()
    assert mapped.facts["method"] == "umap"
    assert 0.85 < mapped.facts["trust"] <= 1
    assert (mapped.facts["fitted"], mapped.facts["placed"], mapped.facts["notice"]) == (200, 50, "")


def test_progress_only_grows_and_ends_at_one(mapped, recorded):
    assert recorded.done == sorted(recorded.done)
    assert recorded.done[-1] == 1.0


def test_items_are_asked_for_in_batches_and_placed_as_if_they_came_at_once():
    z = np.random.default_rng(0).normal(size=(2 * BATCH, 2)).astype(np.float32)
    asked = []

    def embed(index: np.ndarray) -> np.ndarray:
        asked.append(len(index))
        return z[index]

    fitted = fit_sample(len(z), np.array([9_000, 3]), max_fit=10)
    found = project_items(embed, len(z), fitted, 0, None, None)

    assert {9_000, 3} <= set(fitted)
    assert len(fitted) == 10
    assert max(asked) == BATCH
    assert found.facts["placed"] == len(z) - 10
    centre, axes = principal_axes(z[fitted])
    np.testing.assert_allclose(found.coordinates[["pca_x", "pca_y"]], (z - centre) @ axes)


def test_a_far_item_that_was_added_afterwards_is_drawn_inside_and_marked():
    """The trap that the marks are for: UMAP's plane has no room for what it did not see."""
    z = clusters()
    normals = np.delete(z[:240], slice(0, 10), axis=0)[::2]

    found = project(z, keep=np.arange(240), seed=3, max_fit=240, normals=normals).coordinates

    assert found["far_inside"].to_numpy()[240:].sum() >= 9
    assert not found["far_inside"].to_numpy()[:240].any()


def test_far_items_that_were_fitted_have_a_place_of_their_own_and_no_mark():
    z = clusters()

    found = project(z, keep=np.arange(240, 250), seed=3, max_fit=200, normals=z[10:240:2]).coordinates

    assert not found["far_inside"].any()


def test_the_same_seed_gives_the_same_map(mapped):
    again = project(clusters(), keep=np.arange(240, 250), seed=3, max_fit=200)

    np.testing.assert_array_equal(again.coordinates.to_numpy(), mapped.coordinates.to_numpy())
    assert again.facts == mapped.facts


@pytest.mark.parametrize("n", [1, 2, 3, 4, 14])
def test_a_handful_of_points_shows_principal_components_and_says_so(n):
    found = project(np.random.default_rng(0).normal(size=(n, 5)))

    np.testing.assert_array_equal(found.coordinates[["x", "y"]], found.coordinates[["pca_x", "pca_y"]])
    assert found.facts["method"] == "pca"
    assert f"Only {n} items" in found.facts["notice"]
    assert (found.facts["trust"] is None) == (n < 4)


def test_equal_embeddings_are_one_point_and_the_notice_names_the_likely_cause():
    found = project(np.full((30, 4), 7.0))

    assert (found.coordinates[["x", "y", "pca_x", "pca_y"]] == 0).all(axis=None)
    assert "collapsed" in found.facts["notice"]


def test_an_embedding_of_one_number_lies_on_a_line():
    found = project(np.arange(10.0)[:, None])

    assert np.ptp(found.coordinates["pca_x"]) == pytest.approx(9, rel=1e-5)
    assert (found.coordinates["pca_y"] == 0).all()


def test_items_without_a_finite_embedding_get_no_place_and_the_notice_counts_them():
    z = np.random.default_rng(0).normal(size=(12, 3))
    z[4, 1], z[7, 0] = np.nan, np.inf

    found = project(z, keep=np.array([4, 5]))

    assert np.flatnonzero(found.coordinates["x"].isna()).tolist() == [4, 7]
    assert not found.coordinates["fitted"][[4, 7]].any()
    assert "2 of 12 items have no finite embedding" in found.facts["notice"]


def test_no_finite_embedding_at_all_is_refused_with_a_sentence():
    with pytest.raises(DataError, match="None of 20 items has an embedding"):
        project(np.full((20, 3), np.nan))


def test_principal_components_are_those_of_the_covariance():
    z = np.random.default_rng(0).normal(size=(200, 6)) * [5, 3, 1, 1, 1, 1] + 100

    centre, axes = principal_axes(z.astype(np.float32))
    places = (z - centre) @ axes

    vectors = np.linalg.eigh(np.cov(z.T))[1][:, ::-1][:, :2]
    expected = (z - z.mean(axis=0)) @ vectors
    for axis in range(2):
        sign = np.sign((places[:, axis] * expected[:, axis]).sum())
        np.testing.assert_allclose(sign * places[:, axis], expected[:, axis], atol=0.02)  # a randomised decomposition


def test_each_point_comes_first_among_its_own_neighbours_even_when_it_has_many_equals():
    z = np.concatenate([np.zeros((40, 2)), np.random.default_rng(0).normal(size=(20, 2))]).astype(np.float32)

    found, equal = NearestNeighbors(n_neighbors=15).fit(z).kneighbors(z)
    near, distance = itself_first(equal, found)

    assert near[:, 0].tolist() == list(range(60))
    assert (distance[:, 0] == 0).all()
    assert all(len(set(line)) == len(line) for line in near.tolist())


def test_a_placed_point_lies_on_its_equal_and_between_its_neighbours():
    z = np.array([[0.0, 0], [2, 0], [100, 100]])
    places = np.array([[5.0, 5], [7, 5], [-50, 0]])

    distance, near = NearestNeighbors(n_neighbors=3).fit(z).kneighbors(np.array([[0.0, 0], [1, 0]]))
    found = between_neighbours(places, near, distance)

    assert found[0].tolist() == [5, 5]
    assert np.abs(found[1] - [6, 5]).max() < 0.5


@pytest.mark.skipif("OMP_NUM_THREADS" not in os.environ, reason="the number of threads is not limited")
def test_a_limit_of_threads_holds_after_a_map(mapped):
    """The compiler behind UMAP would lift it for PyTorch too; on a shared machine that costs twice the time."""
    assert torch.get_num_threads() == int(os.environ["OMP_NUM_THREADS"])
