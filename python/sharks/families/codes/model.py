"""The prior of a codes model in torch: all frames of a window at once, state in and out.

Equations and stage names are those of the numpy reference.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import _VF, Tensor

from ...errors import UsageError
from ..torch_parts.model import Model, Tensors
from ..torch_parts.nll import nll
from .spec import CodesSpec

NORM_EPSILON = 1e-5


class Codes(Model):
    """Codes in, logits out. The tokenizer's tensors are held as they are, and not learnt."""

    fewest_streams = 2
    takes_chances = True

    spec: CodesSpec

    def __init__(self, spec: CodesSpec, weight_norm: bool = False) -> None:
        super().__init__(spec, weight_norm)
        held = dict(self.named_parameters())
        for name in spec.constants():
            held[name].requires_grad_(False)

    def initial_state(self, streams: int) -> Tensors:
        """`prior.h` [B, layers, hidden]: zeros."""
        held = dict(self.named_parameters())
        return {"prior.h": held["prior.scale"].new_zeros(streams, self.spec.layers, self.spec.hidden)}

    def forward(
        self, levels: Tensor, state: Tensors | None = None, taps: Tensors | None = None
    ) -> tuple[Tensor, Tensors]:
        """Logits [B, T, K] of `levels[:, lookback:]`, int [B, lookback + T], and the state after them.

        T is a multiple of `books`. `taps`, if given, receives every stage by name: [B, times it runs, width].
        """
        w, taps = self.folded(), {} if taps is None else taps
        said, partial, after = self._said(levels, state, w, taps, torch.float32, None)
        found, heads = [], []
        for q in range(self.spec.books):
            heads.append(F.relu(self._hidden(q, said, partial, w)))
            found.append(F.linear(heads[-1], w[f"prior.heads.{q}.out.weight"], w[f"prior.heads.{q}.out.bias"]))
        taps["prior.head"], taps["logits"] = (torch.stack(x, dim=2).flatten(1, 2) for x in (heads, found))
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
        """See `Model`. `predicted` is a multiple of `books`; what lies further back is in the state."""
        w, Q = self.folded(dtype), self.spec.books
        levels = levels[:, levels.shape[1] - self.spec.lookback - predicted :]
        said, partial, after = self._said(levels, state, w, {}, dtype, draw)
        targets = levels[:, self.spec.lookback :].reshape(-1, Q)
        total = said.new_zeros((), dtype=torch.float32)
        for q in range(Q):
            out = (w[f"prior.heads.{q}.out.weight"], w[f"prior.heads.{q}.out.bias"])
            x = self._hidden(q, said, partial, w).flatten(0, 1)
            total = total + nll(x, [out], targets[:, q], relu_input=True) / Q
        return total, after

    def _said(
        self,
        levels: Tensor,
        state: Tensors | None,
        w: Tensors,
        taps: Tensors,
        dtype: torch.dtype,
        draw: torch.Generator | None,
    ) -> tuple[Tensor, Tensor, Tensors]:
        """What the recurrent layers say in each frame [B, N, hidden]; the sums of its entries before each book
        [B, N, books, dims]; the state after."""
        spec, B = self.spec, levels.shape[0]
        T = levels.shape[1] - spec.lookback
        if T <= 0 or T % spec.books:
            raise UsageError(f"{T} codes to predict; wanted a multiple of the number of books, {spec.books}")
        sums = self._sums(levels.view(B, -1, spec.books))
        meant = sums[:, :, -1]
        last, before = meant[:, 2:-1], meant[:, 1:-2]
        x = torch.cat([last, last - before], dim=-1) * w["prior.scale"].float()
        if draw is not None and self.noise:
            x = x + self._drawn((B, 1, 1), draw, x) * self.noise * self._drawn(x.shape, draw, x, normal=True)
        x = F.linear(x.to(dtype), w["prior.in.weight"], w["prior.in.bias"])
        out, ends = x, []
        h = self.initial_state(B)["prior.h"] if state is None else state["prior.h"]
        for k in range(spec.layers):
            parts = [w[f"prior.rnn.{k}.{part}"] for part in ("w_ih", "w_hh", "b_ih", "b_hh")]
            start = h[:, k].to(dtype).contiguous()
            out, end = _VF.gru(self._dropped(out, draw), start[None], parts, True, 1, 0.0, self.training, False, True)
            ends.append(end[0])
            taps[f"prior.rnn.{k}"] = out
        norm = (w["prior.norm.weight"], w["prior.norm.bias"])
        said = F.layer_norm(out + x, (spec.hidden,), *norm, NORM_EPSILON)
        taps["prior.norm"] = said
        partial = torch.cat([torch.zeros_like(sums[:, 3:, :1]), sums[:, 3:, :-1]], dim=2)
        return self._dropped(said, draw), partial.to(dtype), {"prior.h": torch.stack(ends, dim=1).float()}

    def _sums(self, codes: Tensor) -> Tensor:
        """The sums of entries up to each book, float32: [B, N, books] -> [B, N, books, dims]."""
        books = dict(self.named_parameters())["tokenizer.books"]
        entries = torch.stack([F.embedding(codes[:, :, q], books[q]) for q in range(self.spec.books)], dim=2)
        return entries.cumsum(2)

    def _hidden(self, q: int, said: Tensor, partial: Tensor, w: Tensors) -> Tensor:
        """A book's own layer before its ReLU: [B, N, width]."""
        x = F.linear(said, w[f"prior.heads.{q}.hidden.weight"], w[f"prior.heads.{q}.hidden.bias"])
        return x + F.linear(partial[:, :, q], w[f"prior.heads.{q}.partial.weight"]) if q else x

    def _dropped(self, x: Tensor, draw: torch.Generator | None) -> Tensor:
        if draw is None or not self.dropout:
            return x
        return x * (self._drawn(x.shape, draw, x) >= self.dropout) / (1 - self.dropout)

    def _drawn(self, shape: tuple[int, ...], draw: torch.Generator, like: Tensor, normal: bool = False) -> Tensor:
        """Numbers drawn on the CPU, so that they are the same wherever the model learns."""
        drawn = torch.randn(shape, generator=draw) if normal else torch.rand(shape, generator=draw)
        return drawn.to(like.device, like.dtype)
