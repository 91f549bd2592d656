"""Which device to compute on, and what to do when its memory runs out."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeVar

import torch

from ad_core.errors import ResourceError
from ad_core.progress import Report

T = TypeVar("T")

MOST_HALVINGS = 4
"""Maximum number of times that a batch is halved before the work fails."""


def choose_device(name: str = "auto") -> torch.device:
    """The device of that name, after a check that it exists.

    Args:
        name: "auto" (CUDA, else Apple's GPU, else the processor), "cpu", "cuda", "cuda:N" or "mps". Under `torchrun`
            "auto" and "cuda" give each process its own GPU.

    Raises:
        ResourceError: it does not exist on this machine.
    """
    has_cuda, has_mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if name == "auto":
        name = "cuda" if has_cuda else "mps" if has_mps else "cpu"
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (number and not number.isdecimal()):
        raise ResourceError(f"There is no device {name!r}. Choose auto, cpu, cuda, cuda:N (a number) or mps.")
    if (kind == "cuda" and not has_cuda) or (kind == "mps" and not has_mps):
        raise ResourceError(f"The device {name!r} was asked for, but PyTorch finds none here. Choose auto or cpu.")
    if kind != "cuda":
        return torch.device(kind)
    position = int(number) if number else int(os.environ.get("LOCAL_RANK", 0)) % torch.cuda.device_count()
    if position >= torch.cuda.device_count():
        last = torch.cuda.device_count() - 1
        raise ResourceError(
            f"The device {name!r} does not exist: the last one here is cuda:{last}. Choose that or auto."
        )
    return torch.device("cuda", position)


def use_bfloat16(precision: Literal["auto", "float32", "bfloat16"], device: torch.device) -> bool:
    """Whether to train in mixed precision; "auto" only where a CUDA device computes bfloat16 itself."""
    if precision == "auto":
        return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return precision == "bfloat16"


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed PyTorch's global generator (initial weights, dropout) within the block; its state is restored afterwards."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


class Halver:
    """Runs work in batches; halves the batch size whenever memory runs out and keeps the size that fits."""

    def __init__(self, size: int, report: Report) -> None:
        self.size, self.report, self.halvings = size, report, 0
        self.notices: list[str] = []

    def __call__(self, work: Callable[[int], T]) -> T:
        """`work(size)`, repeated with half the size as long as memory runs out.

        Raises:
            ResourceError: it did not fit after four halvings, or with a single item.
        """
        while True:
            try:
                return work(self.size)
            except torch.OutOfMemoryError:
                self._halve()
            except RuntimeError as error:  # the processor's allocator and Apple's have no exception of their own
                if "can't allocate memory" not in str(error) and "MPS backend out of memory" not in str(error):
                    raise
                self._halve()

    def _halve(self) -> None:
        if self.halvings == MOST_HALVINGS or self.size == 1:
            raise ResourceError(
                f"Memory ran out even with {self.size} items at a time. Choose a smaller network or smaller items, "
                f"or close other programs that use the device."
            ) from None
        self.size, self.halvings = self.size // 2, self.halvings + 1
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        notice = f"Memory ran out: going on with {self.size} items at a time."
        self.notices.append(notice)
        self.report.say(notice)
