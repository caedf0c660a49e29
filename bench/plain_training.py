"""A training loop as one writes it in plain torch: the yardstick of bench/training.py.

`nn.LSTM` or `nn.GRU` over the whole chunk, `nn.Embedding`, `Conv1d`, `F.cross_entropy`, Adam, float32, nothing fused.
The model is a SampleRNN preset's own, with the same weights, so that both loops do the same work.
"""

from __future__ import annotations

import typing

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from sharks.families.torch_parts.nll import BITS
from sharks.recipes.recipe import TrainRecipe
from sharks.spec import SampleRNNSpec
from sharks.training.music.batches import Batch

State = dict[str, typing.Any]


class PlainSampleRNN(nn.Module):
    """A SampleRNN of torch's own layers, for specs whose cells torch has."""

    def __init__(self, spec: SampleRNNSpec, weights: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.spec = spec
        self.register_buffer("numbers", torch.from_numpy(spec.tables()["codec.tier_input"]))
        self.tiers = nn.ModuleList(self._tier(t) for t in range(spec.tiers))
        self.embed = nn.Embedding(spec.q_levels, spec.embed_dim)
        self.into = nn.Conv1d(spec.embed_dim, spec.dim, spec.frame_sizes[0], bias=False)
        self.hidden = nn.ModuleList(nn.Linear(spec.dim, spec.dim) for _ in range(spec.hidden_layers))
        self.out = nn.Linear(spec.dim, spec.q_levels)
        with torch.no_grad():
            self._load({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})

    def _tier(self, t: int) -> nn.ModuleDict:
        spec, D = self.spec, self.spec.dim
        kind = {"lstm": nn.LSTM, "gru": nn.GRU}[spec.cell]
        size = spec.frame_sizes[t]
        width = D if spec.expands(t) else size
        rnns = []
        for k in range(spec.layers):
            fed = D if k else width
            fed += width if (spec.skip == "prism" and k == 0) or (spec.skip == "graves" and k > 0) else 0
            rnns.append(kind(fed, D, batch_first=True))
        below = size // (spec.frame_sizes[t - 1] if t else 1)
        return nn.ModuleDict(
            {
                "expand": nn.Linear(size, D) if spec.expands(t) else nn.Identity(),
                "rnns": nn.ModuleList(rnns),
                "skips": nn.ModuleList(nn.Linear(D, D) for _ in range(spec.layers if spec.skip != "none" else 0)),
                "up": nn.ConvTranspose1d(D, D, below, stride=below, bias=False),
                "up_bias": nn.ParameterList([nn.Parameter(torch.zeros(below, D))]),
            }
        )

    def _load(self, w: dict[str, Tensor]) -> None:
        for t, tier in enumerate(self.tiers):
            if self.spec.expands(t):
                tier["expand"].weight.copy_(w[f"tiers.{t}.expand.weight"])
                tier["expand"].bias.copy_(w[f"tiers.{t}.expand.bias"])
            for k, rnn in enumerate(tier["rnns"]):
                rnn.weight_ih_l0.copy_(w[f"tiers.{t}.rnn.{k}.w_ih"])
                rnn.weight_hh_l0.copy_(w[f"tiers.{t}.rnn.{k}.w_hh"])
                rnn.bias_ih_l0.copy_(w[f"tiers.{t}.rnn.{k}.b_ih"])
                rnn.bias_hh_l0.copy_(w.get(f"tiers.{t}.rnn.{k}.b_hh", torch.zeros_like(rnn.bias_hh_l0)))
            for k, skip in enumerate(tier["skips"]):
                skip.weight.copy_(w[f"tiers.{t}.skip.{k}.weight"])
                skip.bias.copy_(w.get(f"tiers.{t}.skip.{k}.bias", torch.zeros_like(skip.bias)))
            tier["up"].weight.copy_(w[f"tiers.{t}.upsample.weight"])
            if self.spec.upsample_bias:
                tier["up_bias"][0].copy_(w[f"tiers.{t}.upsample.bias"])
        self.embed.weight.copy_(w["sample.embed.weight"])
        self.into.weight.copy_(w["sample.in.weight"])
        for i, layer in enumerate(self.hidden):
            layer.weight.copy_(w[f"sample.hidden.{i}.weight"])
            layer.bias.copy_(w[f"sample.hidden.{i}.bias"])
        self.out.weight.copy_(w["sample.out.weight"])
        self.out.bias.copy_(w["sample.out.bias"])

    def norm_weights(self) -> None:
        """Weight norm on every product, as the recipes that have it want."""
        for module in list(self.modules()):
            if isinstance(module, nn.Linear | nn.Conv1d | nn.ConvTranspose1d):
                parametrizations.weight_norm(module, "weight", dim=1 if isinstance(module, nn.ConvTranspose1d) else 0)
            elif isinstance(module, nn.LSTM | nn.GRU):
                parametrizations.weight_norm(module, "weight_ih_l0")
                parametrizations.weight_norm(module, "weight_hh_l0")

    def forward(self, levels: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Logits [B, T, Q] of `levels[:, lookback:]`, and the state after them."""
        spec, after = self.spec, {}
        said: Tensor | None = None
        for t in reversed(range(spec.tiers)):
            tier, size = self.tiers[t], spec.frame_sizes[t]
            frames = self.numbers[levels[:, spec.lookback - size : -size]]
            x = tier["expand"](frames.reshape(len(levels), -1, size))
            x = x if said is None else x + said
            outputs: list[Tensor] = []
            for k, rnn in enumerate(tier["rnns"]):
                fed = outputs[-1] if k else x
                if (spec.skip == "prism" and k == 0) or (spec.skip == "graves" and k > 0):
                    fed = torch.cat([fed, x], dim=-1)
                name = f"{t}.{k}"
                out, after[name] = rnn(fed, None if state is None else state[name])
                outputs.append(out)
            ways = [skip(out) for skip, out in zip(tier["skips"], outputs, strict=False)]
            said = tier["up"]((sum(ways) if ways else outputs[-1]).transpose(1, 2)).transpose(1, 2)
            said = said + tier["up_bias"][0].repeat(said.shape[1] // len(tier["up_bias"][0]), 1)
        windows = levels[:, spec.lookback - spec.frame_sizes[0] : -1]
        x = self.into(self.embed(windows).transpose(1, 2)).transpose(1, 2) + said
        x = F.relu(x) if spec.relu_before_hidden else x
        for layer in self.hidden:
            x = F.relu(layer(x))
        logits = self.out(x)
        return F.relu(logits) if spec.relu_logits else logits, after


class PlainLoop:
    """One step after the other; the state is carried, and starts anew for streams that begin a chunk."""

    def __init__(
        self, spec: SampleRNNSpec, train: TrainRecipe, weights: dict[str, np.ndarray], device: torch.device
    ) -> None:
        self.train, self.device, self.state = train, device, typing.cast(State | None, None)
        self.model = PlainSampleRNN(spec, weights)
        if train.weight_norm:
            self.model.norm_weights()
        self.model.to(device)
        self.adam = torch.optim.Adam(self.model.parameters(), train.learning_rate, eps=train.epsilon)

    def learn(self, batch: Batch) -> float:
        """NLL in bits of the batch before the step."""
        levels = torch.from_numpy(batch.levels).to(self.device)
        state = None if self.state is None else _reset(self.state, torch.from_numpy(batch.fresh).to(self.device))
        self.adam.zero_grad()
        logits, after = self.model(levels, state)
        loss = F.cross_entropy(logits.flatten(0, 1), levels[:, self.model.spec.lookback :].reshape(-1))
        loss.backward()
        if self.train.clip == "value":
            nn.utils.clip_grad_value_(self.model.parameters(), self.train.clip_at)
        elif self.train.clip == "norm":
            nn.utils.clip_grad_norm_(self.model.parameters(), self.train.clip_at)
        self.adam.step()
        self.state = _map(after, torch.Tensor.detach)
        return loss.item() * BITS


def _reset(state: State, fresh: Tensor) -> State:
    keep = (~fresh)[None, :, None]
    return _map(state, lambda value: value * keep)


def _map(state: State, change: typing.Callable[[Tensor], Tensor]) -> State:
    return {
        name: tuple(change(v) for v in value) if isinstance(value, tuple) else change(value)
        for name, value in state.items()
    }
