"""How the first weights of a prior are drawn: torch's own rule, a norm that changes nothing, and quiet logits."""

from __future__ import annotations

import torch
from torch import Tensor

from ..spec import Shape, Spec
from ..torch_parts.initial import Draw, Rule, torch_defaults


def codes(name: str, shape: Shape, spec: Spec, draw: Draw) -> Tensor:
    """Measured tensors stay zero until they are given; biases are zero, the first logits small."""
    if name == "prior.norm.weight":
        return torch.ones(shape)
    if name.startswith("tokenizer.") or name == "prior.scale" or name.endswith("bias"):
        return torch.zeros(shape)
    drawn = torch_defaults(name, shape, spec, draw)
    return 0.5 * drawn if name.endswith(".out.weight") else drawn


RULES: dict[str, Rule] = {"codes": codes}
