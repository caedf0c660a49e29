"""SampleRNN as soroushmehr's and dadabots' Theano code computes it: their names, their layout, numpy float64.

Written from the equations, to judge what the importer makes of their parameters. Letters as there: F and BF samples per
frame and big frame, D `dim`, E `emb_size`, Q `q_levels`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Flags(NamedTuple):
    """The arguments that a run was started with."""

    frame_size: int = 4
    big_frame_size: int = 0  # 0: two tiers
    dim: int = 10
    n_rnn: int = 2
    rnn_type: str = "GRU"
    skip_conn: bool = False
    weight_norm: bool = True
    emb_size: int = 6
    learn_h0: bool = True
    q_levels: int = 256
    q_type: str = "linear"


class Parameters:
    """Random parameters by the names that the program gives them, made when first asked for."""

    def __init__(self, flags: Flags, seed: int = 0) -> None:
        self.flags, self.arrays, self._random = flags, {}, np.random.default_rng(seed)

    def __call__(self, name: str, *shape: int, scale: float = 0.3) -> np.ndarray:
        if name not in self.arrays:
            self.arrays[name] = (scale * self._random.standard_normal(shape)).astype(np.float32)
        assert self.arrays[name].shape == shape, name
        return self.arrays[name].astype(np.float64)

    def linear(self, name: str, x: np.ndarray, outputs: int, bias: bool = True) -> np.ndarray:
        inputs = x.shape[-1]
        weight = self(f"{name}.W0", inputs, outputs, scale=1 / inputs**0.5)
        if self.flags.weight_norm:
            lengths = self(f"{name}.g0", outputs, scale=0.7)
            weight = weight * (lengths / np.linalg.norm(weight, 2, axis=0))[None]
        return x @ weight + (self(f"{name}.b", outputs) if bias else 0.0)


def made(flags: Flags, seed: int = 0) -> dict[str, np.ndarray]:
    """The parameters of such a run, float32 by name."""
    parameters = Parameters(flags, seed)
    _forward(parameters, np.zeros((1, 4 * max(flags.frame_size, flags.big_frame_size)), int))
    if flags.big_frame_size:
        parameters.linear(
            "BigFrameLevel.IndependentPreds", np.zeros((1, flags.dim)), flags.q_levels * flags.big_frame_size
        )
    for name, array in parameters.arrays.items():
        if name.endswith("h0") and not flags.learn_h0:
            array[:] = 0
    return parameters.arrays


def logits(flags: Flags, arrays: dict[str, np.ndarray], codes: np.ndarray) -> np.ndarray:
    """Codes [B, T] -> predictions [B, T - lookback, Q] of all but the first `lookback`, from the initial state."""
    parameters = Parameters(flags)
    parameters.arrays = dict(arrays)
    known = set(arrays)
    out = _forward(parameters, codes)
    assert set(parameters.arrays) == known, "the arrays are not those of these flags"
    return out


def _forward(p: Parameters, codes: np.ndarray) -> np.ndarray:
    F, BF, D, Q = p.flags.frame_size, p.flags.big_frame_size, p.flags.dim, p.flags.q_levels
    if BF:
        big = _rnn(p, "BigFrameLevel", _frames(p, codes[:, :-BF], BF), D * BF // F)
        inputs = p.linear("FrameLevel.InputExpand", _frames(p, codes[:, BF - F : -F], F), D)
        inputs = inputs + big.reshape(len(codes), -1, D)
        last = codes[:, BF - F : -1]
    else:
        inputs = _frames(p, codes[:, :-F], F)
        last = codes[:, :-1]
    frame_level = _rnn(p, "FrameLevel", inputs, F * D).reshape(len(codes), -1, D)
    windows = np.lib.stride_tricks.sliding_window_view(last, F, axis=1)
    if p.flags.emb_size:
        samples = p("SampleLevel.Embedding", Q, p.flags.emb_size, scale=1.0)[windows]
    else:
        samples = np.eye(Q)[windows]
    flat = samples.reshape(*windows.shape[:2], -1)
    out = p.linear("SampleLevel.L1_PrevSamples", flat, D, bias=False) + frame_level
    out = np.maximum(p.linear("SampleLevel.L2", out, D), 0)
    out = np.maximum(p.linear("SampleLevel.L3", out, D), 0)
    return p.linear("SampleLevel.Output", out, Q)


def _frames(p: Parameters, codes: np.ndarray, size: int) -> np.ndarray:
    """Frames of codes as numbers in [-2, 2]. Python 2 divides whole numbers to a whole one."""
    return (codes.reshape(len(codes), -1, size) / (p.flags.q_levels // 2) - 1.0) * 2.0


def _rnn(p: Parameters, level: str, inputs: np.ndarray, outputs: int) -> np.ndarray:
    """The stack over all frames [B, N, in], from h0, and the level's Output."""
    flags, D = p.flags, p.flags.dim
    lstm = flags.rnn_type == "LSTM"
    step = _lstm if lstm else _gru
    h0 = p(f"{level}.h0", flags.n_rnn, 2 * D if lstm else D)
    states = [np.repeat(h0[k][None], len(inputs), 0) for k in range(flags.n_rnn)]
    rows = []
    for n in range(inputs.shape[1]):
        below, total = inputs[:, n], 0.0
        for k in range(flags.n_rnn):
            name = f"{level}.{flags.rnn_type}{k + 1}"
            if k and flags.skip_conn:
                name, below = f"{name}+inpskip", np.concatenate([below, inputs[:, n]], -1)
            states[k] = step(p, f"{name}.Step", below, states[k])
            below = states[k][:, :D]
            if flags.skip_conn:
                out = f"{level}.LSTM{k + 1}.outskip{k + 1}y" if lstm else f"{level}.GRU.outskip{k + 1}y"
                total = total + p.linear(out, below, D, bias=k == 0)
        rows.append(total if flags.skip_conn else below)
    return p.linear(f"{level}.Output", np.stack(rows, 1), outputs)


def _gru(p: Parameters, name: str, x: np.ndarray, h: np.ndarray) -> np.ndarray:
    D = p.flags.dim
    inputs = p.linear(f"{name}.Input", x, 3 * D)
    gates = _sigmoid(p.linear(f"{name}.Recurrent_Gates", h, 2 * D, bias=False) + inputs[:, : 2 * D])
    update, reset = gates[:, :D], gates[:, D:]
    candidate = np.tanh(p.linear(f"{name}.Recurrent_Candidate", reset * h, D, bias=False) + inputs[:, 2 * D :])
    return update * candidate + (1 - update) * h


def _lstm(p: Parameters, name: str, x: np.ndarray, state: np.ndarray) -> np.ndarray:
    D = p.flags.dim
    gates = p.linear(f"{name}.Input", x, 4 * D, bias=False)
    gates = gates + p.linear(f"{name}.Recurrent_Gates", state[:, :D], 4 * D, bias=False) + p(f"{name}.b", 4 * D)
    i, f, o = (_sigmoid(gates[:, n * D : (n + 1) * D]) for n in range(3))
    c = state[:, D:] * f + np.tanh(gates[:, 3 * D :]) * i
    return np.concatenate([np.tanh(c) * o, c], -1)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))
