"""One layer of a WaveNet, forwards and backwards, with as few passes through memory as torch's operations allow.

With few channels a layer is not products but copies: automatic differentiation writes a whole tensor of zeros for every
slice, and adds them up. Here each gradient is written where it belongs.
"""

from __future__ import annotations

import typing

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable


def gated_layer(
    x: Tensor, weight: Tensor, offset: Tensor | None, residual: Tensor | None, bias: Tensor | None, dilation: int
) -> tuple[Tensor, Tensor | None]:
    """The gate [B, n, D] of a layer's input `x` [B, (K-1) dilation + n, R], and x plus the residual, [B, n, R].

    `weight` [2D, R, K], oldest tap first; `offset` [2D] or [B, 1, 2D] is added before the gate; `residual` [R, D] and
    its `bias` [R], without which there is no second result. Products and gate are in the dtype of `weight`.
    """
    return _Layer.apply(x, weight, offset, residual, bias, dilation)


class _Layer(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: typing.Any,
        x: Tensor,
        weight: Tensor,
        offset: Tensor | None,
        residual: Tensor | None,
        bias: Tensor | None,
        dilation: int,
    ) -> tuple[Tensor, Tensor | None]:
        taps, width = weight.shape[2], weight.shape[0] // 2
        n = x.shape[1] - (taps - 1) * dilation
        low = x.to(weight.dtype)
        taken = torch.cat([low[:, k * dilation : k * dilation + n] for k in range(taps)], dim=-1)
        flat = weight.permute(0, 2, 1).flatten(1)
        plain = offset is not None and offset.dim() == 1
        a = F.linear(taken, flat, offset if plain else None)
        if offset is not None and not plain:
            a += offset
        t, s = torch.tanh(a[..., :width]), torch.sigmoid(a[..., width:])
        z = t * s
        out = None if residual is None else x[:, x.shape[1] - n :] + F.linear(z, residual, bias)
        ctx.save_for_backward(taken, flat, t, s, z, residual)
        ctx.offset = None if offset is None else offset.shape
        ctx.dilation, ctx.taps, ctx.biased, ctx.dtype = dilation, taps, bias is not None, x.dtype
        ctx.set_materialize_grads(False)
        return z, out

    @staticmethod
    @once_differentiable
    def backward(ctx: typing.Any, to_z: Tensor | None, to_out: Tensor | None) -> tuple[Tensor | None, ...]:
        taken, flat, t, s, z, residual = ctx.saved_tensors
        to_residual = to_bias = None
        if to_out is not None:
            gradient = to_out.to(z.dtype).flatten(0, 1)
            to_residual = gradient.t() @ z.flatten(0, 1)
            to_bias = gradient.sum(0) if ctx.biased else None
            through = (gradient @ residual).view_as(z)
            to_z = through if to_z is None else through.add_(to_z)
        if to_z is None:
            return (None,) * 6
        width = z.shape[-1]
        to_a = z.new_empty(*z.shape[:-1], 2 * width)
        torch.ops.aten.tanh_backward.grad_input(to_z * s, t, grad_input=to_a[..., :width])
        torch.ops.aten.sigmoid_backward.grad_input(to_z * t, s, grad_input=to_a[..., width:])
        rows = to_a.flatten(0, 1)
        to_weight = (rows.t() @ taken.flatten(0, 1)).view(2 * width, ctx.taps, -1).permute(0, 2, 1)
        to_offset = None if ctx.offset is None else rows.sum(0) if len(ctx.offset) == 1 else to_a.sum(1, keepdim=True)
        return _Layer._to_input(ctx, rows @ flat, to_out, z), to_weight, to_offset, to_residual, to_bias, None

    @staticmethod
    def _to_input(ctx: typing.Any, to_taken: Tensor, to_out: Tensor | None, z: Tensor) -> Tensor:
        """The gradient of the layer's input: every tap's where it was taken, and what came past the layer."""
        streams, n = z.shape[:2]
        past = (ctx.taps - 1) * ctx.dilation
        by_tap = to_taken.view(streams, n, ctx.taps, -1)
        gradient = torch.empty(streams, past + n, by_tap.shape[-1], dtype=ctx.dtype, device=z.device)
        gradient[:, :past] = 0
        gradient[:, past:] = by_tap[:, :, -1]
        if to_out is not None:
            gradient[:, past:] += to_out
        for k in range(ctx.taps - 1):
            gradient[:, k * ctx.dilation : k * ctx.dilation + n] += by_tap[:, :, k]
        return gradient
