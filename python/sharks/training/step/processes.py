"""Several processes that train one model, as `torchrun` starts them: each takes its share of the streams.

Gradients are summed over all processes before they are clipped, so that every process takes the same step, and a run
on two machines is the run on one up to the rounding of that sum. Only the first process writes and speaks. Devices
talk by NCCL, CPUs by Gloo.
"""

from __future__ import annotations

import datetime
import itertools
import os
from collections.abc import Sequence

import torch
from torch import Tensor

from ...errors import ResourceError

_trainings = itertools.count()  # of this process: all processes of a run do the same in the same order
_PATIENCE = datetime.timedelta(hours=2)  # the others wait while the first one validates, plays previews and saves


class Processes:
    """One of `size` processes; alone, all of this costs nothing."""

    def __init__(self, device: torch.device, alone: bool = False) -> None:
        """By the environment that torchrun makes; `ResourceError` where the processes do not find each other.

        `alone`: whatever torchrun says, this process shares its work with no other.
        """
        self.size, self.rank = 1, 0
        self._device = device
        if not alone:
            self.size, self.rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
        if self.size == 1:
            return
        import torch.distributed as distributed

        # torch imports this one by itself, some time later. Its functions then keep the group that there is, as a
        # default: `leave` would not end it, and its threads would abort the process when Python ends beneath them.
        import torch.distributed.nn

        try:
            store, rank, size = next(distributed.rendezvous("env://", timeout=_PATIENCE))
            # Neither a restart nor another training may read the addresses of those before.
            store = distributed.PrefixStore(f"sharks/{_restarts()}/{next(_trainings)}", store)
            backend = "nccl" if device.type == "cuda" else "gloo"
            if device.type == "cuda":
                torch.cuda.set_device(device)
            distributed.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=_PATIENCE)
        except (RuntimeError, ValueError) as error:
            raise ResourceError(f"process {self.rank} of {self.size} finds no others: {error}; use torchrun") from None

    @property
    def first(self) -> bool:
        return self.rank == 0

    @property
    def restarted(self) -> bool:
        """Whether torchrun has started this run before, and some process was lost."""
        return _restarts() > 0

    def part(self, count: int) -> slice:
        """This process's share of `count` things, which all have in the same order."""
        each = count // self.size
        return slice(self.rank * each, (self.rank + 1) * each)

    def add_up(self, values: Sequence[float]) -> list[float]:
        """The sums of every process's values."""
        if self.size == 1:
            return list(values)
        total = torch.tensor(values, dtype=torch.float64, device=self._device)
        torch.distributed.all_reduce(total)
        return total.tolist()

    def most(self, value: float) -> float:
        """The largest of every process's values."""
        return max(self.add_up([value if rank == self.rank else 0.0 for rank in range(self.size)]))

    def add_up_in_place(self, tensors: Sequence[Tensor]) -> None:
        """The same for tensors, as one long one: every process must give the same shapes."""
        if self.size == 1:
            return
        whole = torch.cat([tensor.flatten() for tensor in tensors])
        torch.distributed.all_reduce(whole)
        start = 0
        for tensor in tensors:
            tensor.copy_(whole[start : start + tensor.numel()].view_as(tensor))
            start += tensor.numel()

    def gather(self, share: Tensor) -> Tensor:
        """All shares [streams, ...] of all processes, in order."""
        if self.size == 1:
            return share
        shares = [torch.empty_like(share) for _ in range(self.size)]
        torch.distributed.all_gather(shares, share.contiguous())
        return torch.cat(shares)

    def wait(self) -> None:
        """Until every process has come here."""
        self.add_up([0.0])

    def leave(self) -> None:
        """End what the processes talk by, and its threads."""
        if self.size > 1 and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def _restarts() -> int:
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))


def local_device(device: torch.device) -> torch.device:
    """The GPU that torchrun means for this process."""
    return torch.device(device.type, int(os.environ.get("LOCAL_RANK", "0"))) if device.type == "cuda" else device
