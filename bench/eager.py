"""The baseline of every speed figure: one cached step per sample in plain eager torch, written as well as eager allows.

WaveNet comes in two forms. "rings" is the cached step as one writes it: a ring per layer, one product per weight.
"batched" is as fast as eager gets: the past taps of all layers in one product, the skips of all layers in another.
SampleRNN: tiers step once per frame with torch's fused cells, the upsampling of a frame in one product. Both
look levels up instead of multiplying one-hot vectors, and draw by Gumbel-max. compiled.py writes the same steps for
torch.compile. bench/generate.py checks them all against the engine's logits before it times them.
"""

from __future__ import annotations

import typing

import torch
import torch.nn.functional as F
from torch import Tensor

from sharks.levels import quantize
from sharks.spec import SampleRNNSpec, Spec, WaveNetSpec

TEMPERATURE = 0.95


class Step(typing.Protocol):
    """One sample of B streams. Its first call takes the last level of the history, its next ones what came then."""

    def __call__(self, levels: Tensor) -> Tensor:
        """Levels int64 (B,) -> the logits (B, Q) of the next."""

    def play(self, levels: Tensor) -> Tensor:
        """Levels int64 (B,) -> the next, drawn."""
        return draw(self(levels))


def eager_steps(spec: Spec, tensors: dict, streams: int, dtype: torch.dtype = torch.float32) -> dict[str, Step]:
    """The forms of the baseline for this spec, by name, plainest first, each at its first sample."""
    w = {name: torch.tensor(array, dtype=dtype) for name, array in tensors.items()}
    forms: dict[type[Spec], dict[str, type]] = {
        WaveNetSpec: {"rings": RingsStep, "batched": BatchedStep},
        SampleRNNSpec: {"cells": SampleRNNStep},
    }
    return {name: form(spec, w, streams) for name, form in forms[type(spec)].items()}


def draw(logits: Tensor) -> Tensor:
    """Gumbel-max: levels int64 (B,) from logits (B, Q)."""
    logits = logits.float()
    return (logits - TEMPERATURE * torch.empty_like(logits).exponential_().log_()).argmax(1)


def input_taps(spec: WaveNetSpec, w: dict[str, Tensor]) -> list[Tensor]:
    """The first convolution as rows to look up, (Q, R) per tap, oldest first."""
    looked_up = (spec.input, spec.input_filter_width) in (("one-hot", 1), ("one-hot", 2), ("embedding", 0))
    assert spec.filter_width == 2 and spec.bias and looked_up, "the baseline plays the presets only"
    taps = [w["input.conv.weight"][:, :, p].T.contiguous() for p in range(spec.input_filter_width)]
    return taps or [w["input.embed.weight"]]


def sample_table(spec: SampleRNNSpec, w: dict[str, Tensor]) -> Tensor:
    """(F, Q, D): the embedding and the first product as rows to add."""
    assert spec.cell != "gru-reset-before" and spec.skip != "prism", "the baseline plays the presets only"
    like = w["sample.in.weight"]
    embed = w.get("sample.embed.weight", torch.eye(spec.q_levels, dtype=like.dtype))
    return torch.einsum("qe,dep->pqd", embed.float(), like.float()).to(like.dtype).contiguous()


def upsampling(w: dict[str, Tensor], tier: int) -> Tensor:
    """(ratio D, D): the rows of a whole frame in one product."""
    weight = w[f"tiers.{tier}.upsample.weight"]
    return weight.permute(2, 1, 0).reshape(-1, weight.shape[0]).contiguous()


class _WaveNetInput(Step):
    """The first convolution, looked up."""

    def __init__(self, spec: WaveNetSpec, w: dict[str, Tensor], streams: int) -> None:
        self.spec, self.t = spec, 0
        self.taps = input_taps(spec, w)
        self.dtype = self.taps[0].dtype
        self.older = torch.zeros(streams, spec.residual, dtype=self.dtype)  # the sample before adds this to the input

    def input(self, levels: Tensor) -> Tensor:
        h = self.taps[-1][levels] + self.older
        self.older = self.taps[0][levels] if len(self.taps) == 2 else self.older
        return h


class RingsStep(_WaveNetInput):
    """Feed levels int64 (B,); the logits (B, Q) of the next. A ring per layer, one product per weight."""

    def __init__(self, spec: WaveNetSpec, w: dict[str, Tensor], streams: int) -> None:
        super().__init__(spec, w, streams)
        self.w = {name: value.squeeze(-1) for name, value in w.items()}
        self.past = [w[f"blocks.{i}.dilated.weight"][:, :, 0].contiguous() for i in range(spec.layers)]
        self.now = [w[f"blocks.{i}.dilated.weight"][:, :, 1].contiguous() for i in range(spec.layers)]
        self.rings = [torch.zeros(d, streams, spec.residual, dtype=self.dtype) for d in spec.dilations]

    def __call__(self, levels: Tensor) -> Tensor:
        w, D, h, skips = self.w, self.spec.dilation, self.input(levels), 0
        for i, d in enumerate(self.spec.dilations):
            ring, place = self.rings[i], self.t % d
            a = F.linear(ring[place], self.past[i]) + F.linear(h, self.now[i], w[f"blocks.{i}.dilated.bias"])
            ring[place] = h
            z = torch.tanh(a[:, :D]) * torch.sigmoid(a[:, D:])
            skips = skips + F.linear(z, w[f"blocks.{i}.skip.weight"], w[f"blocks.{i}.skip.bias"])
            if i + 1 < self.spec.layers:
                h = h + F.linear(z, w[f"blocks.{i}.res.weight"], w[f"blocks.{i}.res.bias"])
        self.t += 1
        y = F.linear(torch.relu(skips), w["head.conv1.weight"], w.get("head.conv1.bias"))
        return F.linear(torch.relu(y), w["head.conv2.weight"], w.get("head.conv2.bias"))


class BatchedStep(_WaveNetInput):
    """Feed levels int64 (B,); the logits (B, Q) of the next. As few calls as eager torch allows."""

    def __init__(self, spec: WaveNetSpec, w: dict[str, Tensor], streams: int) -> None:
        super().__init__(spec, w, streams)
        L = spec.layers
        dilated = [w[f"blocks.{i}.dilated.weight"] for i in range(L)]
        self.past = torch.stack([a[:, :, 0].T for a in dilated]).contiguous()  # (L, R, 2D)
        self.past_bias = torch.stack([w[f"blocks.{i}.dilated.bias"] for i in range(L)])[:, None]
        self.now = [a[:, :, 1].T.contiguous() for a in dilated]
        self.res = [w[f"blocks.{i}.res.weight"].T.contiguous() for i in range(L - 1)]
        self.res_bias = [w[f"blocks.{i}.res.bias"] for i in range(L - 1)]
        self.skip = torch.cat([w[f"blocks.{i}.skip.weight"] for i in range(L)], 1).T.contiguous()
        self.skip_bias = sum(w[f"blocks.{i}.skip.bias"] for i in range(L))
        self.head = [w["head.conv1.weight"].T.contiguous(), w["head.conv2.weight"].T.contiguous()]
        no_bias = torch.zeros((), dtype=self.dtype)
        self.head_bias = [w.get("head.conv1.bias", no_bias), w.get("head.conv2.bias", no_bias)]
        # Every ring is as long as the longest, so that one indexing reads the past of all layers.
        self.length = max(spec.dilations)
        self.rings = torch.zeros(self.length, L, streams, spec.residual, dtype=self.dtype)
        self.dilations = torch.tensor(spec.dilations)
        self.layer = torch.arange(L)

    def __call__(self, levels: Tensor) -> Tensor:
        h, D = self.input(levels), self.spec.dilation
        rows = self.rings[(self.t - self.dilations) % self.length, self.layer]  # (L, B, R)
        past = torch.baddbmm(self.past_bias, rows, self.past)
        inputs, gated = [], []
        for i, now in enumerate(self.now):
            inputs.append(h)
            a = torch.addmm(past[i], h, now)
            z = a[:, :D].tanh() * a[:, D:].sigmoid()
            gated.append(z)
            if i < len(self.res):
                h = h + torch.addmm(self.res_bias[i], z, self.res[i])
        torch.stack(inputs, out=self.rings[self.t % self.length])
        self.t += 1
        y = torch.addmm(self.skip_bias, torch.cat(gated, 1), self.skip).relu_()
        y = (y @ self.head[0] + self.head_bias[0]).relu_()
        return y @ self.head[1] + self.head_bias[1]


class SampleRNNStep(Step):
    """Any cell but the reset-before GRU."""

    def __init__(self, spec: SampleRNNSpec, w: dict[str, Tensor], streams: int) -> None:
        self.spec, self.w, self.t = spec, w, 0
        self.table = sample_table(spec, w)
        like = {"dtype": self.table.dtype}
        self.inputs = torch.from_numpy(spec.tables()["codec.tier_input"]).to(**like)
        self.history = torch.full((streams, spec.lookback), quantize.codec_of(spec).pad_level)
        self.h = [[torch.zeros(streams, spec.dim, **like) for _ in range(spec.layers)] for _ in range(spec.tiers)]
        self.c = [[torch.zeros(streams, spec.dim, **like) for _ in range(spec.layers)] for _ in range(spec.tiers)]
        self.rows: list[Tensor] = [torch.empty(0)] * spec.tiers
        self.up = [upsampling(w, t) for t in range(spec.tiers)]
        self.places = torch.arange(spec.frame_sizes[0])

    def __call__(self, levels: Tensor) -> Tensor:
        spec, w = self.spec, self.w
        self.history = torch.cat([self.history[:, 1:], levels[:, None]], 1)
        for t in reversed(range(spec.tiers)):
            if self.t % spec.frame_sizes[t] == 0:
                self._tier(t)
        window = self.history[:, -spec.frame_sizes[0] :]
        x = self.table[self.places, window].sum(1) + self.rows[0][:, self.t % spec.frame_sizes[0]]
        self.t += 1
        x = x.relu() if spec.relu_before_hidden else x
        for i in range(spec.hidden_layers):
            x = F.linear(x, w[f"sample.hidden.{i}.weight"], w[f"sample.hidden.{i}.bias"]).relu_()
        x = F.linear(x, w["sample.out.weight"], w["sample.out.bias"])
        return x.relu_() if spec.relu_logits else x

    def _tier(self, t: int) -> None:
        spec, w, F_t = self.spec, self.w, self.spec.frame_sizes[t]
        x = self.inputs[self.history[:, -F_t:]]
        if spec.expands(t):
            x = F.linear(x, w[f"tiers.{t}.expand.weight"], w[f"tiers.{t}.expand.bias"])
        if t + 1 < spec.tiers:
            x = x + self.rows[t + 1][:, self.t // F_t % spec.ratio(t + 1)]
        out, below = None, x
        for k in range(spec.layers):
            name = f"tiers.{t}.rnn.{k}."
            below = torch.cat([below, x], 1) if k and spec.skip == "graves" else below
            args = (below, w[name + "w_ih"], w[name + "w_hh"], w[name + "b_ih"])
            if spec.cell == "lstm":
                state = (self.h[t][k], self.c[t][k])
                self.h[t][k], self.c[t][k] = torch.lstm_cell(args[0], state, *args[1:], torch.zeros_like(args[3]))
            else:
                self.h[t][k] = torch.gru_cell(args[0], self.h[t][k], *args[1:], w[name + "b_hh"])
            below = self.h[t][k]
            if spec.skip != "none":
                part = F.linear(below, w[f"tiers.{t}.skip.{k}.weight"], w.get(f"tiers.{t}.skip.{k}.bias"))
                out = part if out is None else out + part
        rows = F.linear(below if out is None else out, self.up[t]).view(len(x), spec.ratio(t), spec.dim)
        self.rows[t] = rows + w[f"tiers.{t}.upsample.bias"] if spec.upsample_bias else rows
