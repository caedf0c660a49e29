"""SampleRNN in torch: all time steps of a chunk at once, state in and out.

The frame tiers run over their frames with torch's fused recurrent layers, then the sample level predicts every
position in parallel. Equations and stage names are those of the numpy reference.
"""

from __future__ import annotations

import functools

import torch
import torch.nn.functional as F
from torch import _VF, Tensor

from ...errors import UsageError
from ...levels.quantize import codec_of
from ..torch_parts.lookup import embedded_product, window_product
from ..torch_parts.model import Model, Tensors
from ..torch_parts.nll import nll
from .spec import SampleRNNSpec
from .tables import tier_input_table


class SampleRNN(Model):
    """Levels in, logits out. With `weight_norm` every product is held as direction and length (see `Weights`)."""

    fewest_streams = 8  # with fewer, reading the recurrent weights costs more than what is done with them

    spec: SampleRNNSpec
    numbers: Tensor
    no_bias: Tensor

    def __init__(self, spec: SampleRNNSpec, weight_norm: bool = False) -> None:
        super().__init__(spec, weight_norm)
        numbers = torch.from_numpy(tier_input_table(spec.tier_input, codec_of(spec)))
        self.register_buffer("numbers", numbers[:, None], persistent=False)
        self.register_buffer("no_bias", torch.zeros(spec.gates * spec.dim), persistent=False)

    def initial_state(self, streams: int) -> Tensors:
        """`tiers.t.h` (and `.c` of an LSTM), each [B, layers, D]: zeros, or the learned vectors."""
        spec, held = self.spec, dict(self.named_parameters())
        zeros = self.no_bias.new_zeros(spec.layers, spec.dim)
        kinds = "hc" if spec.cell == "lstm" else "h"
        names = [(f"tiers.{t}.{kind}", f"tiers.{t}.{kind}0") for t in range(spec.tiers) for kind in kinds]
        return {name: held.get(learned, zeros).expand(streams, -1, -1) for name, learned in names}

    def forward(
        self, levels: Tensor, state: Tensors | None = None, taps: Tensors | None = None
    ) -> tuple[Tensor, Tensors]:
        """Logits [B, T, Q] of `levels[:, lookback:]`, `levels` int [B, lookback + T], and the state after them.

        T is a multiple of `lookback`. `taps`, if given, receives every stage by name: [B, steps of its tier, width].
        """
        w, taps = self.folded(), {} if taps is None else taps
        x, after = self._features(levels, state, w, taps)
        logits = F.linear(x, w["sample.out.weight"], w["sample.out.bias"])
        taps["logits"] = F.relu(logits) if self.spec.relu_logits else logits
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
        """See `Model`. `predicted` is a multiple of `lookback`; what lies further back is in the state."""
        spec, w = self.spec, self.folded(dtype)
        levels = levels[:, levels.shape[1] - spec.lookback - predicted :]
        x, after = self._conditioned(levels, state, w, {}, dtype)
        layers = [(w[f"sample.hidden.{i}.weight"], w[f"sample.hidden.{i}.bias"]) for i in range(spec.hidden_layers)]
        layers.append((w["sample.out.weight"], w["sample.out.bias"]))
        targets = levels[:, spec.lookback :].reshape(-1)
        relus = {"relu_input": spec.relu_before_hidden, "relu_logits": spec.relu_logits}
        return nll(x.flatten(0, 1), layers, targets, **relus), after

    def _features(self, levels: Tensor, state: Tensors | None, w: Tensors, taps: Tensors) -> tuple[Tensor, Tensors]:
        """Everything before the last product: `sample.hidden.last` [B, T, D]."""
        x, after = self._conditioned(levels, state, w, taps)
        if self.spec.relu_before_hidden:
            x = F.relu(x)
        for i in range(self.spec.hidden_layers):
            x = F.relu(F.linear(x, w[f"sample.hidden.{i}.weight"], w[f"sample.hidden.{i}.bias"]))
        taps["sample.hidden.last"] = x
        return x, after

    def _conditioned(
        self, levels: Tensor, state: Tensors | None, w: Tensors, taps: Tensors, dtype: torch.dtype = torch.float32
    ) -> tuple[Tensor, Tensors]:
        """What enters the hidden layers, [B, T, D]: the last samples, and what the tiers above say of them."""
        spec = self.spec
        B, T = levels.shape[0], levels.shape[1] - spec.lookback
        if T <= 0 or T % spec.lookback:
            raise UsageError(f"{T} samples to predict; wanted a multiple of the largest frame, {spec.lookback}")
        state = self.initial_state(B) if state is None else state
        after: Tensors = {}
        said: Tensor | None = None  # what the tier above says
        for t in reversed(range(spec.tiers)):
            size = spec.frame_sizes[t]
            x = F.embedding(levels[:, spec.lookback - size : -size], self.numbers).view(B, T // size, size).to(dtype)
            if spec.expands(t):
                x = F.linear(x, w[f"tiers.{t}.expand.weight"], w[f"tiers.{t}.expand.bias"])
            if said is not None:
                x = x + said
            x = self._stack(t, x, w, state, after, taps)
            said = _upsample(x, w[f"tiers.{t}.upsample.weight"], w.get(f"tiers.{t}.upsample.bias"))
        windows = levels[:, spec.lookback - spec.frame_sizes[0] : -1]
        into, vectors = w["sample.in.weight"], w.get("sample.embed.weight")
        if vectors is None:
            x = window_product(windows, into, None)
        else:
            x = embedded_product(windows, into, vectors, dtype)
        x = x.to(dtype)
        return x if said is None else x + said, after

    def _stack(self, t: int, x: Tensor, w: Tensors, state: Tensors, after: Tensors, taps: Tensors) -> Tensor:
        """The recurrent layers of tier `t` over `x` [B, N, width], with the spec's skip wiring: [B, N, D]."""
        spec = self.spec
        outputs: list[Tensor] = []
        ends: dict[str, list[Tensor]] = {"h": [], "c": []}
        for k in range(spec.layers):
            fed = outputs[-1] if k else x
            if (spec.skip == "prism" and k == 0) or (spec.skip == "graves" and k > 0):
                fed = torch.cat([fed, x], dim=-1)
            name = f"tiers.{t}.rnn.{k}"
            parts = [
                w[f"{name}.w_ih"],
                w[f"{name}.w_hh"],
                w[f"{name}.b_ih"],
                w.get(f"{name}.b_hh", self.no_bias).to(x.dtype),
            ]
            h = state[f"tiers.{t}.h"][:, k].to(x.dtype).contiguous()
            if spec.cell == "lstm":
                c = state[f"tiers.{t}.c"][:, k].to(x.dtype).contiguous()
                out, h, c = _VF.lstm(fed, (h[None], c[None]), parts, True, 1, 0.0, self.training, False, True)
                ends["c"].append(c[0])
            elif spec.cell == "gru":
                out, h = _VF.gru(fed, h[None], parts, True, 1, 0.0, self.training, False, True)
            else:
                out, h = _gru_reset_before(fed, h, *parts[:3])
            ends["h"].append(h[0])
            outputs.append(out)
            taps[f"tier.{t}.rnn.{k}"] = out
        after |= {f"tiers.{t}.{kind}": torch.stack(end, dim=1).float() for kind, end in ends.items() if end}
        if spec.skip == "none":
            return outputs[-1]
        skip = f"tiers.{t}.skip"
        ways = (F.linear(o, w[f"{skip}.{k}.weight"], w.get(f"{skip}.{k}.bias")) for k, o in enumerate(outputs))
        return functools.reduce(torch.add, ways)


def _gru_reset_before(x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor) -> tuple[Tensor, Tensor]:
    """The GRU whose reset gate acts before the recurrent product, which no fused kernel has; rows r, z, n."""
    D = h.shape[1]
    gates, candidate = w_hh[: 2 * D].t(), w_hh[2 * D :].t()
    outputs = []
    for fed in F.linear(x, w_ih, b_ih).unbind(1):
        r, z = torch.sigmoid(torch.addmm(fed[:, : 2 * D], h, gates)).chunk(2, dim=1)
        n = torch.tanh(torch.addmm(fed[:, 2 * D :], r * h, candidate))
        h = n + z * (h - n)
        outputs.append(h)
    return torch.stack(outputs, dim=1), h[None]


def _upsample(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """One row per step of the tier below: [B, N, D] to [B, N * phases, D]; weight [in, out, phase], bias [phase, D]."""
    B, N, D = x.shape
    phases = weight.shape[2]
    rows = F.linear(x, weight.permute(2, 1, 0).reshape(phases * D, D), None if bias is None else bias.reshape(-1))
    return rows.view(B, N * phases, D)
