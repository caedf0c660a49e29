"""SampleRNN as PRiSM's TensorFlow code computes it: its names, Keras' layout, numpy float64.

Written from the equations, to judge what the importer makes of its variables. `old` is the code of autumn 2020: one
hidden layer, and a ReLU on the logits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


class Config(NamedTuple):
    """What its config.json says, and which code it is."""

    frame_sizes: tuple[int, ...] = (4, 16)
    dim: int = 10
    rnn_type: str = "gru"
    num_rnn_layers: int = 2
    q_type: str = "mu-law"
    q_levels: int = 256
    emb_size: int = 256  # which the program ignores
    skip_conn: bool = False
    old: bool = False
    reset_after: bool = True

    def json(self) -> dict:
        said = self._asdict()
        return {"seq_len": 64} | {name: value for name, value in said.items() if name not in ("old", "reset_after")}


class Variables:
    """Random variables by their names in a checkpoint, made when first asked for."""

    def __init__(self, seed: int = 0) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self._random = np.random.default_rng(seed)

    def __call__(self, name: str, *shape: int) -> np.ndarray:
        if name not in self.arrays:
            scale = 0.2 if name.endswith("bias") else 1.0 if "embedding" in name else np.prod(shape[:-1]) ** -0.5
            self.arrays[name] = (scale * self._random.standard_normal(shape)).astype(np.float32)
        assert self.arrays[name].shape == shape, name
        return self.arrays[name].astype(np.float64)

    def dense(self, name: str, x: np.ndarray, units: int, bias: bool = True) -> np.ndarray:
        return x @ self(f"{name}/kernel", x.shape[-1], units) + (self(f"{name}/bias", units) if bias else 0.0)


def made(config: Config, seed: int = 0) -> dict[str, np.ndarray]:
    """The variables of such a model, float32 by name, with an optimiser's slots beside them."""
    variables = Variables(seed)
    _forward(variables, config, np.zeros((1, 2 * config.frame_sizes[-1]), int))
    arrays = {f"{name}{SUFFIX}": array for name, array in variables.arrays.items()}
    slots = {f"{name}/.OPTIMIZER_SLOT/optimizer/m{SUFFIX}": np.ones_like(a) for name, a in variables.arrays.items()}
    return arrays | slots | {f"optimizer/iter{SUFFIX}": np.int64([7])[0:1], f"save_counter{SUFFIX}": np.int64([1])}


def logits(config: Config, arrays: dict[str, np.ndarray], codes: np.ndarray) -> np.ndarray:
    """Codes [B, T] -> predictions [B, T - lookback, Q] of all but the first `lookback`, from a zero state."""
    variables = Variables()
    variables.arrays = {name.removesuffix(SUFFIX): array for name, array in arrays.items() if "optimizer" not in name}
    known = set(variables.arrays)
    out = _forward(variables, config, codes)
    assert set(variables.arrays) == known
    return out


def _forward(v: Variables, config: Config, codes: np.ndarray) -> np.ndarray:
    small, big, D = config.frame_sizes[0], config.frame_sizes[-1], config.dim
    conditioning = None
    if len(config.frame_sizes) == 2:
        conditioning = _frame_rnn(v, config, "big_frame_rnn", codes[:, :-big], big, big // small, None)
    frames = _frame_rnn(v, config, "frame_rnn", codes[:, big - small : -small], small, small, conditioning)
    embedded = v("sample_mlp/embedding/embeddings", config.q_levels, config.q_levels)[codes[:, big - small : -1]]
    kernel = v("sample_mlp/inputs/kernel", small, config.q_levels, D)
    steps = embedded.shape[1] - small + 1
    out = frames + sum(embedded[:, tap : tap + steps] @ kernel[tap] for tap in range(small))
    for name in ("hidden",) if config.old else ("hidden1", "hidden2"):
        out = np.maximum(v.dense(f"sample_mlp/{name}", out, D), 0)
    out = v.dense("sample_mlp/outputs", out, config.q_levels)
    return np.maximum(out, 0) if config.old else out


def _frame_rnn(v, config, name, codes, size, below, conditioning):
    """A tier: frames of `size` codes to `below` rows for each."""
    D = config.dim
    frames = codes.reshape(len(codes), -1, size)
    inputs = v.dense(f"{name}/inputs", ((frames / (config.q_levels / 2.0)) - 1.0) * 2.0, D)
    inputs = inputs if conditioning is None else inputs + conditioning
    total, below_layer = 0.0, inputs
    for k in range(config.num_rnn_layers):
        if config.skip_conn and k == 0:  # theirs joins the input to itself here, and to nothing deeper
            below_layer = np.concatenate([inputs, inputs], -1)
        below_layer = _layer(v, config, f"{name}/rnn/layer_{k}/cell", below_layer)
        if config.skip_conn:
            total = total + v.dense(f"{name}/rnn/layer_{k}_skip_out", below_layer, D, bias=k == 0)
    out = total if config.skip_conn else below_layer
    kernel = v(f"{name}/upsample", below, D, D)  # [row, out, in]
    return np.einsum("bti,noi->btno", out, kernel).reshape(len(codes), -1, D)


def _layer(v, config, name, inputs):
    """Keras' LSTM (i, f, c, o) or GRU (z, r, h), over all frames, from zeros."""
    D, lstm = config.dim, config.rnn_type == "lstm"
    G = 4 if lstm else 3
    kernel, recurrent = v(f"{name}/kernel", inputs.shape[-1], G * D), v(f"{name}/recurrent_kernel", D, G * D)
    one_bias = lstm or not config.reset_after
    bias = v(f"{name}/bias", G * D) if one_bias else v(f"{name}/bias", 2, G * D)
    h = c = np.zeros((len(inputs), D))
    out = []
    for x in inputs.swapaxes(0, 1):
        fed = x @ kernel + (bias if one_bias else bias[0])
        if lstm:
            i, f, g, o = np.split(fed + h @ recurrent, 4, -1)
            c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
            h = _sigmoid(o) * np.tanh(c)
        else:
            back = h @ recurrent + (0.0 if one_bias else bias[1])
            z, r = _sigmoid(fed[:, :D] + back[:, :D]), _sigmoid(fed[:, D : 2 * D] + back[:, D : 2 * D])
            inner = r * back[:, 2 * D :] if config.reset_after else (r * h) @ recurrent[:, 2 * D :]
            h = z * h + (1 - z) * np.tanh(fed[:, 2 * D :] + inner)
        out.append(h)
    return np.stack(out, 1)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))
