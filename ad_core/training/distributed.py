"""Training of one network in several processes: `torchrun --nproc-per-node 2 -m ad_core train ...`.

Every process computes its share of a batch, and gradients are averaged. The initial and final weights and the held-out
losses of the first process count for all, so that all of them end with the same network.
"""

import atexit
import os
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
import torch.distributed as dist
from torch import nn


@dataclass(frozen=True)
class ProcessGroup:
    """The processes that train one network; by default only this one."""

    rank: int = 0
    size: int = 1

    @classmethod
    def joined(cls, device: torch.device) -> "ProcessGroup":
        """The group that `torchrun` describes in the environment; waits for all of its processes."""
        if not dist.is_available() or int(os.environ.get("WORLD_SIZE", "1")) == 1:
            return cls()
        if not dist.is_initialized():
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
            atexit.register(_leave)
        return cls(dist.get_rank(), dist.get_world_size())

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Mean over the group, in place, in one message."""
        if self.size == 1:
            return
        trained = [p for p in parameters if p.requires_grad]
        flat = torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in trained])
        dist.all_reduce(flat)
        flat /= self.size
        for p, gradient in zip(trained, flat.split([p.numel() for p in trained]), strict=True):
            p.grad = gradient.view_as(p)

    def same(self, module: nn.Module) -> None:
        """Copy the first process's weights and buffers to all others."""
        if self.size > 1:
            for value in module.state_dict().values():
                dist.broadcast(value, src=0)

    def agreed(self, number: float, device: torch.device) -> float:
        """The first process's number."""
        if self.size == 1:
            return number
        value = torch.tensor([number], dtype=torch.float32, device=device)
        dist.broadcast(value, src=0)
        return float(value)

    def share(self, items: np.ndarray) -> np.ndarray:
        """This process's part of a batch; the whole batch if there are fewer items than processes."""
        return items if len(items) < self.size else items[self.rank :: self.size]


def _leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()
