"""SampleRNN for torch.compile: a graph per tier, and one for the sample level."""

from __future__ import annotations

import typing

import torch
import torch.nn.functional as F
from eager import draw, sample_table, upsampling
from frozen import FrozenStep, all_frozen, frozen, graph_of
from torch import Tensor, nn

from sharks.levels import quantize
from sharks.spec import SampleRNNSpec


class _TierGraph(nn.Module):
    """One frame of one tier: its cells, and the rows for the steps of the tier below."""

    def __init__(self, spec: SampleRNNSpec, w: dict[str, Tensor], tier: int) -> None:
        super().__init__()
        self.spec, self.tier = spec, tier
        own = f"tiers.{tier}."
        layers = [f"{own}rnn.{k}." for k in range(spec.layers)]
        self.inputs = frozen(torch.from_numpy(spec.tables()["codec.tier_input"]).to(w[layers[0] + "w_ih"].dtype))
        self.expand = (
            all_frozen(w[f"{own}expand.{part}"] for part in ("weight", "bias")) if spec.expands(tier) else None
        )
        self.w_ih = all_frozen(w[name + "w_ih"] for name in layers)
        self.w_hh = all_frozen(w[name + "w_hh"] for name in layers)
        self.b_ih = all_frozen(w[name + "b_ih"] for name in layers)
        self.b_hh = all_frozen(w[name + "b_hh"] for name in layers) if spec.cell == "gru" else None
        if spec.skip != "none":  # all skips are one product
            names = [f"{own}skip.{k}" for k in range(spec.layers)]
            self.skip = frozen(torch.cat([w[f"{name}.weight"] for name in names], 1))
            biases = [w[f"{name}.bias"].float() for name in names if f"{name}.bias" in w]
            self.skip_bias = frozen(sum(biases).to(self.skip.dtype))
        self.up = frozen(upsampling(w, tier))
        self.up_bias = frozen(w[f"{own}upsample.bias"].flatten()) if spec.upsample_bias else None

    def forward(
        self, levels: Tensor, history: Tensor, t: Tensor, above: Tensor | None, h: Tensor, c: Tensor, rows: Tensor
    ) -> None:
        """levels int64 (B,), history int64 (B, lookback) before them, t int64 (), above (B, ratio, D), h and c
        (layers, B, D), rows (B, ratio, D)."""
        spec, frame = self.spec, self.spec.frame_sizes[self.tier]
        x = self.inputs[torch.cat([history[:, 1:], levels[:, None]], 1)[:, -frame:]]
        if self.expand is not None:
            x = F.linear(x, *self.expand)
        if above is not None:
            x = x + above.index_select(1, (t // frame % above.shape[1])[None])[:, 0]
        below, hs, cs = x, [], []
        for k in range(spec.layers):
            below = torch.cat([below, x], 1) if k and spec.skip == "graves" else below
            gates = F.linear(below, self.w_ih[k], self.b_ih[k])
            if spec.cell == "lstm":
                i, f, g, o = (gates + F.linear(h[k], self.w_hh[k], None)).chunk(4, 1)
                cs.append(torch.sigmoid(f) * c[k] + torch.sigmoid(i) * torch.tanh(g))
                below = torch.sigmoid(o) * torch.tanh(cs[-1])
            else:
                own = F.linear(h[k], self.w_hh[k], self.b_hh[k])
                (r, z, n), (r_own, z_own, n_own) = gates.chunk(3, 1), own.chunk(3, 1)
                n = torch.tanh(n + torch.sigmoid(r + r_own) * n_own)
                below = n + torch.sigmoid(z + z_own) * (h[k] - n)
            hs.append(below)
        h.copy_(torch.stack(hs))
        if cs:
            c.copy_(torch.stack(cs))
        out = below if spec.skip == "none" else F.linear(torch.cat(hs, 1), self.skip, self.skip_bias)
        rows.copy_(F.linear(out, self.up, self.up_bias).view(rows.shape))


class _SampleGraph(nn.Module):
    """The sample level, once per sample; it remembers the levels."""

    def __init__(self, spec: SampleRNNSpec, w: dict[str, Tensor]) -> None:
        super().__init__()
        self.spec = spec
        names = [*(f"sample.hidden.{i}" for i in range(spec.hidden_layers)), "sample.out"]
        self.table = frozen(sample_table(spec, w))
        self.weights = all_frozen(w[f"{name}.weight"] for name in names)
        self.biases = all_frozen(w[f"{name}.bias"] for name in names)
        self.register_buffer("places", torch.arange(spec.frame_sizes[0]))

    def forward(self, levels: Tensor, history: Tensor, t: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """levels int64 (B,), history int64 (B, lookback), t int64 (), rows (B, F, D)."""
        spec, frame = self.spec, self.spec.frame_sizes[0]
        remembered = torch.cat([history[:, 1:], levels[:, None]], 1)
        x = self.table[self.places, remembered[:, -frame:]].sum(1) + rows.index_select(1, (t % frame)[None])[:, 0]
        x = x.relu() if spec.relu_before_hidden else x
        for i in range(spec.hidden_layers):
            x = F.linear(x, self.weights[i], self.biases[i]).relu()
        logits = F.linear(x, self.weights[-1], self.biases[-1])
        logits = logits.relu() if spec.relu_logits else logits
        history.copy_(remembered)
        t.add_(1)
        return logits, draw(logits)


class CompiledSampleRNN(FrozenStep):
    """`graph_of`: what becomes of each module; torch.compile, unless bench/graphs.py wants to capture it itself."""

    def __init__(
        self,
        spec: SampleRNNSpec,
        w: dict[str, Tensor],
        streams: int,
        graph_of: typing.Callable[[nn.Module], typing.Callable] = graph_of,
    ) -> None:
        self.spec, self.streams = spec, streams
        sample, tiers = _SampleGraph(spec, w), range(spec.tiers)
        like = {"dtype": sample.table.dtype}
        self.sample = graph_of(sample)
        self.tiers = [graph_of(_TierGraph(spec, w, t)) for t in tiers]
        self.position, self.t = 0, torch.zeros((), dtype=torch.int64)  # the same number
        self.history = torch.full((streams, spec.lookback), quantize.codec_of(spec).pad_level)
        self.h = [torch.zeros(spec.layers, streams, spec.dim, **like) for _ in tiers]
        self.c = [torch.zeros(spec.layers, streams, spec.dim, **like) for _ in tiers]
        self.rows: list[Tensor | None] = [torch.zeros(streams, spec.ratio(t), spec.dim, **like) for t in tiers]

    def step(self, levels: Tensor) -> tuple[Tensor, Tensor]:
        for t in reversed(range(self.spec.tiers)):
            if self.position % self.spec.frame_sizes[t] == 0:
                above = self.rows[t + 1] if t + 1 < self.spec.tiers else None
                self.tiers[t](levels, self.history, self.t, above, self.h[t], self.c[t], self.rows[t])
        self.position += 1
        return self.sample(levels, self.history, self.t, self.rows[0])

    def reset(self) -> None:
        self.position = 0
        self.history.fill_(quantize.codec_of(self.spec).pad_level)
        for tensor in (self.t, *self.h, *self.c):
            tensor.zero_()
