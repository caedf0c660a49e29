"""SampleRNN (Mehri et al. 2017), one step.

Recurrent tiers at several rates. Tier t runs once per F_t samples: it reads the last F_t samples as numbers, adds what
the tier above says about this stretch of time, passes a stack of recurrent layers, and upsamples their output to one
vector for each step of the tier below. At the bottom a small feed-forward network sees the last F_0 levels exactly
(embedded, not as numbers), adds its vector from tier 0, and predicts one level.

    position        0       F_0      2 F_0     ...                 F_1
    top tier        runs                                           runs
    tier 0          runs    runs     runs                          runs
    sample level    predicts at every position

The vectors on their way down are a function of the hidden states, so the state does not hold them. At position p the
tier below, which steps every F samples, takes row (p / F) mod (F_t / F) of what tier t last said.
"""

from __future__ import annotations

import numpy as np

from ...levels.quantize import codec_of
from ..numpy_parts.player import State, Tap
from ..numpy_parts.weights import Floats, Weights, one_hot, product, relu, sigmoid
from .spec import SampleRNNSpec
from .tables import tier_input_table


class SampleRNN:
    """The model of `player.Player`."""

    def __init__(self, spec: SampleRNNSpec, weights: Weights, condition: None = None) -> None:
        self.spec, self.weights = spec, weights
        self.numbers = tier_input_table(spec.tier_input, codec_of(spec)).astype(np.float64)
        # [in, out, phase], a transposed convolution whose kernel is its stride: one matrix [out, in] per phase.
        self.upsample = [
            np.ascontiguousarray(weights[f"tiers.{t}.upsample.weight"].transpose(2, 1, 0)) for t in range(spec.tiers)
        ]

    def begin(self, state: State) -> None:
        if self.spec.initial_state == "learned":
            for t in range(self.spec.tiers):
                state[f"tiers.{t}.h"][:] = self.weights[f"tiers.{t}.h0"]
                if self.spec.cell == "lstm":
                    state[f"tiers.{t}.c"][:] = self.weights[f"tiers.{t}.c0"]

    def predict(self, state: State, tap: Tap) -> Floats:
        # All streams stand at the same place of the largest frame.
        position = int(state["position"][0])
        for t in reversed(range(self.spec.tiers)):
            if position % self.spec.frame_sizes[t] == 0:
                self.run_tier(t, state, position, tap)
        return self.sample_level(state, position, tap)

    def run_tier(self, t: int, state: State, position: int, tap: Tap) -> None:
        """One step of frame tier t: its hidden states move on."""
        spec = self.spec
        x = self.numbers[state["levels"][:, -spec.frame_sizes[t] :]]
        if spec.expands(t):
            x = self.weights.linear(f"tiers.{t}.expand", x)
        if t < spec.tiers - 1:
            x = x + self.conditioning(t + 1, state, position)
        h = x
        for k in range(spec.layers):
            h = tap(f"tier.{t}.rnn.{k}", self.cell(t, k, self.layer_input(k, x, h), state))

    def layer_input(self, k: int, x: Floats, below: Floats) -> Floats:
        """What recurrent layer k reads: the layer below, and by the skip wiring the tier's input x once more."""
        if self.spec.skip == "graves" and k > 0:
            return np.concatenate([below, x], axis=1)
        if self.spec.skip == "prism" and k == 0:
            return np.concatenate([x, x], axis=1)
        return below

    def cell(self, t: int, k: int, x: Floats, state: State) -> Floats:
        """One step of one recurrent layer: the new h, which also replaces the old one in the state."""
        name = f"tiers.{t}.rnn.{k}"
        w, h = self.weights, state[f"tiers.{t}.h"][:, k]
        w_hh = w[f"{name}.w_hh"]
        from_x = product(w[f"{name}.w_ih"], x) + w[f"{name}.b_ih"]
        if self.spec.cell == "gru":
            new = gru(from_x, product(w_hh, h) + w[f"{name}.b_hh"], h)
        elif self.spec.cell == "gru-reset-before":
            new = gru_reset_before(from_x, w_hh, h)
        else:
            cells = state[f"tiers.{t}.c"]
            new, cells[:, k] = lstm(from_x + product(w_hh, h), cells[:, k])
        state[f"tiers.{t}.h"][:, k] = new
        return new

    def conditioning(self, t: int, state: State, position: int) -> Floats:
        """What tier t says to the tier below at this position, (B, dim)."""
        spec, h = self.spec, state[f"tiers.{t}.h"]
        if spec.skip == "none":
            out = h[:, -1]
        else:
            ways_out = (self.weights.linear(f"tiers.{t}.skip.{k}", h[:, k]) for k in range(spec.layers))
            out = sum(ways_out, start=np.zeros_like(h[:, 0]))
        below = spec.frame_sizes[t - 1] if t else 1
        row = position // below % spec.ratio(t)
        said = product(self.upsample[t][row], out)
        return said + self.weights[f"tiers.{t}.upsample.bias"][row] if spec.upsample_bias else said

    def sample_level(self, state: State, position: int, tap: Tap) -> Floats:
        """The last F_0 levels and tier 0's vector -> logits."""
        spec, w = self.spec, self.weights
        levels = state["levels"][:, -spec.frame_sizes[0] :]
        vectors = w["sample.embed.weight"][levels] if spec.embed_dim else one_hot(levels, spec.q_levels)
        a = w.convolve("sample.in", vectors) + self.conditioning(0, state, position)
        if spec.relu_before_hidden:
            a = relu(a)
        for i in range(spec.hidden_layers):
            a = relu(w.linear(f"sample.hidden.{i}", a))
        logits = w.linear("sample.out", tap("sample.hidden.last", a))
        return tap("logits", relu(logits) if spec.relu_logits else logits)


def gru(from_x: Floats, from_h: Floats, h: Floats) -> Floats:
    """The reset gate after the product (cuDNN, Keras 2, torch). Both sums (B, 3 dim), rows r, z, n."""
    x_r, x_z, x_n = np.split(from_x, 3, axis=1)
    h_r, h_z, h_n = np.split(from_h, 3, axis=1)
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    n = np.tanh(x_n + r * h_n)
    return (1 - z) * n + z * h


def gru_reset_before(from_x: Floats, w_hh: Floats, h: Floats) -> Floats:
    """The reset gate before the product, as in Cho et al. 2014 and the 2017 SampleRNN. Rows r, z, n."""
    x_r, x_z, x_n = np.split(from_x, 3, axis=1)
    u_r, u_z, u_n = np.split(w_hh, 3, axis=0)
    r, z = sigmoid(x_r + product(u_r, h)), sigmoid(x_z + product(u_z, h))
    n = np.tanh(x_n + product(u_n, r * h))
    return (1 - z) * n + z * h


def lstm(gates: Floats, c: Floats) -> tuple[Floats, Floats]:
    """The new h and c. `gates` (B, 4 dim), rows i, f, g, o; no peepholes."""
    i, f, g, o = np.split(gates, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c
