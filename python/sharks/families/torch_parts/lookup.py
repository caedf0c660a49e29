"""The first product over windows of levels, as a sum of looked-up rows.

Every level at every place of a window contributes one fixed vector. There are only Q of them per place, so the product
is done once per vector, not once per sample, and a window is a sum of `taps` rows: the same product in another order,
summed in float32. Where a level stands for one number only, the product itself is less work.
"""

from __future__ import annotations

import typing

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

# Up to so many numbers per embedded level, products are a faster way back than sorting what was looked up.
_NARROW = {torch.float32: 32, torch.bfloat16: 128}


def window_product(levels: Tensor, weight: Tensor, vectors: Tensor | None) -> Tensor:
    """Product of every window of `levels` int [B, T + taps - 1] with `weight` [D, C, taps] (oldest first): [B, T, D].

    `vectors` [Q, C] is what a level stands for, None for one-hot. A level of -1 is an empty place and adds nothing.
    """
    D, C, taps = weight.shape
    if vectors is not None and C == 1:  # one number a level: there is less to multiply than to look up
        heard = F.embedding(levels + 1, F.pad(vectors, (0, 0, 1, 0))).squeeze(-1)  # level -1 is row 0
        return heard.unfold(1, taps, 1) @ weight.squeeze(1).t()
    rows = weight.permute(2, 1, 0)  # [taps, C, D]
    if vectors is not None:
        rows = vectors @ rows
    rows = F.pad(rows, (0, 0, 1, 0))  # level -1 is row 0
    Q = rows.shape[1]
    places = levels.unfold(1, taps, 1) + (torch.arange(taps, device=levels.device) * Q + 1)
    return F.embedding_bag(places.reshape(-1, taps), rows.reshape(taps * Q, D), mode="sum").view(*places.shape[:2], D)


def embedded_product(levels: Tensor, weight: Tensor, vectors: Tensor, dtype: torch.dtype) -> Tensor:
    """`window_product` of levels that are all there, whose gradients may be taken as products in `dtype`."""
    if vectors.shape[1] > _NARROW.get(dtype, 0):
        return window_product(levels, weight, vectors)
    return _EmbeddedProduct.apply(levels, weight, vectors, dtype)


class _EmbeddedProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx: typing.Any, levels: Tensor, weight: Tensor, vectors: Tensor, dtype: torch.dtype) -> Tensor:
        ctx.save_for_backward(levels, weight, vectors)
        ctx.dtype = dtype
        return window_product(levels, weight, vectors)

    @staticmethod
    @once_differentiable
    def backward(ctx: typing.Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        levels, weight, vectors = ctx.saved_tensors
        fed = F.embedding(levels, vectors.to(ctx.dtype))
        # Seen as pictures of height 1 whose channels lie side by side, which is how they do lie.
        pictures = (x.transpose(1, 2).unsqueeze(2) for x in (gradient.to(ctx.dtype), fed))
        rest = (None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1, [True, True, False])
        to_fed, to_weight, _ = torch.ops.aten.convolution_backward(*pictures, weight.to(ctx.dtype).unsqueeze(2), *rest)
        to_fed = to_fed.squeeze(2).transpose(1, 2).float()
        to_vectors = torch.ops.aten.embedding_dense_backward(to_fed, levels, len(vectors), -1, False)
        return None, to_weight.squeeze(2).to(weight.dtype), to_vectors, None
