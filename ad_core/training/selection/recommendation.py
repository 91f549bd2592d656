"""A recommendation of a pretext task: AUROC per method and kind of synthetic anomaly, and sentences about them."""

from pydantic import BaseModel, ConfigDict

from ad_core.types import Modality, TrainingRows

CLEAR = 0.95
"""Share of the resamples in which a method has to be better than another one to count as clearly better."""


class Figure(BaseModel):
    """An AUROC with its bootstrap interval (95 %)."""

    model_config = ConfigDict(frozen=True)

    auroc: float
    low: float
    high: float


class Standing(BaseModel):
    """The result of one method."""

    model_config = ConfigDict(frozen=True)

    method: str
    title: str
    kind: str
    by_kind: dict[str, Figure]
    """Kind of synthetic anomaly -> AUROC against held-out normal items."""
    mean: Figure
    """Mean over the kinds, used only for ordering the methods."""
    agreement: float | None
    """Mean Spearman correlation of two seeds' scores of the held-out items; None with a single seed."""
    seeds: int
    seconds: float
    """Mean duration of a short training and its scoring."""
    best_is_better: float
    """Share of the resamples in which the best pretext task is better than this method."""


class Recommendation(BaseModel):
    """The result of the trials; plain JSON."""

    model_config = ConfigDict(frozen=True)

    modality: Modality
    training_rows: TrainingRows
    standings: list[Standing]
    """Best mean first."""
    kinds: dict[str, dict[str, str]]
    """Kind of synthetic anomaly -> its `title` and its description `says`."""
    failed: dict[str, str]
    """Method -> the reason why it is missing or has fewer seeds."""
    task: str | None
    """The pretext task that finds synthetic anomalies best, or the fastest of those that are not clearly worse."""
    clear: bool
    """Whether that task is clearly better than every other task."""
    beats_balanced: float | None
    """Share of the resamples in which that task is better than Balanced."""
    choice: str
    """The method to train."""
    sentences: list[str]
    notices: list[str]

    def standing(self, method: str) -> Standing | None:
        """The result of a method; None if it has no trial."""
        return next((line for line in self.standings if line.method == method), None)


def in_words(found: Recommendation) -> list[str]:
    """Sentences: the result, what to train, and the limits."""
    task = found.standing(found.task or "")
    if task is None:
        return ["No pretext task could be tried here; the table gives the reasons. Take Balanced."]
    sentences = [_about_task(found, task)]
    if found.beats_balanced is not None:
        sentences.append(_beside_balanced(found.beats_balanced, task))
    if found.training_rows != "clean":
        sentences.append(
            f"The training rows are declared {found.training_rows!r}. If there are anomalies among them, synthetic "
            f"anomalies mislead: they reward methods that have learnt the real ones. So take Balanced, or declare the "
            f"rows clean if you know that they are."
        )
    elif found.choice == "auto":
        sentences.append(
            "To use it, take Auto: the weighted mean of Balanced (two thirds) and the task (one third). In benchmarks "
            "Auto was as good as Balanced; the task alone was mostly worse."
        )
    else:
        sentences.append("Take Balanced, unless you look for exactly the kind of anomaly that a task finds best.")
    sentences.append(OF_MODALITY[found.modality])
    return sentences


OF_MODALITY = {
    Modality.TABLE: "Synthetic anomalies show which kinds a method can find, not which kinds occur in your data.",
    Modality.IMAGE: "Balanced and CutPaste are trained on such synthetic defects, so their AUROC is too optimistic.",
    Modality.SENSOR: "On labelled recordings, choosing by synthetic anomalies did not choose better than Balanced.",
}
"""Limit of the results, by kind of data."""


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
