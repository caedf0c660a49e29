"""How the authors of the IRNN drew its first weights."""

from __future__ import annotations

import torch
from torch import Tensor

from ..spec import Shape, Spec
from ..torch_parts.initial import Draw, Rule, is_vector, torch_defaults


def irnn(name: str, shape: Shape, spec: Spec, draw: Draw) -> Tensor:
    """Section 3 of Le et al.: the recurrence is the identity, biases are zero, other weights normal of deviation 0.001.

    The embedding, which they do not have, is torch's.
    """
    if name.endswith("w_hh") and shape[0] == shape[1]:
        return torch.eye(shape[0])
    if is_vector(name):
        return torch.zeros(shape)
    if name.endswith("embed.weight"):
        return torch_defaults(name, shape, spec, draw)
    return 0.001 * torch.randn(shape, generator=draw)


RULES: dict[str, Rule] = {"irnn": irnn}
