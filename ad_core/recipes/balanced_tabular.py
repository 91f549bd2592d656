"""Balanced, for tables: an ensemble of a few robust detectors, each normalised by out-of-bag scores."""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from ad_core.data.item_set import ItemSet, Split
from ad_core.errors import DataError
from ad_core.methods.base_detectors.cross_fitted_mixture import CrossFittedMixture, fold_of
from ad_core.methods.base_detectors.local_mahalanobis import LocalMahalanobis
from ad_core.methods.base_detectors.masked_retrieval import RetrievalMember
from ad_core.methods.base_detectors.nearest_neighbours import NearestNeighbours, RankedNearestNeighbours
from ad_core.methods.base_detectors.synthetic_evidence import synthetic_rows, weights_from
from ad_core.methods.contamination import unsuspicious
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.pretexts.masked_retrieval import MaskedRetrievalSettings
from ad_core.methods.recipe import RECIPES, Fitted, HeldOut, Recipe
from ad_core.methods.score_normalisation import TailNormalisation
from ad_core.methods.scorer import ScoreModel
from ad_core.progress import Report
from ad_core.settings import Settings
from ad_core.types import ItemShape, Modality, TrainingRows

POOLS: dict[TrainingRows, tuple[str, ...]] = {
    "clean": ("neighbours", "ranked_neighbours", "retrieval", "local_clouds", "clouds"),
    "unsure": ("retrieval_from_trusted", "neighbours_from_trusted", "ranked_neighbours", "clouds"),
    "mixed": ("retrieval_from_trusted", "neighbours_from_trusted"),
}
"""Base detectors, by what the user declares of the training rows. The choice is the same for all data: of few
candidates the one with the best mean over the benchmark's tables, on half of them first and then on all.
"""

SUSPICIOUS = 0.4
"""Share of the rows, the most suspicious ones, that are left out of the banks of the `_from_trusted` detectors. Many
normal rows are left out too, which costs little: a bank needs each kind of normal row only once.
"""

RETRIEVALS = {
    "retrieval": MaskedRetrievalSettings(),
    "retrieval_from_trusted": MaskedRetrievalSettings(bags=16, bank_rows=256, neighbours=5, groups=4, rounds=1),
}

WIDE = 200
"""Maximum number of entries for the Gaussian mixture: density estimates in more dimensions are unreliable."""


class BalancedTabularSettings(Settings):
    """The only setting; the ensemble is fixed."""

    rows: int = Field(
        20_000, ge=100, le=1_000_000, description="Maximum number of training rows, drawn with the run's seed."
    )


@RECIPES.register
class BalancedTabular(Recipe[BalancedTabularSettings]):
    """The mean of the normalised scores of nearest neighbours, masked retrieval and densities.

    Every training row gets an out-of-bag score: it is not its own neighbour, and the density that scores it was fitted
    without it. So all rows are used for training and for calibration, and a training row keeps its out-of-bag score.
    """

    title = "Balanced"
    about = (
        "An ensemble of masked retrieval, nearest neighbours and densities; which ones depends on whether the training "
        "rows may hold anomalies. More robust than any single method; nothing to tune."
    )
    source = (
        "Own; after Yin et al. 2024 (MCM), Troyanskaya et al. 2001 (KNNimpute); trust after Pang et al. 2015 (LeSiNN)"
    )
    modalities = frozenset({Modality.TABLE})
    Settings = BalancedTabularSettings
    shares = (1.0, 0.0, 0.0)

    def fit(self, item_set: ItemSet, split: Split, training_rows: TrainingRows, report: Report) -> Fitted:
        teaching = np.sort(np.concatenate([split.fit, split.early_stop, split.calibration]))
        if not len(teaching):
            raise DataError(
                "No rows are left to train on. Choose more training rows, or repair those that have a note."
            )
        order = np.random.default_rng(self.seed).permutation(teaching)
        drawn, rest = np.sort(order[: self.settings.rows]), np.sort(order[self.settings.rows :][: self.settings.rows])
        if len(rest):
            report.say(f"Balanced is trained on {len(drawn):,} of {len(teaching):,} rows, drawn at random.")
        x = item_set.take(drawn).numpy()
        leave_out = 0.0 if training_rows == "clean" else SUSPICIOUS
        trusted = unsuspicious(x, leave_out, self.seed, fewest=2)
        names = [name for name in POOLS[training_rows] if name != "clouds" or x.shape[1] <= WIDE]
        model, left_out = Blend(item_set.shape), []
        for number, name in enumerate(names, 1):
            report.check()
            member, scores = self._member(name, x, trusted, item_set.shape)
            model.add(name, member, TailNormalisation.of(scores))
            left_out.append(scores)
            report.step(number / len(names))
        if training_rows == "clean":
            model.weigh(self._evidence(model, x, left_out))
        items, values = np.concatenate([drawn, rest]), [model.blended(left_out), scored(model, item_set.take(rest))]
        return Fitted(model.eval(), HeldOut(items, np.concatenate(values)))

    def _evidence(self, model: "Blend", x: np.ndarray, left_out: list[np.ndarray]) -> np.ndarray:
        rows = torch.from_numpy(synthetic_rows(x, model.shape.parts, np.random.default_rng(self.seed)))
        return weights_from(left_out, [scored(member, rows) for member in model.members.values()])

    def state(self, model: ScoreModel) -> tuple[dict[str, Any], Mapping[str, np.ndarray | Tensor]]:
        blend = cast(Blend, model)
        facts = {"shape": blend.shape.model_dump(mode="json"), "members": list(blend.members)}
        return facts, {name: value.detach().cpu() for name, value in blend.state_dict().items()}

    def restore(self, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> ScoreModel:
        model = Blend(ItemShape.model_validate(facts["shape"]))
        for name in facts["members"]:
            model.add(name, _empty(name, model.shape), TailNormalisation())
        model.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in arrays.items()})
        n = self.fitted_to(model)
        for member in model.members.values():
            if isinstance(member, CrossFittedMixture) and not member.knows_folds and n:  # of an older version
                member.put("fold_of", fold_of(n, self.seed))
        return model.eval()

    def fitted_to(self, model: ScoreModel) -> int | None:
        ranked = (m for m in cast(Blend, model).members.values() if isinstance(m, RankedNearestNeighbours))
        return next((len(member.near.bank) for member in ranked), None)

    def _member(self, name: str, x: np.ndarray, trusted: np.ndarray, shape: ItemShape) -> tuple[nn.Module, np.ndarray]:
        """A fitted base detector, and (n,) its out-of-bag scores of the rows."""
        if name == "clouds":
            return CrossFittedMixture.of(x, self.seed)
        if name in RETRIEVALS:
            return RetrievalMember.of(x, trusted, shape, RETRIEVALS[name], self.seed)
        member: nn.Module
        if name == "local_clouds":
            member = LocalMahalanobis.of(x, self.seed)
        else:
            member = RankedNearestNeighbours.of(x) if name == "ranked_neighbours" else NearestNeighbours.of(x[trusted])
        return member, scored(member, torch.from_numpy(x))


class Blend(nn.Module, ScoreModel):
    """Weighted mean of the base detectors' normalised scores; part scores and expected values by masked retrieval."""

    weights: Tensor

    differentiable = True

    def __init__(self, shape: ItemShape) -> None:
        super().__init__()
        self.shape = shape
        self.members, self.tails = nn.ModuleDict(), nn.ModuleDict()
        self.register_buffer("weights", torch.zeros(0))

    def add(self, name: str, member: nn.Module, tail: TailNormalisation) -> None:
        """Add a fitted base detector."""
        self.members[name], self.tails[name] = member, tail
        self.weigh(np.full(len(self.members), 1 / len(self.members)))

    def weigh(self, weights: np.ndarray) -> None:
        """Set the weights; they are equal by default."""
        self.weights = torch.from_numpy(weights).float()

    def score(self, x: Tensor) -> Tensor:
        return self._mean([member(x) for member in self.members.values()])

    def score_copies(self, x: Tensor, originals: SourceItems) -> Tensor:
        return self._mean([member(x, originals) for member in self.members.values()])

    def blended(self, scores: list[np.ndarray]) -> np.ndarray:
        """Scores (n,) of each base detector -> (n,) their weighted mean, as in `score`."""
        return self._mean([torch.from_numpy(s).float() for s in scores]).double().numpy()

    def _mean(self, scores: list[Tensor]) -> Tensor:
        values = [tail(s) * w for tail, s, w in zip(self.tails.values(), scores, self.weights, strict=True)]
        return torch.stack(values).sum(0)

    def forward(self, x: Tensor) -> Tensor:
        return self.score(x)

    def embed(self, x: Tensor) -> Tensor | None:
        return self._retrievals[0].task.embed(x)

    def part_scores(self, x: Tensor) -> Tensor | None:
        return torch.stack([member.part_scores(x) for member in self._retrievals]).mean(0)  # (b, columns)

    def expected(self, x: Tensor) -> Tensor | None:
        return torch.stack([member.expected(x) for member in self._retrievals]).mean(0)

    def expected_range(self, x: Tensor) -> tuple[Tensor, Tensor] | None:
        found = torch.stack([torch.stack(member.expected_range(x)) for member in self._retrievals]).mean(0)
        return found[0], found[1]

    @property
    def _retrievals(self) -> list[RetrievalMember]:
        return [member for member in self.members.values() if isinstance(member, RetrievalMember)]


def _empty(name: str, shape: ItemShape) -> nn.Module:
    """A base detector without its buffers."""
    if name in RETRIEVALS:
        return RetrievalMember(shape, RETRIEVALS[name])
    others: dict[str, type[nn.Module]] = {
        "clouds": CrossFittedMixture,
        "local_clouds": LocalMahalanobis,
        "ranked_neighbours": RankedNearestNeighbours,
    }
    return others.get(name, NearestNeighbours)()


def scored(member: nn.Module, x: Tensor) -> np.ndarray:
    """(n,) float64 scores, a thousand rows at a time."""
    with torch.no_grad():
        found = [member(rows).double().numpy() for rows in x.split(1024)]
    return np.concatenate(found) if found else np.zeros(0)
