"""How long-running work reports its progress and checks whether it should stop."""

from typing import Protocol

STAGES = ("load", "profile", "split", "train", "calibrate", "score", "map", "explain")
"""The stages of a training run, in order."""


class Report(Protocol):
    """Interface that a job, a terminal or a notebook implements to follow the work."""

    def stage(self, name: str) -> None:
        """A new stage begins: one of STAGES, or a stage name of another kind of work."""

    def step(self, done: float, **facts: float) -> None:
        """`done` in 0..1 of the current stage; facts are numbers worth drawing, such as `loss` and `held_out_loss`."""

    def say(self, message: str) -> None:
        """A sentence for the log."""

    def check(self) -> None:
        """Called often.

        Raises:
            Cancelled: the user asked to stop.
        """


class Silent:
    """A report that discards everything."""

    def stage(self, name: str) -> None: ...

    def step(self, done: float, **facts: float) -> None: ...

    def say(self, message: str) -> None: ...

    def check(self) -> None: ...


class Within:
    """A report of one part of a stage: its 0..1 is mapped to `begin..end` of the whole."""

    def __init__(self, whole: Report, begin: float, end: float) -> None:
        self.whole, self.begin, self.end = whole, begin, end

    def stage(self, name: str) -> None:
        self.whole.stage(name)

    def step(self, done: float, **facts: float) -> None:
        self.whole.step(self.begin + done * (self.end - self.begin), **facts)

    def say(self, message: str) -> None:
        self.whole.say(message)

    def check(self) -> None:
        self.whole.check()


class Quiet(Within):
    """Passes on the progress only, not the loss curves, stages and messages of one training among many."""

    def step(self, done: float, **facts: float) -> None:  # noqa: ARG002
        super().step(done)

    def stage(self, name: str) -> None: ...

    def say(self, message: str) -> None: ...
