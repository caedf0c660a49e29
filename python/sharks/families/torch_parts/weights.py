"""Parameters by the table of the spec: names, shapes, weight norm, and the way out to a pack.

`Weights` is the module under all families. Without weight norm its `state_dict` is the table itself. With it, a
weight `w` is held as a direction `w_v` and a length `w_g`, one length per output, and `folded()` multiplies them out.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from ...errors import SpecError
from ..spec import Spec

# The tables of the lookup: the first products, whose sum is exact in float32, and the states before the first sample.
_LOOKED_UP = ("embed.weight", "sample.in.weight", "input.conv.weight", ".h0", ".c0")


class Weights(nn.Module):
    """Every tensor of `spec.tensors()` as a parameter under its own name, all zero until initialised or loaded."""

    def __init__(self, spec: Spec, weight_norm: bool = False) -> None:
        super().__init__()
        self.spec = spec
        self.weight_norm = weight_norm
        for name, shape in spec.tensors():
            if self.is_normed(name):
                self._hold(f"{name}_v", torch.zeros(shape))
                self._hold(f"{name}_g", torch.zeros(_length(torch.zeros(shape), name).shape))
            else:
                self._hold(name, torch.zeros(shape))

    def is_normed(self, name: str) -> bool:
        """Whether a tensor is held as direction and length: products are, embeddings, biases and states never."""
        leaf = name.rpartition(".")[2]
        return self.weight_norm and leaf in ("weight", "w_ih", "w_hh") and not name.endswith("embed.weight")

    def folded(self, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
        """The table's tensors by name, differentiable; products in `dtype`, what is looked up always in float32."""
        held = dict(self.named_parameters())
        names = (name for name, _ in self.spec.tensors())
        whole = {n: held[n] if n in held else _fold(held[f"{n}_v"], held[f"{n}_g"], n) for n in names}
        return {n: w if n.endswith(_LOOKED_UP) else w.to(dtype) for n, w in whole.items()}

    @torch.no_grad()
    def export(self) -> dict[str, np.ndarray]:
        """The table's tensors in table order as float32 arrays, multiplied out in double precision."""
        held = {n: p.detach().cpu().double() for n, p in self.named_parameters()}
        names = (name for name, _ in self.spec.tensors())
        folded = {n: held[n] if n in held else _fold(held[f"{n}_v"], held[f"{n}_g"], n) for n in names}
        return {n: np.ascontiguousarray(w.numpy().astype(np.float32)) for n, w in folded.items()}

    @torch.no_grad()
    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Set every tensor from arrays by the table's names; lengths become the norms of what is given."""
        table = dict(self.spec.tensors())
        if arrays.keys() != table.keys():
            odd = sorted(arrays.keys() ^ table.keys())[0]
            raise SpecError(f"tensor {odd!r} is {'missing' if odd in table else 'unknown'}; give exactly the table's")
        held = dict(self.named_parameters())
        for name, shape in table.items():
            value = torch.from_numpy(np.array(arrays[name], dtype=np.float32))
            if tuple(value.shape) != shape:
                raise SpecError(f"tensor {name!r} is {list(value.shape)}; wanted {list(shape)}")
            held[name if name in held else f"{name}_v"].copy_(value)
            if self.is_normed(name):
                held[f"{name}_g"].copy_(_length(value, name))

    def _hold(self, dotted: str, value: Tensor) -> None:
        """Register a parameter under a dotted name, so that `state_dict` says exactly that name."""
        *path, leaf = dotted.split(".")
        place: nn.Module = self
        for part in path:
            if part not in place._modules:
                place.add_module(part, nn.Module())
            place = place._modules[part]  # type: ignore[assignment]
        place.register_parameter(leaf, nn.Parameter(value))


def _length(value: Tensor, name: str) -> Tensor:
    """Norm over everything that feeds one output: a column of ICLR's (in, out) matrices."""
    inputs = (0,) if name.endswith("upsample.weight") else tuple(range(1, value.dim()))
    return torch.linalg.vector_norm(value, dim=inputs, keepdim=True)


def _fold(direction: Tensor, length: Tensor, name: str) -> Tensor:
    """`direction` with every output's norm made `length`, in one pass there and one back where torch has them."""
    if direction.dtype != torch.float32:  # an export in double precision
        return direction * (length / _length(direction, name))
    if name.endswith("upsample.weight"):
        flat = torch._weight_norm(direction.flatten(1), length.flatten(1), 1)
        return flat.view(direction.shape)
    return torch._weight_norm(direction, length, 0)
