"""PRiSM's SampleRNN (TensorFlow 2, github.com/rncm-prism/prism-samplernn), as its training saves weights.

Two programs share the name. The one of November 2021 has two hidden layers; the one of autumn 2020, which 1000sharks
ran, has one, and a ReLU on the logits. Only the name of the hidden layer tells them apart.
"""

from __future__ import annotations

import collections.abc

import numpy as np

from ...families.samplernn.spec import SampleRNNSpec
from ...families.spec import Spec
from ..source import Source, Tensors
from .layouts import KERAS_GRU, reordered

SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
KEYS = (("frame_sizes", "num_rnn_layers"),)
_CODECS = {"mu-law": ("MU-R", "MU-R"), "linear": ("LIN-P", "LIN-W")}  # of 2021, of 2020
_TIERS = ("frame_rnn", "big_frame_rnn")
_SLOTS = r"(^|/)optimizer(/|$)|OPTIMIZER_SLOT|(^|/)save_counter/|(^|/)keras_api/|_CHECKPOINTABLE_OBJECT_GRAPH"


def prefix(names: collections.abc.Collection[str]) -> str | None:
    """What stands before the program's names, None if this is another program's checkpoint."""
    anchor = f"sample_mlp/inputs/kernel{SUFFIX}"
    return next((name.removesuffix(anchor) for name in names if name.endswith(anchor)), None)


def build(source: Source) -> tuple[Spec, Tensors]:
    source.drop(_SLOTS, "the optimiser's and Keras' own")
    spec = _spec(source)
    tensors: Tensors = {}
    for t in range(spec.tiers):
        _tier(source, spec, t, tensors)
    D, Q, E = spec.dim, spec.q_levels, spec.embed_dim
    tensors["sample.embed.weight"] = source.take("sample_mlp/embedding/embeddings", Q, E)
    tensors["sample.in.weight"] = source.take("sample_mlp/inputs/kernel", spec.frame_sizes[0], E, D).transpose(2, 1, 0)
    hidden = ("hidden1", "hidden2") if spec.hidden_layers == 2 else ("hidden",)
    products = [(name, f"sample.hidden.{i}", D) for i, name in enumerate(hidden)] + [("outputs", "sample.out", Q)]
    for theirs, ours, width in products:
        tensors[f"{ours}.weight"] = source.take(f"sample_mlp/{theirs}/kernel", D, width).T
        tensors[f"{ours}.bias"] = source.take(f"sample_mlp/{theirs}/bias", width)
    return spec, tensors


def _spec(source: Source) -> SampleRNNSpec:
    tiers = _TIERS[: 1 + source.has("big_frame_rnn/inputs/kernel")]
    inputs = [source.shape(f"{tier}/inputs/kernel", 2) for tier in tiers]
    dim = inputs[0][1]
    layer = "frame_rnn/rnn/layer_{}/cell/kernel"
    cell = source.gates(layer.format(0), dim, {3: "gru", 4: "lstm"})
    if cell == "gru" and source.rank("frame_rnn/rnn/layer_0/cell/bias") == 1:
        cell = "gru-reset-before"  # Keras' reset_after=False: one bias, and the reset before the product
    skip = source.has("frame_rnn/rnn/layer_0_skip_out/kernel")
    old = source.has("sample_mlp/hidden/kernel")
    q_levels = source.shape("sample_mlp/outputs/kernel", 2)[1]
    spec = SampleRNNSpec(
        sample_rate=source.sample_rate(),
        q_levels=q_levels,
        codec=_codec(source, q_levels, old),
        frame_sizes=tuple(frame for frame, _ in inputs),
        dim=dim,
        cell=cell,
        layers=source.count(layer),
        skip="prism" if skip else "none",
        embed_dim=source.shape("sample_mlp/embedding/embeddings", 2)[1],
        hidden_layers=1 if old else 2,
        relu_logits=old,
    )
    if old:
        source.assume("a ReLU on the logits", "one hidden layer is the mark of the code of 2020, which has it")
    source.agree("frame_sizes", list(spec.frame_sizes), f"{tiers[0]}/inputs/kernel")
    source.agree("dim", dim, "frame_rnn/inputs/kernel")
    source.agree("num_rnn_layers", spec.layers, layer.format(spec.layers - 1))
    source.agree("rnn_type", "lstm" if cell == "lstm" else "gru", layer.format(0))
    source.agree("skip_conn", skip, layer.format(0))
    source.agree("q_levels", q_levels, "sample_mlp/outputs/kernel")
    return spec


def _codec(source: Source, q_levels: int, old: bool) -> str:
    q_type = source.settings.get("q_type", str)
    if q_type is None:
        q_type = "mu-law" if q_levels == 256 else "linear"
        source.assume(f"{q_type} levels")
    if q_type not in _CODECS:
        raise source.error(f"q_type is {q_type!r}, wanted {' or '.join(_CODECS)}", "correct the config")
    if q_type == "mu-law" and q_levels != 256:
        raise source.error(
            f"q_type is mu-law, which always has 256 levels here, but "
            f"{source.told('sample_mlp/outputs/kernel')} has {q_levels}",
            "name the config that this checkpoint was trained with",
        )
    return _CODECS[q_type][old]


def _tier(source: Source, spec: SampleRNNSpec, t: int, tensors: Tensors) -> None:
    theirs, ours, D, G = _TIERS[t], f"tiers.{t}", spec.dim, spec.gates
    tensors[f"{ours}.expand.weight"] = source.take(f"{theirs}/inputs/kernel", spec.frame_sizes[t], D).T
    tensors[f"{ours}.expand.bias"] = source.take(f"{theirs}/inputs/bias", D)
    order = KERAS_GRU if G == 3 else (0, 1, 2, 3)
    for k in range(spec.layers):
        cell, rnn = f"{theirs}/rnn/layer_{k}/cell", f"{ours}.rnn.{k}"
        tensors[f"{rnn}.w_ih"] = reordered(source.take(f"{cell}/kernel", spec.rnn_input(t, k), G * D), order).T
        tensors[f"{rnn}.w_hh"] = reordered(source.take(f"{cell}/recurrent_kernel", D, G * D), order).T
        if spec.cell == "gru":
            biases = reordered(source.take(f"{cell}/bias", 2, G * D), order)
            tensors[f"{rnn}.b_ih"], tensors[f"{rnn}.b_hh"] = biases
        else:
            tensors[f"{rnn}.b_ih"] = reordered(source.take(f"{cell}/bias", G * D), order)
        if spec.skip != "none":
            out = f"{theirs}/rnn/layer_{k}_skip_out"
            tensors[f"{ours}.skip.{k}.weight"] = source.take(f"{out}/kernel", D, D).T
            if spec.has_skip_bias(k):
                tensors[f"{ours}.skip.{k}.bias"] = source.take(f"{out}/bias", D)
    upsample: np.ndarray = source.take(f"{theirs}/upsample", spec.ratio(t), D, D)
    tensors[f"{ours}.upsample.weight"] = upsample.transpose(2, 1, 0)
