"""Devices by name, and work in batches that shrink."""

import pytest
import torch

from ad_core.devices import Halver, choose_device, seeded, use_bfloat16
from ad_core.errors import ResourceError
from ad_core.progress import Silent

CPU = torch.device("cpu")


class Listening(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)


def test_the_processor_is_always_there():
    assert choose_device("cpu") == CPU


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="has a GPU")
@pytest.mark.parametrize("name", ["cuda", "cuda:1", "mps"])
def test_a_device_that_is_not_there_is_a_clear_error(name):
    with pytest.raises(ResourceError, match=f"'{name}' was asked for, but PyTorch finds none here"):
        choose_device(name)


@pytest.mark.parametrize("name", ["gpu", "cuda:x", ""])
def test_a_name_that_is_no_device_is_a_clear_error(name):
    with pytest.raises(ResourceError, match="There is no device"):
        choose_device(name)


def test_mixed_precision_is_chosen_by_itself_only_on_cuda():
    assert not use_bfloat16("auto", CPU)
    assert use_bfloat16("bfloat16", CPU)
    assert not use_bfloat16("float32", CPU)


def test_a_batch_is_halved_until_it_fits_and_stays_so():
    report = Listening()
    halver, tried = Halver(100, report), []

    def work(size: int) -> str:
        tried.append(size)
        if size > 30:
            raise torch.OutOfMemoryError
        return "done"

    assert halver(work) == "done"
    assert halver(work) == "done"
    assert tried == [100, 50, 25, 25]
    assert halver.halvings == 2
    assert report.said == halver.notices == [f"Memory ran out: going on with {n} items at a time." for n in (50, 25)]


@pytest.mark.parametrize(("start", "last"), [(128, 8), (3, 1)])
def test_after_four_halvings_or_at_one_item_the_work_is_given_up(start, last):
    def work(size: int) -> None:
        raise torch.OutOfMemoryError

    with pytest.raises(
        ResourceError, match=f"Memory ran out even with {last} items at a time. Choose a smaller network"
    ):
        Halver(start, Silent())(work)


def test_the_processors_own_allocator_counts_as_memory_running_out():
    """Asked for 4 EiB, it raises a plain RuntimeError."""
    halver = Halver(4, Silent())

    halver(lambda size: torch.empty(2**60, dtype=torch.float32) if size > 2 else None)

    assert halver.halvings == 1


def test_other_errors_are_not_swallowed():
    def work(size: int) -> None:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        Halver(4, Silent())(work)


def test_seeded_work_leaves_the_global_randomness_as_it_was():
    before = torch.get_rng_state()

    with seeded(5, CPU):
        first = torch.rand(3)
    with seeded(5, CPU):
        second = torch.rand(3)

    assert torch.equal(first, second)
    assert torch.equal(before, torch.get_rng_state())
