"""NLL of many positions without ever holding their logits.

The last layers, the softmax and all their gradients are taken block by block, so that a block's activations stay in
the cache, and neither they nor 256 numbers per sample ever travel through memory.
"""

from __future__ import annotations

import typing
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

BITS = 1.4426950408889634  # per nat
_NUMBERS = {"cpu": 1 << 19, "cuda": 1 << 25}  # of the widest activation of a block: what a cache, or a GPU, likes

Layer = tuple[Tensor, Tensor | None]  # weight [out, in], bias [out]


def nll(
    x: Tensor, layers: Sequence[Layer], targets: Tensor, *, relu_input: bool = False, relu_logits: bool = False
) -> Tensor:
    """Mean NLL in nats of `targets` int [N] under the logits that `layers`, with ReLU between them, make of `x` [N, D].

    Products are taken in the dtype of the weights, the softmax, sums over positions and gradients of weights in
    float32. `relu_input`: `x` goes through a ReLU first.
    """
    flat = [tensor for layer in layers for tensor in layer]
    learning = torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in (x, *flat))
    return _Nll.apply(x, targets, relu_input, relu_logits, learning, *flat)


class _Nll(torch.autograd.Function):
    """The gradients are made on the way forward, while a block's activations are at hand; backward only scales them."""

    @staticmethod
    def forward(
        ctx: typing.Any,
        x: Tensor,
        targets: Tensor,
        relu_input: bool,
        relu_logits: bool,
        learning: bool,
        *flat: Tensor | None,
    ) -> Tensor:
        weights, biases = typing.cast(list[Tensor], flat[::2]), flat[1::2]
        total = torch.zeros((), dtype=torch.float64, device=x.device)
        grads = [torch.zeros(t.shape, device=x.device) if learning and t is not None else None for t in flat]
        gradients = torch.empty_like(x) if learning else None
        rows = _rows(weights, x.device.type)
        for start in range(0, len(x), rows):
            block, picked = x[start : start + rows].to(weights[0].dtype), targets[start : start + rows, None]
            fed = [block.relu() if relu_input else block]
            for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
                fed.append(F.linear(fed[-1], weight, bias).relu_())
            logits = F.linear(fed[-1], weights[-1], biases[-1])
            if relu_logits:
                logits.relu_()
            log_p = torch.log_softmax(logits, dim=1, dtype=torch.float32)
            total -= log_p.gather(1, picked).sum(dtype=torch.float64)
            if gradients is None:
                continue
            gradient = log_p.exp_().scatter_add_(1, picked, log_p.new_full(picked.shape, -1.0))
            if relu_logits:
                gradient.mul_(logits > 0)
            gradient = gradient.to(logits.dtype)
            for i in reversed(range(len(weights))):
                _add(grads[2 * i], gradient.t() @ fed[i], 1 / len(x))
                _add(grads[2 * i + 1], gradient.sum(0, dtype=torch.float32), 1 / len(x))
                gradient = gradient @ weights[i]
                if i or relu_input:
                    gradient = torch.ops.aten.threshold_backward(gradient, fed[i], 0)
            torch.mul(gradient, 1 / len(x), out=gradients[start : start + rows])
        ctx.dtypes = [None if t is None else t.dtype for t in flat]
        ctx.save_for_backward(gradients, *grads)
        return (total / len(x)).to(torch.float32)

    @staticmethod
    @once_differentiable
    def backward(ctx: typing.Any, scale: Tensor) -> tuple[Tensor | None, ...]:
        gradients, *grads = ctx.saved_tensors
        if scale.device.type == "cpu" and scale == 1:  # a whole pass through memory less; a GPU would have to wait
            scaled = (None if g is None else g.to(dtype) for g, dtype in zip(grads, ctx.dtypes, strict=True))
            return gradients, None, None, None, None, *scaled
        scaled = (None if g is None else (g * scale).to(dtype) for g, dtype in zip(grads, ctx.dtypes, strict=True))
        return gradients * scale.to(gradients.dtype), None, None, None, None, *scaled


def _rows(weights: Sequence[Tensor], device: str) -> int:
    """Positions in a block."""
    return max(64, _NUMBERS.get(device, 1 << 19) // max(max(weight.shape) for weight in weights))


def _add(total: Tensor | None, part: Tensor, share: float) -> None:
    if total is not None:
        total.add_(part, alpha=share)
