"""Perturbations that test an explanation: parts are replaced, or regions of an image are inpainted."""

from typing import Protocol

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from ad_core.explain.attribution import SEED, at_a_time
from ad_core.explain.attribution_regions import cells, heat, parts
from ad_core.explain.grade import COVERED, DRAWS
from ad_core.explain.inpainting import as_bright, soft_edge
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.scorer import ScoreModel
from ad_core.methods.watched import Watched
from ad_core.types import ItemShape

MOST_NAMED = 5
"""Maximum number of tested parts: the fewest that hold COVERED of the positive attribution."""

MOST_AREA = 0.25
"""Maximum share of an image that the named regions take."""

MOST_PAINTED = 0.5
"""Maximum share of an image that is inpainted, with margins, so that enough is left to compare with."""

MARGIN = 1 / 32
"""Margin around inpainted regions [share of the image's side]: an anomaly extends beyond its peak."""

OVERLAP = 0.1
"""Maximum overlap of an inpainted control region with the tested one [share of its area], if there is such a place."""


class Perturbation(Protocol):
    """The places of k items that an explanation can name and that can be replaced."""

    model: ScoreModel
    shape: ItemShape
    x: Tensor
    baseline: Tensor
    originals: SourceItems

    def __init__(self, model: ScoreModel, shape: ItemShape, x: Tensor | SourceItems, baseline: Tensor) -> None: ...

    @property
    def pieces(self) -> Tensor:
        """(*item) int64: the pieces that a perturbation method replaces as a whole."""

    def shares(self, values: np.ndarray) -> np.ndarray:
        """(k, *item) attributions -> (k, place)."""

    def first(self, shares: np.ndarray) -> np.ndarray:
        """(k, place) bool: the places named first."""

    def extent(self, named: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(k,) number of parts or regions, and (k,) their share of an image, NaN for other data."""

    def testable(self, named: np.ndarray) -> np.ndarray:
        """(k,) bool: whether enough is left to compare with."""

    def scores_without(self, named: np.ndarray) -> np.ndarray:
        """(1 + DRAWS, k) scores without the named places, and without as much elsewhere, at random."""


class FeaturePerturbation:
    """Columns of a row, channels of a window; with a single channel its spans.

    A replaced span leaves two steps in the signal of a channel, which can themselves be anomalous.
    """

    def __init__(self, model: ScoreModel, shape: ItemShape, x: Tensor | SourceItems, baseline: Tensor) -> None:
        self.model, self.shape, self.baseline = model, shape, baseline
        self.originals = SourceItems.each(x)
        self.x = x = self.originals.items
        own = parts(shape) if len(shape.parts.names) > 1 else cells(shape)
        self.pieces = own.to(x.device)  # (*item) int64, which piece each entry belongs to
        self.others = torch.ones(int(own.max()) + 1, dtype=torch.bool).numpy()  # (piece,) that can be drawn as others
        if isinstance(model, Watched):  # to replace what has not changed would be no comparison
            self.others[int(own[: model.limits.seen].max()) + 1 :] = False

    def shares(self, values: np.ndarray) -> np.ndarray:
        """(k, *item) -> (k, piece): the sum over the entries of each piece."""
        flat = torch.from_numpy(np.asarray(values, dtype=np.float64).reshape(len(values), -1))
        sums = torch.zeros(len(flat), int(self.pieces.max()) + 1, dtype=torch.float64)
        return np.asarray(sums.index_add_(1, self.pieces.flatten().cpu(), flat))

    def first(self, shares: np.ndarray) -> np.ndarray:
        """(k, piece) bool: the fewest pieces that hold COVERED of the positive attribution, at most MOST_NAMED."""
        return _holding(shares, MOST_NAMED)

    def extent(self, named: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(k,) number of pieces, and NaN."""
        return named.sum(1).astype(np.float64), np.full(len(named), np.nan)

    def testable(self, named: np.ndarray) -> np.ndarray:
        """(k,) bool: whether there are as many other pieces."""
        return np.asarray((~named & self.others).sum(1) >= named.sum(1))

    def scores_without(self, named: np.ndarray) -> np.ndarray:
        """(1 + DRAWS, k) scores of the items with the chosen pieces replaced by the baseline's."""
        random = np.random.default_rng(SEED)
        chosen = np.stack([named, *(_drawn(~named & self.others, named.sum(1), random) for _ in range(DRAWS))])
        scores, some = [], at_a_time(self.shape)
        which = np.tile(np.arange(len(self.x)), len(chosen))  # every item once for each set
        flat = torch.from_numpy(chosen.reshape(-1, chosen.shape[2]))
        with torch.no_grad():
            for begin in range(0, len(which), some):
                rows = which[begin : begin + some]
                replaced = flat[begin : begin + some].to(self.x.device)[:, self.pieces]  # (b, *item)
                items = torch.where(replaced, self.baseline[rows], self.x[rows])
                made_of = self.originals.copies(torch.from_numpy(rows).to(self.x.device))
                scores.append(self.model.score_copies(items, made_of).cpu().double())
        return torch.cat(scores).numpy().reshape(len(chosen), len(self.x))


class RegionPerturbation:
    """Pixels of images, smoothed; a region is removed by inpainting it from the baseline, without a seam.

    The control regions are the same region, shifted over the image.
    """

    def __init__(self, model: ScoreModel, shape: ItemShape, x: Tensor | SourceItems, baseline: Tensor) -> None:
        self.model, self.shape, self.baseline = model, shape, baseline
        self.originals = SourceItems.each(x)
        self.x = self.originals.items
        self.side: tuple[int, int] = (shape.size[1], shape.size[2])

    @property
    def pieces(self) -> Tensor:
        """(*item) int64: cells of a grid."""
        return cells(self.shape)

    def shares(self, values: np.ndarray) -> np.ndarray:
        """(k, *item) -> (k, pixel)."""
        return heat(values).reshape(len(values), -1)

    def first(self, shares: np.ndarray) -> np.ndarray:
        """(k, pixel) bool: the fewest pixels that hold COVERED of the positive attribution, at most MOST_AREA."""
        return _holding(shares, max(1, int(MOST_AREA * shares.shape[1])))

    def extent(self, named: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(k,) number of connected regions, and the share of the image that is inpainted for them."""
        painted = [self._with_margin(one.reshape(self.side)) for one in named]
        regions = [ndimage.label(one)[1] for one in painted]
        return np.array(regions, dtype=np.float64), np.array([one.mean() for one in painted])

    def testable(self, named: np.ndarray) -> np.ndarray:
        """(k,) bool: whether enough of the image would be left."""
        return np.array([self._with_margin(one.reshape(self.side)).mean() <= MOST_PAINTED for one in named])

    def scores_without(self, named: np.ndarray) -> np.ndarray:
        """(1 + DRAWS, k) scores of the inpainted images."""
        images, donors = self.x.cpu().numpy(), self.baseline.cpu().numpy()
        every = [
            self._scores(at, image, donor, one.reshape(self.side))
            for at, (image, donor, one) in enumerate(zip(images, donors, named, strict=True))
        ]
        return np.stack(every, axis=1)

    def _scores(self, at: int, image: np.ndarray, donor: np.ndarray, region: np.ndarray) -> np.ndarray:
        """(1 + DRAWS,) of one image, the one at this position."""
        moved = [region, *(np.roll(region, shift, (0, 1)) for shift in _elsewhere(region))]
        painted = [_painted(image, donor, self._with_margin(one)) for one in moved]
        items = torch.from_numpy(np.stack(painted).clip(0, 1).astype(np.float32)).to(self.x.device)
        made_of = self.originals.copies(torch.full((len(items),), at, device=items.device))
        size = at_a_time(self.shape)
        parts = zip(items.split(size), made_of.split(size), strict=True)
        with torch.no_grad():
            scores = [self.model.score_copies(some, own).cpu().double() for some, own in parts]
        return torch.cat(scores).numpy()

    def _with_margin(self, region: np.ndarray) -> np.ndarray:
        reach = max(1, round(MARGIN * max(self.side)))
        return np.asarray(ndimage.maximum_filter(region, 2 * reach + 1, mode="constant", cval=False))


def _painted(image: np.ndarray, donor: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """(channel, y, x) the image with the donor in the hidden region, as bright as its surroundings."""
    weight = soft_edge(hidden)
    return np.asarray(image * (1 - weight) + as_bright(donor, image, hidden) * weight)


def of_map(maps: Tensor, side: tuple[int, int]) -> np.ndarray:
    """(k, y, x) maps of a detector -> (k, pixel): by how much each pixel exceeds the median of this image."""
    fine = F.interpolate(maps[:, None].float(), side, mode="bilinear").flatten(1)
    return np.asarray((fine - fine.median(1, keepdim=True).values).cpu().double())


def _holding(shares: np.ndarray, most: int) -> np.ndarray:
    """(k, place) bool: the fewest places that hold COVERED of the positive attribution, at most `most`."""
    raising = np.maximum(shares, 0)
    order = np.argsort(-raising, axis=1, kind="stable")
    held = np.cumsum(np.take_along_axis(raising, order, 1), axis=1)
    before = np.hstack([np.zeros((len(shares), 1)), held[:, :-1]])
    first = (before < COVERED * held[:, -1:]) & (np.arange(shares.shape[1]) < most)
    named = np.zeros(shares.shape, dtype=bool)
    np.put_along_axis(named, order, first, 1)
    return np.asarray(named & (raising > 0))


def _drawn(candidates: np.ndarray, how_many: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(k, piece) bool: `how_many` random candidates of each line; equal lines get the same."""
    keys = np.where(candidates, random.random(candidates.shape[1]), np.inf)
    rank = keys.argsort(1).argsort(1)
    return candidates & (rank < how_many[:, None])


def _elsewhere(region: np.ndarray) -> list[tuple[int, int]]:
    """DRAWS shifts of a (y, x) region [px], at random among those with little overlap, cyclic at the borders.

    The same for the same region, whatever else is tested.
    """
    random = np.random.default_rng(SEED)
    spectrum = np.fft.rfft2(region.astype(np.float64))
    overlap = np.fft.irfft2(np.abs(spectrum) ** 2, region.shape).ravel().round()  # for every shift
    free = np.flatnonzero(overlap <= OVERLAP * region.sum())
    if len(free) < DRAWS:
        free = np.argsort(overlap, kind="stable")[:DRAWS]
    chosen = random.choice(free, DRAWS, replace=len(free) < DRAWS)
    return [(int(at) // region.shape[1], int(at) % region.shape[1]) for at in chosen]
