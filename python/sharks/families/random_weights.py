"""Random weights that behave: activations neither die nor saturate, and the logits differ by a few units.

Each tensor is uniform with a standard deviation of gain / sqrt(fan in); biases lie within 0.1, embeddings within
sqrt(3). The numbers are PCG64's raw 64-bit words in table order, the low half first, the upper 24 bits of each half:
the same on every machine and with every numpy.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .spec import Shape, Spec


def random_weights(spec: Spec, seed: int) -> dict[str, NDArray[np.float32]]:
    """Every tensor of the spec, float32, read-only. `seed` is a whole number from 0."""
    bits = np.random.PCG64(seed)
    weights = {}
    for name, shape in spec.tensors():
        array = _uniform(bits, shape)
        array *= np.float32(_amplitude(spec, name, shape))
        array.flags.writeable = False
        weights[name] = array
    return weights


def _uniform(bits: np.random.PCG64, shape: Shape) -> NDArray[np.float32]:
    """Uniform in [-1, 1)."""
    count = math.prod(shape)
    words = bits.random_raw((count + 1) // 2).astype("<u8", copy=False).view("<u4")[:count]
    return ((words >> 8).astype(np.float32) * np.float32(2**-23) - np.float32(1)).reshape(shape)


def _amplitude(spec: Spec, name: str, shape: Shape) -> float:
    """The largest weight of a tensor: sqrt(3) times its standard deviation, which is gain / sqrt(fan in)."""
    if name.endswith(("bias", "b_ih", "b_hh")):
        return 0.1
    if name.endswith(("embed.weight", "h0", "c0")):
        return 3**0.5
    return spec.gain(name) * (3 / spec.fan_in(name, shape)) ** 0.5
