"""WaveNet for torch.compile: the cached step in the form of eager.BatchedStep.

One stream multiplies by sums, which the compiler turns into loops and joins with what stands around them; more streams
multiply by the library. Either was the faster where it is used, and as fast as max-autotune.
"""

from __future__ import annotations

import typing

import torch
import torch.nn.functional as F
from eager import draw, input_taps
from frozen import FrozenStep, all_frozen, frozen
from frozen import graph_of as compiling
from torch import Tensor, nn

from sharks.spec import WaveNetSpec


class _WaveNetGraph(nn.Module):
    """As BatchedStep: the past taps of all layers in one product, the skips in another."""

    def __init__(self, spec: WaveNetSpec, w: dict[str, Tensor], alone: bool) -> None:
        super().__init__()
        self.alone = alone
        L, self.D = spec.layers, spec.dilation
        dilated = [w[f"blocks.{i}.dilated.weight"] for i in range(L)]
        past = torch.stack([a[:, :, 0] for a in dilated])  # (L, 2D, R)
        self.taps = all_frozen(input_taps(spec, w))
        self.past = frozen(past if self.alone else past.transpose(1, 2))
        self.past_bias = frozen(torch.stack([w[f"blocks.{i}.dilated.bias"] for i in range(L)])[:, None])
        self.now = all_frozen(a[:, :, 1] for a in dilated)
        self.res = all_frozen(w[f"blocks.{i}.res.weight"].squeeze(-1) for i in range(L - 1))
        self.res_bias = all_frozen(w[f"blocks.{i}.res.bias"] for i in range(L - 1))
        self.skip = frozen(torch.cat([w[f"blocks.{i}.skip.weight"].squeeze(-1) for i in range(L)], 1))
        self.skip_bias = frozen(sum(w[f"blocks.{i}.skip.bias"].float() for i in range(L)).to(past.dtype))
        heads = ["head.conv1", "head.conv2"]
        self.heads = all_frozen(w[f"{name}.weight"].squeeze(-1) for name in heads)
        self.head_biases = all_frozen(w[f"{name}.bias"] for name in heads if f"{name}.bias" in w) or [None, None]
        self.register_buffer("dilations", torch.tensor(spec.dilations))
        self.register_buffer("first", torch.tensor([0, *spec.dilations[:-1]]).cumsum(0))  # of each layer's ring

    def forward(self, levels: Tensor, t: Tensor, older: Tensor, rings: Tensor) -> tuple[Tensor, Tensor]:
        """levels int64 (B,), t int64 (), older (B, R), rings (sum of dilations, B, R)."""
        h = self.taps[-1][levels] + older
        if len(self.taps) == 2:
            older.copy_(self.taps[0][levels])
        places = self.first + t % self.dilations
        rows = rings[places]  # (L, B, R)
        if self.alone:
            past = (rows[:, :, None] * self.past[:, None]).sum(-1) + self.past_bias
        else:
            past = torch.baddbmm(self.past_bias, rows, self.past)
        inputs, gated = [], []
        for i, now in enumerate(self.now):
            inputs.append(h)
            a = past[i] + self.product(h, now, None)
            gated.append(torch.tanh(a[:, : self.D]) * torch.sigmoid(a[:, self.D :]))
            if i < len(self.res):
                h = h + self.product(gated[-1], self.res[i], self.res_bias[i])
        rings.index_copy_(0, places, torch.stack(inputs))
        t.add_(1)
        y = torch.relu(self.product(torch.cat(gated, 1), self.skip, self.skip_bias))
        y = torch.relu(self.product(y, self.heads[0], self.head_biases[0]))
        logits = self.product(y, self.heads[1], self.head_biases[1])
        return logits, draw(logits)

    def product(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """x (B, N), weight (M, N), bias (M,) -> (B, M)."""
        if not self.alone:
            return F.linear(x, weight, bias)
        y = (x[:, None] * weight).sum(-1)
        return y if bias is None else y + bias


class CompiledWaveNet(FrozenStep):
    """`graph_of`: what becomes of each module; torch.compile, unless bench/graphs.py wants to capture it itself."""

    def __init__(
        self,
        spec: WaveNetSpec,
        w: dict[str, Tensor],
        streams: int,
        graph_of: typing.Callable[[nn.Module], typing.Callable] = compiling,
    ) -> None:
        self.streams = streams
        graph = _WaveNetGraph(spec, w, streams == 1 and graph_of is compiling)
        self.graph, like = graph_of(graph), {"dtype": graph.past.dtype}
        self.t = torch.zeros((), dtype=torch.int64)
        self.older = torch.zeros(streams, spec.residual, **like)
        self.rings = torch.zeros(sum(spec.dilations), streams, spec.residual, **like)

    def step(self, levels: Tensor) -> tuple[Tensor, Tensor]:
        return self.graph(levels, self.t, self.older, self.rings)

    def reset(self) -> None:
        for tensor in (self.t, self.older, self.rings):
            tensor.zero_()
