"""WaveNet (van den Oord et al. 2016), one step.

A stack of causal convolutions, layer i looking d_i samples into the past, each a gated unit

    z = tanh(W_f * x) . sigmoid(W_g * x)

with a way on, h' = h + W_res z, and a way out, W_skip z. The sum of all ways out passes two rectified linear layers and
becomes the logits of the next level.

A dilated convolution at time t needs its input at t, t-d, t-2d. Instead of the whole history each layer keeps a ring
of its last (K-1) d inputs, so that a step computes each value once (Le Paine et al. 2016). Empty rings hold zeros: the
function of a network whose activations, not whose audio, are padded with zeros.

A step feeds the newest level, which the state holds but no layer has seen, and predicts the one after it.
"""

from __future__ import annotations

import numpy as np

from ...levels.quantize import codec_of
from ..numpy_parts.player import State, Tap
from ..numpy_parts.weights import Floats, Weights, one_hot, relu, sigmoid
from .spec import WaveNetSpec

EMPTY = -1  # a place of `input.levels` before the first sample: no level, a vector of zeros


class WaveNet:
    """The model of `player.Player`. `condition` is (B, G), or None for a model without global conditioning."""

    def __init__(self, spec: WaveNetSpec, weights: Weights, condition: Floats | None) -> None:
        self.spec, self.weights, self.condition = spec, weights, condition

    def begin(self, state: State) -> None:
        if "input.levels" in state:
            state["input.levels"][:] = EMPTY

    def predict(self, state: State, tap: Tap) -> Floats:
        spec, linear = self.spec, self.weights.linear
        h = self.first(state)
        ways_out = np.zeros((len(h), spec.skip))
        for i in range(spec.layers):
            z = tap(f"layer.{i}.gated", self.gated_unit(i, h, state))
            ways_out += linear(f"blocks.{i}.skip", z)
            if i < spec.layers - 1:  # the last way on leads nowhere
                h = tap(f"layer.{i}.out", (h + linear(f"blocks.{i}.res", z)) * spec.residual_scale)
        skip = tap("skip", ways_out * spec.skip_scale)
        head = tap("head.0", relu(linear("head.conv1", relu(skip))))
        return tap("logits", linear("head.conv2", head))

    def first(self, state: State) -> Floats:
        """The newest level, and the few before it, as the residual channels that enter the stack."""
        if self.spec.input_filter_width == 0:
            return self.vectors(state["levels"])[:, 0]
        levels = np.concatenate([state.get("input.levels", state["levels"][:, :0]), state["levels"]], axis=1)
        if "input.levels" in state:
            state["input.levels"] = levels[:, 1:]
        return self.weights.convolve("input.conv", self.vectors(levels))

    def vectors(self, levels: np.ndarray) -> Floats:
        """Levels (B, K) as the input sees them: (B, K, channels); zeros where there was no sample yet."""
        if self.spec.input == "one-hot":
            return one_hot(levels, self.spec.q_levels)
        if self.spec.input == "embedding":
            known = self.weights["input.embed.weight"]
        else:
            known = codec_of(self.spec).decode_table()[:, None].astype(np.float64)
        return np.where(levels[..., None] == EMPTY, 0.0, known[levels])

    def gated_unit(self, i: int, h: Floats, state: State) -> Floats:
        """z of layer i, (B, D), from its input now and K-1 times d samples back; the ring moves on by one."""
        d, D = self.spec.dilations[i], self.spec.dilation
        window = np.concatenate([state[f"rings.{i}"], h[:, None]], axis=1)  # the last (K-1) d + 1 inputs
        state[f"rings.{i}"] = window[:, 1:]
        a = self.weights.convolve(f"blocks.{i}.dilated", window[:, ::d])
        if self.condition is not None:
            a += self.weights.linear(f"blocks.{i}.gcond", self.condition)
        return np.tanh(a[:, :D]) * sigmoid(a[:, D:])
