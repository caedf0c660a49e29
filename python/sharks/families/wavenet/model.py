"""WaveNet in torch: all time steps at once, rings in and out.

Channels are the last axis, and every convolution is one matrix product over shifted copies: with few channels and many
samples that is what both a CPU and a GPU do best. Equations and stage names are those of the numpy reference.
"""

from __future__ import annotations

import functools

import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import UsageError
from ...levels.quantize import codec_of
from ..torch_parts.lookup import window_product
from ..torch_parts.model import Model, Tensors
from ..torch_parts.nll import nll
from .layer import gated_layer
from .spec import WaveNetSpec


class WaveNet(Model):
    """Levels in, logits out. With `weight_norm` every product is held as direction and length (see `Weights`)."""

    to_compile = ("_skipped",)  # the layers

    spec: WaveNetSpec
    amplitudes: Tensor

    def __init__(self, spec: WaveNetSpec, weight_norm: bool = False) -> None:
        super().__init__(spec, weight_norm)
        amplitudes = torch.tensor(codec_of(spec).decode_table())[:, None] if spec.input == "scalar" else torch.empty(0)
        self.register_buffer("amplitudes", amplitudes, persistent=False)

    def initial_state(self, streams: int) -> Tensors:
        """Empty rings: `rings.i` [B, (K-1) d, R] of zeros, `input.levels` int [B, history] of -1."""
        spec, head = self.spec, next(self.parameters())
        state = {
            f"rings.{i}": head.new_zeros(streams, (spec.filter_width - 1) * d, spec.residual)
            for i, d in enumerate(spec.dilations)
        }
        if spec.input_history:
            state["input.levels"] = torch.full((streams, spec.input_history), -1, device=head.device)
        return state

    def forward(
        self,
        levels: Tensor,
        state: Tensors | None = None,
        taps: Tensors | None = None,
        condition: Tensor | None = None,
    ) -> tuple[Tensor, Tensors]:
        """Logits [B, T, Q] of `levels[:, 1:]`, `levels` int [B, 1 + T], and the rings after them.

        `condition` is one class per stream, int [B], or one vector, [B, G], as the spec says. `taps`, if given,
        receives every stage by name: [B, T, width].
        """
        w, taps = self.folded(), {} if taps is None else taps
        state = self.initial_state(len(levels)) if state is None else state
        x, after = self._features(levels[:, :-1], state, w, taps, condition)
        taps["logits"] = F.linear(x, w["head.conv2.weight"], w.get("head.conv2.bias"))
        return taps["logits"], after

    def nll(
        self,
        levels: Tensor,
        predicted: int,
        state: Tensors | None = None,
        dtype: torch.dtype = torch.float32,
        condition: Tensor | None = None,
        *,
        draw: torch.Generator | None = None,
    ) -> tuple[Tensor, Tensors]:
        """See `Model`. A window starts with empty rings and leaves nothing to carry.

        With a context of one receptive field every prediction sees all that it can; what is missing is empty. What runs
        through the layers is summed in float32. `condition`: see `forward`.
        """
        w = self.folded(dtype)
        x, _ = self._skipped(levels[:, :-1], None, w, {}, condition, predicted)
        layers = [(w[f"head.{part}.weight"], w.get(f"head.{part}.bias")) for part in ("conv1", "conv2")]
        return nll(x.flatten(0, 1), layers, levels[:, -predicted:].reshape(-1), relu_input=True), {}

    def _features(
        self,
        fed: Tensor,
        state: Tensors | None,
        w: Tensors,
        taps: Tensors,
        condition: Tensor | None,
        predicted: int | None = None,
    ) -> tuple[Tensor, Tensors]:
        """Everything before the last product, `head.0`, for the levels `fed` int [B, T]."""
        skip, after = self._skipped(fed, state, w, taps, condition, predicted)
        head = F.relu(F.linear(F.relu(skip), w["head.conv1.weight"], w.get("head.conv1.bias")))
        taps["head.0"] = head
        return head, after

    def _skipped(
        self,
        fed: Tensor,
        state: Tensors | None,
        w: Tensors,
        taps: Tensors,
        condition: Tensor | None,
        predicted: int | None = None,
    ) -> tuple[Tensor, Tensors]:
        """What all layers say, `skip` [B, T, S].

        Without a state the rings are empty, and only what the last `predicted` outputs depend on is computed.
        """
        spec = self.spec
        predicted = fed.shape[1] if predicted is None else predicted
        if not 1 <= predicted <= fed.shape[1]:
            raise UsageError(f"{predicted} samples to predict from {fed.shape[1]}; wanted 1 to {fed.shape[1]}")
        given = self._condition(condition, len(fed), w)
        needed = [predicted]  # outputs of each layer that matter, last layer first
        for d in reversed(spec.dilations[1:]):
            needed.append(needed[-1] + (spec.filter_width - 1) * d)
        after: Tensors = {}
        h = self._first(fed, state, after, w)
        gated, dtype = [], w["blocks.0.dilated.weight"].dtype
        for i, (d, n) in enumerate(zip(spec.dilations, reversed(needed), strict=True)):
            name, past = f"blocks.{i}", (spec.filter_width - 1) * d
            n = h.shape[1] if state is not None else min(n, h.shape[1])
            if state is not None:
                x = torch.cat([state[f"rings.{i}"], h], dim=1)
                after[f"rings.{i}"] = x[:, x.shape[1] - past :]
            else:
                x = (
                    F.pad(h, (0, 0, past + n - h.shape[1], 0))
                    if h.shape[1] < past + n
                    else h[:, h.shape[1] - past - n :]
                )
            offset = w.get(f"{name}.dilated.bias")
            if given is not None:
                said = F.linear(given.to(dtype), w[f"{name}.gcond.weight"])[:, None]
                offset = said if offset is None else said + offset
            last = i == spec.layers - 1  # whose residual nothing reads
            residual, bias = (None, None) if last else (w[f"{name}.res.weight"], w.get(f"{name}.res.bias"))
            z, out = gated_layer(x, w[f"{name}.dilated.weight"], offset, residual, bias, d)
            taps[f"layer.{i}.gated"] = z
            gated.append(z if n == predicted else z[:, n - predicted :])
            if out is not None:
                h = out * spec.residual_scale if spec.residual_scale != 1 else out
                taps[f"layer.{i}.out"] = h
        taps["skip"] = self._skips(torch.cat(gated, dim=-1), w)
        return taps["skip"], after

    def _first(self, fed: Tensor, state: Tensors | None, after: Tensors, w: Tensors) -> Tensor:
        """The levels as the channels that enter the stack, [B, T, R]."""
        spec = self.spec
        if not spec.input_filter_width:
            return F.embedding(fed, w["input.embed.weight"])
        if state is None:
            fed = F.pad(fed, (spec.input_history, 0), value=-1)
        elif spec.input_history:
            fed = torch.cat([state["input.levels"], fed], dim=1)
            after["input.levels"] = fed[:, fed.shape[1] - spec.input_history :]
        vectors = {"embedding": w.get("input.embed.weight"), "scalar": self.amplitudes}.get(spec.input)
        h = window_product(fed, w["input.conv.weight"], vectors)
        return h + w["input.conv.bias"] if spec.input_bias else h

    def _skips(self, gated: Tensor, w: Tensors) -> Tensor:
        """All ways out of all layers in one product: `gated` [B, T, layers * D] to [B, T, S]."""
        blocks = [f"blocks.{i}.skip" for i in range(self.spec.layers)]
        # Added one by one: the sum of a stack would give all biases one and the same gradient in memory.
        bias = functools.reduce(torch.add, [w[f"{b}.bias"] for b in blocks]) if self.spec.bias else None
        return F.linear(gated, torch.cat([w[f"{b}.weight"] for b in blocks], dim=1), bias) * self.spec.skip_scale

    def _condition(self, condition: Tensor | None, streams: int, w: Tensors) -> Tensor | None:
        """Global conditioning as vectors [B, G], or None where the model takes none."""
        spec = self.spec
        if (condition is None) != (spec.global_channels == 0):
            wanted = "one per stream" if spec.global_channels else "none"
            raise UsageError(f"condition is {'missing' if condition is None else 'given'}; this model wants {wanted}")
        if condition is None:
            return None
        shape = (streams,) if spec.global_classes else (streams, spec.global_channels)
        if tuple(condition.shape) != shape:
            raise UsageError(f"condition is {list(condition.shape)}; wanted {list(shape)}")
        return F.embedding(condition, w["gcond.embed.weight"]) if spec.global_classes else condition
