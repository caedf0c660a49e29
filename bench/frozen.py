"""How the strongest baseline is compiled: torch.compile with its weights frozen into graphs.

What changes from step to step is a tensor that a graph takes and updates in place, positions and places in rings too:
one graph plays every step, without a break or a recompilation. The draw lies inside the graph.
"""

from __future__ import annotations

import collections.abc
import os
import typing

import torch
import torch._inductor.config
from eager import Step
from torch import Tensor, nn
from torch._inductor.compile_fx import compile_fx


class FrozenStep(Step):
    """Graphs that give (logits, drawn levels), and the tensors that they update."""

    streams: int

    def __call__(self, levels: Tensor) -> Tensor:
        return self.step(levels)[0]

    def play(self, levels: Tensor) -> Tensor:
        return self.step(levels)[1]

    def step(self, levels: Tensor) -> tuple[Tensor, Tensor]:
        raise NotImplementedError

    def reset(self) -> None:
        """Back to the first sample."""
        raise NotImplementedError


def frozen(tensor: Tensor) -> nn.Parameter:
    """A weight that becomes a constant of the graph."""
    return nn.Parameter(tensor.contiguous(), requires_grad=False)


def all_frozen(tensors: collections.abc.Iterable[Tensor]) -> nn.ParameterList:
    return nn.ParameterList(frozen(tensor) for tensor in tensors)


def graph_of(module: nn.Module) -> typing.Callable:
    """The module, to be compiled when it first runs: for arguments of those shapes, and for any number of threads."""

    def backend(graph: torch.fx.GraphModule, inputs: list[Tensor]) -> typing.Callable:
        return compile_fx(graph, inputs)  # each module's own: nothing is checked, so no other may be taken for it

    unchecked = {"guard_filter_fn": lambda guards: [False] * len(guards)}
    return torch.compile(module, backend=backend, fullgraph=True, dynamic=False, options=unchecked)


def warm(step: FrozenStep, cpp_wrapper: bool) -> FrozenStep:
    """Compile all graphs of a step at its first sample, where it stays."""
    options = {"freezing": True, "cpp_wrapper": cpp_wrapper}
    threads = torch.get_num_threads()
    torch.set_num_threads(os.cpu_count() or 1)  # what is compiled for all cores leaves their number open
    try:
        with torch._inductor.config.patch(options), torch.inference_mode():
            step(torch.zeros(step.streams, dtype=torch.int64))
            step.reset()
    finally:
        torch.set_num_threads(threads)
    return step
