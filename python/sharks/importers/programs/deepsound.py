"""deepsound's SampleRNN (PyTorch, github.com/deepsound-project/samplernn-pytorch), and what S4's copy shares with it.

Its `frame_sizes` are ratios from the bottom: 16, 4 means frames of 16 and 64 samples. Weight norm is folded here: the
transposed convolution has a length per input channel, everything else per output channel.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import typing

from ...families.samplernn.spec import SampleRNNSpec
from ...families.spec import Spec
from ..source import Source, Tensors
from .layouts import started, torch_shape, torch_weight

KEYS = (("frame_sizes", "n_rnn"),)
_ANCHOR = "frame_level_rnns.0.h0"
_GATES = (("w_ih", "weight_ih"), ("w_hh", "weight_hh"), ("b_ih", "bias_ih"), ("b_hh", "bias_hh"))


def prefix(names: collections.abc.Collection[str]) -> str | None:
    """What stands before the program's names, None if this is another program's checkpoint."""
    return next((name.removesuffix(_ANCHOR) for name in names if name.endswith(_ANCHOR)), None)


def build(source: Source) -> tuple[Spec, Tensors]:
    spec = network(source, codec="LIN-D", sample_rate=source.sample_rate())
    source.agree("q_levels", spec.q_levels, "sample_level_mlp.embedding.weight")
    source.agree("dim", spec.dim, _ANCHOR)
    return weights(source, spec, "frame_level_rnns.{}.h0", (spec.layers, spec.dim))


def network(source: Source, **fields: typing.Any) -> SampleRNNSpec:
    """The spec of the network that deepsound wrote, from the shapes; `fields` are what shapes do not tell."""
    count = max(1, source.count("frame_level_rnns.{}.rnn.weight_ih_l0"))
    sizes = [torch_shape(source, f"frame_level_rnns.{t}.input_expand", 3) for t in range(count)]
    ratios = [torch_shape(source, f"frame_level_rnns.{t}.upsampling.conv_t", 3)[2] for t in range(count)]
    layers = source.count("frame_level_rnns.0.rnn.weight_ih_l{}")
    q_levels, embed_dim = source.shape("sample_level_mlp.embedding.weight", 2)
    source.agree("frame_sizes", ratios, "frame_level_rnns.0.upsampling.bias")
    source.agree("n_rnn", layers, "frame_level_rnns.0.rnn.weight_ih_l0")
    spec = SampleRNNSpec(
        frame_sizes=tuple(frame for _, frame, _ in sizes),
        q_levels=q_levels,
        embed_dim=embed_dim,
        dim=sizes[0][0],
        layers=layers,
        upsample_bias=True,
        relu_before_hidden=True,
        hidden_layers=1,
    )
    return dataclasses.replace(spec, **fields)


def weights(source: Source, spec: SampleRNNSpec, h0: str | None, h0_shape: tuple[int, ...]) -> tuple[Spec, Tensors]:
    """The spec, its initial state decided, and its tensors; `h0` is the pattern of the states' names, if there are."""
    D, Q, E = spec.dim, spec.q_levels, spec.embed_dim
    tensors: Tensors = {}
    for t in range(spec.tiers):
        theirs, ours = f"frame_level_rnns.{t}", f"tiers.{t}"
        tensors[f"{ours}.expand.weight"] = torch_weight(source, f"{theirs}.input_expand", D, spec.frame_sizes[t], 1)[
            ..., 0
        ]
        tensors[f"{ours}.expand.bias"] = source.take(f"{theirs}.input_expand.bias", D)
        for k in range(spec.layers):
            for name, gate in _GATES:
                shape = (3 * D, D) if name.startswith("w") else (3 * D,)
                tensors[f"{ours}.rnn.{k}.{name}"] = source.take(f"{theirs}.rnn.{gate}_l{k}", *shape)
        tensors[f"{ours}.upsample.weight"] = torch_weight(source, f"{theirs}.upsampling.conv_t", D, D, spec.ratio(t))
        tensors[f"{ours}.upsample.bias"] = source.take(f"{theirs}.upsampling.bias", D, spec.ratio(t)).T
    tensors["sample.embed.weight"] = source.take("sample_level_mlp.embedding.weight", Q, E)
    tensors["sample.in.weight"] = torch_weight(source, "sample_level_mlp.input", D, E, spec.frame_sizes[0])
    for theirs, ours, width in (("hidden", "sample.hidden.0", D), ("output", "sample.out", Q)):
        tensors[f"{ours}.weight"] = torch_weight(source, f"sample_level_mlp.{theirs}", width, D, 1)[..., 0]
        tensors[f"{ours}.bias"] = source.take(f"sample_level_mlp.{theirs}.bias", width)
    states = {f"tiers.{t}.h0": source.take(h0.format(t), *h0_shape) for t in range(spec.tiers) if h0 is not None}
    return started(spec, tensors, {name: h.reshape(spec.layers, D) for name, h in states.items()})
