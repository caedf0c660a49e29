"""How the authors of WaveNets drew their first weights."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..spec import Shape, Spec
from ..torch_parts.initial import Draw, Rule, fans, is_vector, torch_defaults, uniform


def ibab(name: str, shape: Shape, spec: Spec, draw: Draw) -> Tensor:
    """wavenet/model.py of ibab: Xavier uniform, filter and gate each on its own; a square embedding is the identity."""
    fan_in, fan_out = fans(name, shape)
    if is_vector(name):
        return torch.zeros(shape)
    if name.endswith("embed.weight") and shape[0] == shape[1]:
        return torch.eye(shape[0])
    if name.endswith(("dilated.weight", "gcond.weight")):
        fan_out //= 2
    return uniform(shape, math.sqrt(6 / (fan_in + fan_out)), draw)


def nv(name: str, shape: Shape, spec: Spec, draw: Draw) -> Tensor:
    """pytorch/wavenet.py of nv-wavenet: Xavier uniform with the gain of what follows; biases and embedding as torch."""
    fan_in, fan_out = fans(name, shape)
    if is_vector(name) or name.endswith("embed.weight"):
        return torch_defaults(name, shape, spec, draw)
    gain = 1.0
    if name.endswith(("dilated.weight", "gcond.weight")):
        gain = 5 / 3
    elif name.endswith(("skip.weight", "head.conv1.weight")):
        gain = math.sqrt(2)
    return uniform(shape, gain * math.sqrt(6 / (fan_in + fan_out)), draw)


RULES: dict[str, Rule] = {"ibab": ibab, "nv": nv}
