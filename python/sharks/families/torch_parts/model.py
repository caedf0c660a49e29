"""What training asks of every family's model in torch."""

from __future__ import annotations

import abc
from typing import ClassVar

import torch
from torch import Tensor

from .weights import Weights

Tensors = dict[str, Tensor]


class Model(Weights, abc.ABC):
    """Levels in, NLL out; the state in and out."""

    to_compile: ClassVar[tuple[str, ...]] = ()  # methods of many small operations, which a compiler makes faster
    fewest_streams: ClassVar[int] = 1  # of a piece of a batch, for a core of its own to be worth it
    takes_chances: ClassVar[bool] = False  # `dropout` and `noise` mean something to it

    dropout: float = 0.0  # the share of channels that a training step does without
    noise: float = 0.0  # the largest deviation of what a training step adds to its input

    @abc.abstractmethod
    def initial_state(self, streams: int) -> Tensors:
        """`spec.remembered()` before the first sample, by name, each [B, ...]; a learned one has gradients."""

    @abc.abstractmethod
    def nll(
        self,
        levels: Tensor,
        predicted: int,
        state: Tensors | None = None,
        dtype: torch.dtype = torch.float32,
        *,
        draw: torch.Generator | None = None,
    ) -> tuple[Tensor, Tensors]:
        """Mean NLL in nats of the last `predicted` levels of int [B, spec.context + predicted], and the state to carry.

        `state`: the one before these levels, None for the initial one; empty where `spec.carries_state` is false.
        Products are taken in `dtype`, the state is float32. `draw`: where a model that takes chances takes them from.
        """
