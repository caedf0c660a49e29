"""NLL of many positions without ever holding their logits.

The last product, the softmax and their gradients are taken block by block, so that a block's logits stay in the cache
and 256 numbers per sample never travel through memory.
"""

from __future__ import annotations

import typing

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

BITS = 1.4426950408889634  # per nat
_ROWS = 4096


def nll(x: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor, relu_logits: bool = False) -> Tensor:
    """Mean NLL in nats of `targets` int [N] under the logits `x` [N, D] times `weight` [Q, D] plus `bias` [Q]."""
    return _Nll.apply(x, weight, bias, targets, relu_logits)


class _Nll(torch.autograd.Function):
    """The gradients are made on the way forward, while a block's logits are at hand; backward only scales them."""

    @staticmethod
    def forward(ctx: typing.Any, x: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor, relu: bool) -> Tensor:
        total = torch.zeros((), dtype=torch.float64, device=x.device)
        learning = any(ctx.needs_input_grad)
        grads = [torch.empty_like(x), torch.zeros_like(weight), x.new_zeros(len(weight))] if learning else []
        for start in range(0, len(x), _ROWS):
            block, picked = x[start : start + _ROWS], targets[start : start + _ROWS, None]
            logits = F.linear(block, weight, bias)
            if relu:
                logits.relu_()
            log_p = torch.log_softmax(logits, dim=1)
            total -= log_p.gather(1, picked).sum(dtype=torch.float64)
            if learning:
                slope = log_p.exp_().scatter_add_(1, picked, log_p.new_full(picked.shape, -1.0)).div_(len(x))
                if relu:
                    slope.mul_(logits > 0)
                torch.mm(slope, weight, out=grads[0][start : start + _ROWS])
                grads[1].addmm_(slope.t(), block)
                grads[2].add_(slope.sum(0))
        ctx.save_for_backward(*grads)
        ctx.has_bias = bias is not None
        return (total / len(x)).to(x.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: typing.Any, scale: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, bias = ctx.saved_tensors
        return x * scale, weight * scale, bias * scale if ctx.has_bias else None, None, None
