"""How first weights are drawn, whoever's rule it is; and torch's own rule."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ..spec import Shape, Spec

Draw = torch.Generator
Rule = Callable[[str, Shape, Spec, Draw], Tensor]  # a tensor's name and shape, the spec it is of -> its first values


def torch_defaults(name: str, shape: Shape, spec: Spec, draw: Draw) -> Tensor:
    """torch's defaults: uniform within 1/sqrt(fan in), of the hidden width in recurrent layers; normal embeddings."""
    if name.endswith("embed.weight"):
        return torch.randn(shape, generator=draw)
    if name.endswith(("h0", "c0", "upsample.bias")):
        return torch.zeros(shape)
    table = dict(spec.tensors())
    fan_in, _ = fans(name, table.get(f"{name.removesuffix('bias')}weight", shape))
    recurrent = table.get(f"{name.rpartition('.')[0]}.w_hh")
    if recurrent:
        fan_in = recurrent[1]
    elif name.endswith("upsample.weight"):  # torch takes the fan of the transposed product
        fan_in = shape[1] * shape[2]
    return uniform(shape, 1 / math.sqrt(fan_in), draw)


def fans(name: str, shape: Shape) -> tuple[int, int]:
    """What feeds one output, and what one input feeds. The upsampling is [in, out, phase], products [out, in, taps]."""
    if len(shape) == 1:
        return shape[0], shape[0]
    if name.endswith("upsample.weight"):
        return shape[0], shape[1] * shape[2]
    taps = math.prod(shape[2:])
    return shape[1] * taps, shape[0] * taps


def is_vector(name: str) -> bool:
    """Whether a tensor is a bias or a learned state, which most rules start at zero."""
    return name.endswith(("bias", "b_ih", "b_hh", "h0", "c0"))


def uniform(shape: Shape, bound: float, draw: Draw) -> Tensor:
    """Within `bound` of zero."""
    return (torch.rand(shape, generator=draw) * 2 - 1) * bound


def orthogonal(rows: int, columns: int, draw: Draw) -> Tensor:
    """Orthonormal rows or columns, whichever are fewer, uniform over all such matrices."""
    tall = torch.randn(max(rows, columns), min(rows, columns), generator=draw, dtype=torch.float64)
    q, r = torch.linalg.qr(tall)
    q = (q * torch.sign(torch.diagonal(r))).float()
    return q.contiguous() if rows >= columns else q.t().contiguous()
