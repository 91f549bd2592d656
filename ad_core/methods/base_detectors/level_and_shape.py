"""Ensemble for recordings: nearest training subsequences, with and without the mean level of their channels."""

import math
from collections.abc import Sequence
from typing import Self, cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from ad_core.methods.base_detectors.one_recording import windows_like
from ad_core.methods.base_detectors.subsequence_neighbours import SubsequenceNeighbours, kept
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.scorer import ScoreModel
from ad_core.types import ItemShape, JudgedBy

MEMBERS: dict[str, tuple[tuple[int, bool], ...]] = {
    "shape": ((1, False), (2, True)),
    "level": ((2, True), (1, False), (4, True)),
}
"""View -> its base detectors: number of subsequences per window, and whether distances are whitened."""

HEAT = 2.0
"""Inverse temperature of the soft maximum of the two views; 0 would be their mean."""

FLOOR = 0.01
"""Added to distances, times the root of their number of entries [standard deviations], to avoid a logarithm of 0."""

LEAST_ERROR = 0.01
"""Added to a channel's mean squared error [standard deviations squared], to avoid a division by zero."""


class LevelAndShape(nn.Module, ScoreModel):
    """(b, channel, time) -> score of each sample [nat]: the log ratio of its distance to the nearest training
    subsequences to the median distance of held-out windows.

    This is the value of a base detector; the value of a view is the mean over its base detectors, and the score is the
    soft maximum of the views.

    Args:
        judged: per channel, whether its level, its shape or both count.

    `earlier` is the model of the first training windows, which gave the later ones their out-of-bag scores; changed
    copies of these windows are scored by it. None in bundles of older versions.
    """

    usual: Tensor
    residual: Tensor
    error: Tensor
    recording: Tensor
    """(windows of the bank,) code of the recording that each is cut from; empty in bundles of older versions."""

    differentiable = True

    def __init__(self, shape: ItemShape, judged: list[JudgedBy]) -> None:
        super().__init__()
        self.shape, self.judged = shape, judged
        self.recordings: list[str] = []
        channels, time = shape.size
        self.views = [view for view in MEMBERS if any(by in (view, "both") for by in judged)]
        pairs = [(view, parts, white) for view in self.views for parts, white in MEMBERS[view]]
        self.names = [f"{view}_{parts}" for view, parts, _ in pairs]
        self.members = nn.ModuleDict(
            {
                name: SubsequenceNeighbours(max(1, time // parts), white)
                for name, (_, parts, white) in zip(self.names, pairs, strict=True)
            }
        )
        self.register_buffer("usual", torch.ones(len(self.names)))
        self.register_buffer("residual", torch.zeros(2, channels, 1))
        self.register_buffer("error", torch.ones(channels, 1))
        self.earlier: LevelAndShape | None = None
        self.register_buffer("recording", torch.zeros(0, dtype=torch.int64))

    @classmethod
    def of(cls, windows: Tensor, shape: ItemShape, judged: list[JudgedBy], recording: list[str] | None = None) -> Self:
        """With the subsequences of these (n, channel, time) windows as the banks.

        Args:
            recording: (n,) the recording that each window is cut from; None = all from one.
        """
        model = cls(shape, judged)
        codes, names = pd.factorize(np.array([""] * len(windows) if recording is None else recording, dtype=object))
        model.recording, model.recordings = torch.from_numpy(codes.astype(np.int64))[kept(len(windows))], list(names)
        for name, member in model._members.items():
            by_shape = ("shape", "both") if name.startswith("shape") else ("shape",)
            centred = torch.tensor([by in by_shape for by in judged])
            model.members[name] = SubsequenceNeighbours.of(windows, centred, member.span, member.whitened)
        return model

    def learn_usual(self, windows: Tensor) -> None:
        """Median distances and expected errors, from (n, channel, time) windows that are not in the bank."""
        with torch.no_grad():
            parts = windows.split(256)
            for k, member in enumerate(self._members.values()):
                self.usual[k] = torch.cat([member(x) for x in parts]).median()
            errors = torch.cat([x - self.expected(x) for x in parts]).transpose(0, 1).flatten(1)  # (channel, n time)
            self.residual = torch.quantile(_at_most(errors), torch.tensor([0.05, 0.95]), dim=1)[..., None]
            self.error = errors.square().mean(1, keepdim=True) + LEAST_ERROR

    def take_usual(self, other: "LevelAndShape") -> None:
        """Take over the statistics of a model of earlier windows."""
        self.usual, self.residual, self.error = other.usual.clone(), other.residual.clone(), other.error.clone()

    def over_time(self, x: Tensor, originals: SourceItems | None = None) -> Tensor:
        """(b, time) score of each sample of a window."""
        position = None if originals is None else originals.position
        if self.earlier is None or position is None:
            return self._over_time(x, originals)
        by_earlier = (position >= 0)[:, None]
        unseen = self.earlier.over_time(x, originals)
        return unseen if by_earlier.all() else torch.where(by_earlier, unseen, self._over_time(x, originals))

    def _over_time(self, x: Tensor, originals: SourceItems | None) -> Tensor:
        values = {}
        for k, (name, member) in enumerate(self._members.items()):
            least = FLOOR * math.sqrt(member.entries)
            values[name] = ((member(x, originals) + least) / (self.usual[k] + least)).log()
        views = [torch.stack([v for n, v in values.items() if n.startswith(view)]).mean(0) for view in self.views]
        return (HEAT * torch.stack(views)).exp().mean(0).log() / HEAT

    def score(self, x: Tensor) -> Tensor:
        return self.over_time(x).mean(1)

    def score_copies(self, x: Tensor, originals: SourceItems) -> Tensor:
        return self.over_time(x, originals).mean(1)

    def forward(self, x: Tensor) -> Tensor:
        return self.score(x)

    def embed(self, x: Tensor) -> Tensor | None:
        return self._plain.vectors(x)

    def part_scores(self, x: Tensor) -> Tensor | None:
        like = self.expected(x) if len(self.recording) else self._plain.nearest(x).mean(1)  # as the error was learnt
        return (x - like).square() / self.error  # (b, channel, time)

    def expected(self, x: Tensor) -> Tensor:
        return self.expected_of(x, [None] * len(x))

    def expected_of(self, x: Tensor, recordings: Sequence[str | None]) -> Tensor:
        code = {name: at for at, name in enumerate(self.recordings)}
        own = torch.tensor([code.get(name or "", -1) for name in recordings], device=x.device)
        near = windows_like(self._plain.vectors(x), self._plain.bank, x.shape[1], self.recording, own)
        return self._plain.shown(x, near).mean(1)

    @property
    def level_followers(self) -> tuple[int, ...]:
        """Positions of the channels that are compared by their shape alone."""
        return tuple(c for c, by in enumerate(self.judged) if by == "shape")

    def expected_range(self, x: Tensor) -> tuple[Tensor, Tensor] | None:
        expected = self.expected(x)
        return expected + self.residual[0], expected + self.residual[1]

    @property
    def _members(self) -> dict[str, SubsequenceNeighbours]:
        return cast(dict[str, SubsequenceNeighbours], dict(self.members.items()))

    @property
    def _plain(self) -> SubsequenceNeighbours:
        """The base detector that compares whole windows without whitening."""
        return self._members[f"{self.views[-1]}_1"]


def _at_most(errors: Tensor, most: int = 2**20) -> Tensor:
    """Evenly chosen columns with at most this number of values, enough for quantiles."""
    return errors[:, :: max(1, errors.numel() // most)]
