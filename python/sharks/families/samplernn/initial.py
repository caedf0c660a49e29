"""How the authors of SampleRNNs drew their first weights."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..spec import Shape, Spec
from ..torch_parts.initial import Draw, Rule, fans, is_vector, orthogonal, uniform


def iclr(name: str, shape: Shape, spec: Spec, draw: Draw) -> Tensor:
    """lib/ops.py of the SampleRNN authors, in Theano: "he" and LeCun uniform, orthogonal for square recurrences."""
    fan_in, _ = fans(name, shape)
    if is_vector(name):
        return torch.zeros(shape)
    if name.endswith("embed.weight"):
        return torch.randn(shape, generator=draw)
    if name.endswith("w_hh") and shape[0] == 3 * shape[1]:  # a GRU's
        gates, candidate = 2 * shape[1], shape[1]
        rows = [uniform((gates, shape[1]), math.sqrt(3 / fan_in), draw), orthogonal(candidate, shape[1], draw)]
        return torch.cat(rows)
    if name.endswith(("w_ih", "w_hh")):
        return uniform(shape, math.sqrt(3 / fan_in), draw)
    if name == "sample.out.weight":
        square = shape[0] == shape[1]
        return orthogonal(shape[0], shape[1], draw) if square else uniform(shape, math.sqrt(3 / fan_in), draw)
    return uniform(shape, math.sqrt(6 / fan_in), draw)


def keras(name: str, shape: Shape, spec: Spec, draw: Draw) -> Tensor:
    """Keras 2: Glorot uniform products, orthogonal recurrences, small embeddings; PRiSM's normal upsampling."""
    fan_in, fan_out = fans(name, shape)
    if is_vector(name):
        return torch.zeros(shape)
    if name.endswith("embed.weight"):
        return uniform(shape, 0.05, draw)
    if name.endswith("w_hh"):
        return orthogonal(shape[0], shape[1], draw)
    if name.endswith("upsample.weight"):  # a normal cut at two deviations, rescaled to the deviation it lost
        deviation = math.sqrt(2 / (2 * shape[2] * shape[0])) / 0.87962566103423978
        value = torch.empty(shape)
        return torch.nn.init.trunc_normal_(value, 0, deviation, -2 * deviation, 2 * deviation, generator=draw)
    return uniform(shape, math.sqrt(6 / (fan_in + fan_out)), draw)


RULES: dict[str, Rule] = {"iclr": iclr, "keras": keras}
