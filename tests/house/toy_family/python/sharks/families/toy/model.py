"""The toy in torch: all time steps of a chunk at once, state in and out. Names are those of the numpy reference."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import _VF, Tensor

from ..torch_parts.model import Model, Tensors
from ..torch_parts.nll import nll
from .spec import ToySpec


class Toy(Model):
    """Levels in, logits out."""

    spec: ToySpec
    zeros: Tensor

    def __init__(self, spec: ToySpec, weight_norm: bool = False) -> None:
        super().__init__(spec, weight_norm)
        self.register_buffer("zeros", torch.zeros(spec.hidden), persistent=False)

    def initial_state(self, streams: int) -> Tensors:
        return {"h": self.zeros.expand(streams, -1)}

    def forward(
        self, levels: Tensor, state: Tensors | None = None, taps: Tensors | None = None
    ) -> tuple[Tensor, Tensors]:
        """Logits [B, T, Q] of `levels[:, 1:]`, `levels` int [B, 1 + T], and the state after them.

        `taps`, if given, receives every stage by name: [B, T, width].
        """
        w, taps = self.folded(), {} if taps is None else taps
        taps["hidden"], after = self._hidden(levels[:, :-1], state, w)
        taps["logits"] = F.linear(taps["hidden"], w["out.weight"], w["out.bias"])
        return taps["logits"], after

    def nll(
        self,
        levels: Tensor,
        predicted: int,
        state: Tensors | None = None,
        dtype: torch.dtype = torch.float32,
        *,
        draw: torch.Generator | None = None,
    ) -> tuple[Tensor, Tensors]:
        w = self.folded(dtype)
        levels = levels[:, -predicted - 1 :]
        x, after = self._hidden(levels[:, :-1], state, w)
        return nll(x.flatten(0, 1), [(w["out.weight"], w["out.bias"])], levels[:, 1:].reshape(-1)), after

    def _hidden(self, fed: Tensor, state: Tensors | None, w: Tensors) -> tuple[Tensor, Tensors]:
        """`hidden` [B, T, H] after each of the levels `fed` int [B, T], and the state after the last."""
        h = (self.initial_state(len(fed)) if state is None else state)["h"].to(w["rnn.w_hh"].dtype)
        x = F.embedding(fed, w["embed.weight"]).to(h.dtype)
        parts = [w["rnn.w_ih"], w["rnn.w_hh"], w["rnn.b_ih"], self.zeros.to(h.dtype)]
        out, h = _VF.rnn_relu(x, h.contiguous()[None], parts, True, 1, 0.0, self.training, False, True)
        return out, {"h": h[0].float()}
