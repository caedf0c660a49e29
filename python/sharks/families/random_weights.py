"""Random weights that behave: activations neither die nor saturate, and the logits differ by a few units.

Each tensor is uniform with a standard deviation of gain / sqrt(fan in); biases lie within 0.1, embeddings within
sqrt(3). The numbers are PCG64's raw 64-bit words in table order, the low half first, the upper 24 bits of each half:
the same on every machine and with every numpy.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .spec import SampleRNNSpec, Spec, WaveNetSpec, tensors


def random_weights(spec: Spec, seed: int) -> dict[str, NDArray[np.float32]]:
    """Every tensor of the spec, float32, read-only. `seed` is a whole number from 0."""
    bits = np.random.PCG64(seed)
    weights = {}
    for name, shape in tensors(spec):
        array = _uniform(bits, shape)
        array *= np.float32(_amplitude(spec, name, shape))
        array.flags.writeable = False
        weights[name] = array
    return weights


def _uniform(bits: np.random.PCG64, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Uniform in [-1, 1)."""
    count = math.prod(shape)
    words = bits.random_raw((count + 1) // 2).astype("<u8", copy=False).view("<u4")[:count]
    return ((words >> 8).astype(np.float32) * np.float32(2**-23) - np.float32(1)).reshape(shape)


def _amplitude(spec: Spec, name: str, shape: tuple[int, ...]) -> float:
    """The largest weight of a tensor: sqrt(3) times its standard deviation, which is gain / sqrt(fan in)."""
    part = name.rsplit(".", 2)[-2]
    if name.endswith(("bias", "b_ih", "b_hh")):
        return 0.1
    if name.endswith(("embed.weight", "h0", "c0")):
        return 3**0.5
    fan_in = shape[0] if part == "upsample" else math.prod(shape[1:])
    if name == "input.conv.weight" or (name == "sample.in.weight" and not spec.embed_dim):
        one_hot = isinstance(spec, SampleRNNSpec) or spec.input == "one-hot"
        fan_in = shape[2] * (1 if one_hot else shape[1])
    return _gain(spec, name, part) * (3 / fan_in) ** 0.5


def _gain(spec: Spec, name: str, part: str) -> float:
    """What a product must gain so that values keep a size of about one: more after a ReLU, a gate or a tanh."""
    if name in ("sample.out.weight", "head.conv2.weight"):  # a few units between logits
        return 2.5 if isinstance(spec, SampleRNNSpec) else 4.0
    if part in ("res", "skip") and isinstance(spec, WaveNetSpec):
        if part == "skip":
            return 2.5 / (spec.layers**0.5 * spec.skip_scale)
        return 2.5 * max(1 / spec.residual_scale**2 - 1, 1 / spec.layers) ** 0.5
    if name.endswith("w_ih"):
        return 2.5
    return 1.4 if name.startswith(("sample.hidden", "head.conv1", "tiers")) else 1.0
