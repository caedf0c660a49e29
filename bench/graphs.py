"""The strongest torch baseline on a GPU: the steps of compiled.py, captured whole in a CUDA graph.

A graph plays as many samples as the largest frame, so that one launch plays tiers, sample level and draws of all of
them, fed by their own levels. Products go to cuBLAS. Nothing of a step reads or writes host memory.
"""

from __future__ import annotations

import time

import torch
from compiled import STEPS
from frozen import FrozenStep
from torch import Tensor, nn

from sharks.spec import Spec

LEAST_SAMPLES = 16  # of a graph: a WaveNet has no frames


def step_on(device: str, spec: Spec, tensors: dict, streams: int, dtype: torch.dtype) -> FrozenStep:
    """The step of this spec at its first sample, its weights and state on a device, not compiled."""

    def moved(module: nn.Module) -> nn.Module:
        return module.to(device)

    make = STEPS[type(spec)]
    with torch.device(device), torch.inference_mode():
        weights = {name: torch.tensor(array, dtype=dtype) for name, array in tensors.items()}
        return make(spec, weights, streams, graph_of=moved)


class Graph:
    """So many samples of B streams in one launch, on and on."""

    def __init__(self, spec: Spec, tensors: dict, streams: int, dtype: torch.dtype) -> None:
        self.step = step_on("cuda", spec, tensors, streams, dtype)
        self.streams = streams
        self.samples = max(spec.lookback, LEAST_SAMPLES)  # a whole number of every tier's frames
        self.levels = torch.zeros(streams, dtype=torch.int64, device="cuda")
        with torch.inference_mode():
            side = torch.cuda.Stream()  # where cuBLAS takes its workspaces before the capture
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                self._play()
            torch.cuda.current_stream().wait_stream(side)
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):
                self._play()

    def _play(self) -> None:
        levels = self.levels
        for _ in range(self.samples):
            levels = self.step.play(levels)
        self.levels.copy_(levels)

    def speed(self, seconds: float) -> float:
        """Samples per second of all streams together, over about so many seconds."""
        launches = max(1, round(seconds / max(self._time(2) / 2, 1e-6)))
        return launches * self.samples * self.streams / self._time(launches)

    def _time(self, launches: int) -> float:
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(launches):
            self.graph.replay()
        torch.cuda.synchronize()
        return time.perf_counter() - start


def logits(step: FrozenStep, levels: Tensor) -> Tensor:
    """Teacher forcing from the step's first sample: levels int64 (B, T) -> float32 (B, T, Q) that follow each."""
    with torch.inference_mode():
        return torch.stack([step(now).float() for now in levels.T], 1)
