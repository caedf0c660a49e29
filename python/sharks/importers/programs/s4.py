"""The SampleRNN and WaveNet baselines of S4 (PyTorch Lightning, github.com/state-spaces/s4).

They are copies of deepsound's and Vincent Herrmann's with differences: SampleRNN keeps its learned state inside the
GRU, has an embedding of its own width, and its tiers read twice the *decoded* amplitude. WaveNet reads an embedding,
and a product may follow it, which is folded into its head.
"""

from __future__ import annotations

import collections.abc
import re

import numpy as np

from ...families.spec import Spec
from ..source import Source, Tensors
from . import deepsound, vincentherrmann
from .layouts import torch_shape

KEYS = (("quantization",), ("d_hidden",), ("end_channels", "blocks"))
_RNN = "frame_level_rnns.0.rnn.weight_ih_l0"
_EMBEDDING = re.compile(r"(?:.*\.)?(?:encoder|embedding)(?:\.\w+)*\.weight")
_DECODER = re.compile(r"(?:.*\.)?decoder(?:\.\w+)*\.weight")
_CODECS = {"mu-law": ("MU-S", "decoded"), "linear": ("LIN-C", "linear")}


def prefix(names: collections.abc.Collection[str]) -> str | None:
    """What stands before the program's names, None if this is another program's checkpoint."""
    if deepsound.prefix(names) is not None:
        return None
    anchor = next((name.removesuffix(_RNN) for name in names if name.endswith(_RNN)), None)
    if anchor is not None:
        return anchor
    return vincentherrmann.prefix(names) if any(map(_EMBEDDING.fullmatch, names)) else None


def build(source: Source) -> tuple[Spec, Tensors]:
    return _samplernn(source) if source.has(_RNN) else _wavenet(source)


def _codec(source: Source) -> tuple[str, str]:
    """(codec, tier input)."""
    quantization = source.settings.get("quantization", str)
    if quantization is None:
        quantization = "linear"
        source.assume("linear levels")
    if quantization not in _CODECS:
        raise source.error(f"quantization is {quantization!r}, wanted {' or '.join(_CODECS)}", "correct the config")
    return _CODECS[quantization]


def _samplernn(source: Source) -> tuple[Spec, Tensors]:
    for name in source.names(r"(.*\.)?encoder(\.\w+)*\.weight"):
        raise source.error(
            f"{source.told(name)} embeds what the frame tiers read (reproduce: false), which no tier here does",
            "train with reproduce: true",
        )
    codec, tier_input = _codec(source)
    spec = deepsound.network(source, codec=codec, tier_input=tier_input, sample_rate=source.sample_rate())
    predicted = torch_shape(source, "sample_level_mlp.output", 3)[0]
    if predicted != spec.q_levels:
        raise source.error(
            f"{source.told('sample_level_mlp.output.weight')} predicts {predicted} levels, but {spec.q_levels} are "
            "embedded",
            "train with bits: 8",
        )
    source.agree("d_hidden", spec.dim, _RNN)
    source.agree("d_model", spec.embed_dim, "sample_level_mlp.embedding.weight")
    state = "frame_level_rnns.{}.rnn.h0"
    return deepsound.weights(source, spec, state if source.has(state.format(0)) else None, (spec.layers, 1, spec.dim))


def _wavenet(source: Source) -> tuple[Spec, Tensors]:
    embedding = source.names(_EMBEDDING.pattern)[0]
    levels, width = source.shape(embedding, 2)
    codec, _ = _codec(source)
    spec = vincentherrmann.network(
        source, codec=codec, input="embedding", embed_dim=width, q_levels=levels, sample_rate=source.sample_rate()
    )
    tensors: Tensors = {"input.embed.weight": source.take(embedding, levels, width)}
    decoder = source.names(_DECODER.pattern)
    predicted = source.shape("end_conv_2.weight", 3)[0]
    if predicted != levels and not decoder:
        raise source.error(
            f"{source.told('end_conv_2.weight')} predicts {predicted} levels, but {levels} are embedded",
            "use a whole checkpoint",
        )
    tensors |= vincentherrmann.weights(source, spec, predicted)
    if decoder:
        _fold(source, tensors, decoder[0].rsplit(".", 1)[0], levels, predicted)
    return spec, tensors


def _fold(source: Source, tensors: Tensors, decoder: str, levels: int, predicted: int) -> None:
    """Fold the product of the decoder into the head's last, for nothing stands between them."""
    weight = source.take(f"{decoder}.weight", levels, predicted).astype(np.float64)
    bias = source.take(f"{decoder}.bias", levels)
    tensors["head.conv2.weight"] = source.finite(f"{decoder}.weight", weight @ tensors["head.conv2.weight"])
    tensors["head.conv2.bias"] = source.finite(f"{decoder}.bias", weight @ tensors["head.conv2.bias"] + bias)
