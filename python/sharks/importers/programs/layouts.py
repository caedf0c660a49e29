"""How other frameworks lay out what is ours r, z, n and i, f, g, o: by rows, [out, in], weight norm folded."""

from __future__ import annotations

import dataclasses
import typing

import numpy as np
from numpy.typing import NDArray

from ...families.samplernn.spec import SampleRNNSpec
from ..source import Source, Tensors

# Where each of our gates stands among theirs.
KERAS_GRU = (1, 0, 2)  # z, r, h
THEANO_GRU = (1, 0, 2)  # z, r, candidate
THEANO_LSTM = (0, 1, 3, 2)  # i, f, o, g


def reordered(columns: NDArray[typing.Any], order: tuple[int, ...]) -> NDArray[typing.Any]:
    """Gates that stand side by side in the last axis, in another order."""
    blocks = np.split(columns, len(order), axis=-1)
    return np.concatenate([blocks[place] for place in order], axis=-1)


def scaled(direction: NDArray[np.float32], length: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Weight norm: each slice of `direction` along `axis` gets the Euclidean length that `length` says.

    In double precision without a copy in it: weights may fill a gigabyte. A slice of zeros gives NaN.
    """
    others = tuple(i for i in range(direction.ndim) if i != axis)
    axes = "abc"[: direction.ndim]
    norm = np.sqrt(np.einsum(f"{axes},{axes}->{axes[axis]}", direction, direction, dtype=np.float64))
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.expand_dims(length.reshape(-1) / norm, others)
        return np.multiply(direction, scale, out=np.empty_like(direction), casting="same_kind", dtype=np.float64)


def torch_weight(source: Source, name: str, *shape: int) -> NDArray[np.float32]:
    """`name`.weight of a torch module, whether or not it was saved with weight norm (over all axes but the first)."""
    for length, direction in (
        (f"{name}.weight_g", f"{name}.weight_v"),
        (f"{name}.parametrizations.weight.original0", f"{name}.parametrizations.weight.original1"),
    ):
        if source.has(direction):
            lengths = source.take(length, shape[0], *[1] * (len(shape) - 1))
            return source.finite(direction, scaled(source.take(direction, *shape), lengths, axis=0))
    return source.take(f"{name}.weight", *shape)


def torch_shape(source: Source, name: str, rank: int) -> tuple[int, ...]:
    """The shape of `name`.weight, in whichever form it was saved."""
    for form in (f"{name}.weight_v", f"{name}.parametrizations.weight.original1"):
        if source.has(form):
            return source.shape(form, rank)
    return source.shape(f"{name}.weight", rank)


def started(spec: SampleRNNSpec, tensors: Tensors, states: Tensors) -> tuple[SampleRNNSpec, Tensors]:
    """Spec and tensors with the initial states (`tiers.t.h0`, `tiers.t.c0`) in them, unless they are all zero.

    Programs store them whether or not they were learned, and zeros play the same as none.
    """
    if not any(state.any() for state in states.values()):
        return spec, tensors
    return dataclasses.replace(spec, initial_state="learned"), tensors | states
