"""A recommendation of a pretext task: figures per method and kind of synthetic anomaly, and what they mean in words."""

from pydantic import BaseModel, ConfigDict

from ad_core.types import Modality, TrainingRows

CLEAR = 0.95
"""One method is clearly better than another when it is in so many of the resamples."""


class Figure(BaseModel):
    """An AUROC with its bootstrap interval (95 %)."""

    model_config = ConfigDict(frozen=True)

    auroc: float
    low: float
    high: float


class Standing(BaseModel):
    """How one method did."""

    model_config = ConfigDict(frozen=True)

    method: str
    title: str
    kind: str
    by_kind: dict[str, Figure]
    """Kind of synthetic anomaly -> AUROC against held-out normals."""
    mean: Figure
    """Mean over the kinds; it orders the methods and means no more than that."""
    agreement: float | None
    """Mean Spearman correlation of two seeds' scores of the held-out items; None with a single seed."""
    seeds: int
    seconds: float
    """Of one short training and its scores."""
    best_is_better: float
    """Share of the resamples in which the best pretext task is better than this method."""


class Recommendation(BaseModel):
    """What was found; plain JSON."""

    model_config = ConfigDict(frozen=True)

    modality: Modality
    training_rows: TrainingRows
    standings: list[Standing]
    """Best mean first."""
    kinds: dict[str, dict[str, str]]
    """Kind of synthetic anomaly -> its `title` and what it `says`."""
    failed: dict[str, str]
    """Method -> why it is missing, or has fewer seeds."""
    task: str | None
    """The pretext task that finds synthetic anomalies best, or the fastest of those that are about as good."""
    clear: bool
    """Whether that task is clearly better than every other task."""
    beats_balanced: float | None
    """Share of the resamples in which that task is better than Balanced."""
    choice: str
    """The method to train."""
    sentences: list[str]
    notices: list[str]

    def standing(self, method: str) -> Standing | None:
        """How a method did, None where it has no trial."""
        return next((line for line in self.standings if line.method == method), None)


def in_words(found: Recommendation) -> list[str]:
    """The finding, what to train, and what it can't know."""
    task = found.standing(found.task or "")
    if task is None:
        return ["No pretext task could be tried here; the list says why. Take Balanced."]
    sentences = [_about_task(found, task)]
    if found.beats_balanced is not None:
        sentences.append(_beside_balanced(found.beats_balanced, task))
    if found.training_rows != "clean":
        sentences.append(
            f"The training rows are declared {found.training_rows!r}. Where they hold anomalies, synthetic anomalies "
            f"mislead: they reward methods that have learnt the real ones. So take Balanced, or declare the rows clean "
            f"if you know that they are."
        )
    elif found.choice == "auto":
        sentences.append(
            "If it is to count, take Auto: a third of the score is the task's, the rest Balanced's. Where that was "
            "measured it neither gained nor lost; the task alone was mostly worse than Balanced."
        )
    else:
        sentences.append("Take Balanced, unless you look for just the kind of anomaly that a task finds best.")
    sentences.append(OF_MODALITY[found.modality])
    return sentences


OF_MODALITY = {
    Modality.TABLE: "Synthetic anomalies say which kinds a method can see, not which kinds you have.",
    Modality.IMAGE: "Balanced and CutPaste learn from defects made up in just this way, so their figures flatter them.",
    Modality.SENSOR: "On labelled recordings, choosing by synthetic anomalies did not choose better than Balanced.",
}
"""What makes the figures of a kind of data worth less than they look."""


def _about_task(found: Recommendation, task: Standing) -> str:
    others = [s for s in found.standings if s.kind == "pretext" and s.method != task.method]
    if not others:
        return f"{task.title} is the only pretext task that could be tried."
    if found.clear:
        near = max(others, key=lambda line: line.mean.auroc)
        share = max(near.best_is_better, CLEAR)
        return f"Of the pretext tasks {task.title} suits best: better than {near.title} in {share:.0%} of resamples."
    equal = [s.title for s in others if s.best_is_better < CLEAR]
    shown = ", ".join(equal[:4]) + (f" and {len(equal) - 4} more" if len(equal) > 4 else "")
    return (
        f"No clear winner among the pretext tasks: {task.title}, because it is the fastest of those that find about as "
        f"much (beside {shown})."
    )


def _beside_balanced(share: float, task: Standing) -> str:
    if share >= 0.5:
        return f"{task.title} is better than Balanced in {share:.0%} of resamples."
    return f"Balanced is better than {task.title} in {1 - share:.0%} of resamples."
