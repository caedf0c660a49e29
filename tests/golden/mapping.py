"""Four programs' variables under our names: what an importer of each must do, in the fewest lines.

Conventions met here, and undone: TensorFlow kernels are [tap, in, out]; Keras stacks GRU columns z, r, h; torch weight
norm keeps direction v and length g apart, a length per index of the first axis; filter and gate come as two tensors.
"""

from __future__ import annotations

import json
import pathlib
from typing import NamedTuple

import numpy as np

from sharks.spec import SampleRNNSpec, Spec, WaveNetSpec

RECORDED = pathlib.Path(__file__).parent / "recorded"
Arrays = dict[str, np.ndarray]


class Golden(NamedTuple):
    """Forcing `levels` after the history `start` gives `wanted` from row `first` on."""

    spec: Spec
    tensors: Arrays
    start: np.ndarray  # (B, lookback)
    levels: np.ndarray  # (B, T)
    wanted: np.ndarray  # (B, T - first, Q) float32
    first: int
    log_probabilities: bool  # of the wanted values; else logits


def prism() -> Golden:
    arrays, config = _read("prism_gru")
    spec = SampleRNNSpec(
        frame_sizes=tuple(config["frame_sizes"]),
        dim=config["dim"],
        cell=config["rnn_type"],
        layers=config["num_rnn_layers"],
        q_levels=config["q_levels"],
        embed_dim=config["emb_size"],
    )
    tensors: Arrays = {}
    layer = 0  # Keras numbers layers through the model, the top tier first
    for t, tier, dense, rnn in ((1, "frame_rnn", "dense", "rnn"), (0, "frame_rnn_1", "dense_1", "rnn_1")):
        tensors[f"tiers.{t}.expand.weight"] = arrays[f"{tier}/{dense}/kernel:0"].T
        tensors[f"tiers.{t}.expand.bias"] = arrays[f"{tier}/{dense}/bias:0"]
        tensors[f"tiers.{t}.upsample.weight"] = arrays[f"{tier}/upsample:0"].transpose(2, 1, 0)
        for k in range(spec.layers):
            cell = f"{tier}/{rnn}/gru{f'_{layer}' if layer else ''}/gru_cell"
            ours = f"tiers.{t}.rnn.{k}"
            tensors[f"{ours}.w_ih"] = _rzn(arrays[f"{cell}/kernel:0"]).T
            tensors[f"{ours}.w_hh"] = _rzn(arrays[f"{cell}/recurrent_kernel:0"]).T
            tensors[f"{ours}.b_ih"], tensors[f"{ours}.b_hh"] = _rzn(arrays[f"{cell}/bias:0"])
            layer += 1
    tensors["sample.embed.weight"] = arrays["sample_mlp/embedding/embeddings:0"]
    tensors["sample.in.weight"] = arrays["sample_mlp/conv1d/kernel:0"].transpose(2, 1, 0)
    for dense, ours in (("dense_2", "sample.hidden.0"), ("dense_3", "sample.hidden.1"), ("dense_4", "sample.out")):
        tensors[f"{ours}.weight"] = arrays[f"sample_mlp/{dense}/kernel:0"].T
        tensors[f"{ours}.bias"] = arrays[f"sample_mlp/{dense}/bias:0"]
    codes = arrays["codes"]
    return Golden(spec, tensors, codes[:, : spec.lookback], codes[:, spec.lookback :], arrays["logits"], 0, False)


def deepsound() -> Golden:
    arrays, config = _read("deepsound_samplernn")
    spec = SampleRNNSpec(
        frame_sizes=tuple(int(n) for n in np.cumprod(config["frame_sizes"])),
        dim=config["dim"],
        layers=config["n_rnn"],
        q_levels=config["q_levels"],
        codec="LIN-D",
        upsample_bias=True,
        initial_state="learned",
        relu_before_hidden=True,
        hidden_layers=1,
    )
    tensors: Arrays = {}
    for t in range(spec.tiers):
        tier, ours = f"frame_level_rnns.{t}", f"tiers.{t}"
        tensors[f"{ours}.h0"] = arrays[f"{tier}.h0"]
        tensors[f"{ours}.expand.weight"] = _folded(arrays, f"{tier}.input_expand")[..., 0]
        tensors[f"{ours}.expand.bias"] = arrays[f"{tier}.input_expand.bias"]
        for k in range(spec.layers):
            for theirs, name in (
                ("weight_ih", "w_ih"),
                ("weight_hh", "w_hh"),
                ("bias_ih", "b_ih"),
                ("bias_hh", "b_hh"),
            ):
                tensors[f"{ours}.rnn.{k}.{name}"] = arrays[f"{tier}.rnn.{theirs}_l{k}"]
        tensors[f"{ours}.upsample.weight"] = _folded(arrays, f"{tier}.upsampling.conv_t")
        tensors[f"{ours}.upsample.bias"] = arrays[f"{tier}.upsampling.bias"].T
    mlp = "sample_level_mlp"
    tensors["sample.embed.weight"] = arrays[f"{mlp}.embedding.weight"]
    tensors["sample.in.weight"] = _folded(arrays, f"{mlp}.input")
    for theirs, ours in (("hidden", "sample.hidden.0"), ("output", "sample.out")):
        tensors[f"{ours}.weight"] = _folded(arrays, f"{mlp}.{theirs}")[..., 0]
        tensors[f"{ours}.bias"] = arrays[f"{mlp}.{theirs}.bias"]
    codes = _and_any_level(arrays["codes"])
    return Golden(spec, tensors, codes[:, : spec.lookback], codes[:, spec.lookback :], arrays["logprobs"], 0, True)


def ibab() -> Golden:
    arrays, config = _read("ibab_wavenet")
    spec = WaveNetSpec(
        q_levels=config["quantization_channels"],
        input_filter_width=config["filter_width"],
        filter_width=config["filter_width"],
        dilations=tuple(config["dilations"]),
        residual=config["residual_channels"],
        dilation=config["dilation_channels"],
        skip=config["skip_channels"],
        head=config["skip_channels"],
        bias=config["use_biases"],
        head_bias=config["use_biases"],
    )
    tensors: Arrays = {"input.conv.weight": arrays["causal_layer/filter:0"].transpose(2, 1, 0)}
    for i in range(spec.layers):
        layer, ours = f"dilated_stack/layer{i}", f"blocks.{i}"
        # Their biases have no names of their own: filter, gate, dense and skip, in the order they were made.
        filter_bias, gate_bias, dense_bias, skip_bias = (
            arrays[f"{layer}/Variable{n}:0"] for n in ("", "_1", "_2", "_3")
        )
        gates = [arrays[f"{layer}/{half}:0"].transpose(2, 1, 0) for half in ("filter", "gate")]
        tensors[f"{ours}.dilated.weight"] = np.concatenate(gates)
        tensors[f"{ours}.dilated.bias"] = np.concatenate([filter_bias, gate_bias])
        tensors[f"{ours}.res.weight"], tensors[f"{ours}.res.bias"] = arrays[f"{layer}/dense:0"][0].T, dense_bias
        tensors[f"{ours}.skip.weight"], tensors[f"{ours}.skip.bias"] = arrays[f"{layer}/skip:0"][0].T, skip_bias
    for i, bias in ((1, "Variable"), (2, "Variable_1")):
        tensors[f"head.conv{i}.weight"] = arrays[f"postprocessing/postprocess{i}:0"][0].T
        tensors[f"head.conv{i}.bias"] = arrays[f"postprocessing/{bias}:0"]
    codes = _and_any_level(arrays["codes"][None])
    return Golden(spec, tensors, codes[:, :1], codes[:, 1:], arrays["logits"][None], spec.receptive_field - 1, False)


def vincentherrmann() -> Golden:
    arrays, config = _read("vincent_wavenet")
    spec = WaveNetSpec(
        codec="MU-D",
        q_levels=config["classes"],
        input_filter_width=1,
        input_bias=config["bias"],
        dilations=tuple(2**i for i in range(config["layers"])) * config["blocks"],
        residual=config["residual_channels"],
        dilation=config["dilation_channels"],
        skip=config["skip_channels"],
        head=config["end_channels"],
        bias=config["bias"],
        start="empty",
    )
    tensors: Arrays = {"input.conv.weight": arrays["start_conv.weight"], "input.conv.bias": arrays["start_conv.bias"]}
    for i in range(spec.layers):
        for part in ("weight", "bias"):
            halves = [arrays[f"{half}_convs.{i}.{part}"] for half in ("filter", "gate")]
            tensors[f"blocks.{i}.dilated.{part}"] = np.concatenate(halves)
        for theirs, ours in (("residual", "res"), ("skip", "skip")):
            tensors[f"blocks.{i}.{ours}.weight"] = arrays[f"{theirs}_convs.{i}.weight"][..., 0]
            tensors[f"blocks.{i}.{ours}.bias"] = arrays[f"{theirs}_convs.{i}.bias"]
    for i in (1, 2):
        tensors[f"head.conv{i}.weight"] = arrays[f"end_conv_{i}.weight"][..., 0]
        tensors[f"head.conv{i}.bias"] = arrays[f"end_conv_{i}.bias"]
    codes = _and_any_level(arrays["codes"][None])
    return Golden(spec, tensors, codes[:, :1], codes[:, 1:], arrays["logits"][None], 0, False)


PROGRAMS = {"prism": prism, "deepsound": deepsound, "ibab": ibab, "vincentherrmann": vincentherrmann}


def _read(name: str) -> tuple[Arrays, dict]:
    """The arrays, variables without their common prefix, and the program's configuration."""
    with np.load(RECORDED / f"{name}.npz") as archive:
        arrays = {key: archive[key] for key in archive.files}
    for prefix in ("var/sample_rnn/", "var/wavenet/", "var/"):
        arrays = {key.removeprefix(prefix): value for key, value in arrays.items()}
    return arrays, json.loads((RECORDED / f"{name}.config.json").read_text())


def _rzn(columns: np.ndarray) -> np.ndarray:
    """Keras columns z, r, h as r, z, n."""
    z, r, n = np.split(columns, 3, axis=-1)
    return np.concatenate([r, z, n], axis=-1)


def _folded(arrays: Arrays, name: str) -> np.ndarray:
    """g v / |v|, a norm per index of the first axis."""
    v = arrays[f"{name}.weight_v"].astype(np.float64)
    g = arrays[f"{name}.weight_g"].astype(np.float64)
    return (g * v / np.sqrt((v**2).sum((1, 2), keepdims=True))).astype(np.float32)


def _and_any_level(codes: np.ndarray) -> np.ndarray:
    """One level more, which nothing compared has seen: the recorded last row predicts it."""
    return np.concatenate([codes, np.zeros_like(codes[:, :1])], axis=1)
