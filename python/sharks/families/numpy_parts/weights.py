"""The tensors of a model in float64, checked against the table, and the three products that steps are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import PackError, did_you_mean
from ..spec import Spec

Floats = NDArray[np.float64]


class Weights(dict[str, Floats]):
    """Every tensor of the table by its name. A missing, unknown, misshapen or non-finite one is a `PackError`."""

    def __init__(self, spec: Spec, tensors: dict[str, np.ndarray]) -> None:
        super().__init__()
        table = dict(spec.tensors())
        for name in tensors:
            if name not in table:
                raise PackError(f"{spec.family} with this spec has no tensor {name!r}{did_you_mean(name, table)}")
        for name, shape in table.items():
            if name not in tensors:
                raise PackError(f"tensor {name!r} is missing; wanted {shape}")
            if tensors[name].shape != shape:
                raise PackError(f"tensor {name!r} is {tensors[name].shape}; wanted {shape}")
            self[name] = np.asarray(tensors[name], np.float64)
            if not np.isfinite(self[name]).all():
                raise PackError(f"tensor {name!r} holds NaN or infinite values; wanted finite weights")
        self._side_by_side: dict[str, Floats] = {}

    def linear(self, name: str, x: Floats) -> Floats:
        """W x + b with `name`.weight [out, in] and, where the spec has one, `name`.bias: (B, in) -> (B, out)."""
        return product(self[f"{name}.weight"], x) + self.get(f"{name}.bias", 0.0)

    def convolve(self, name: str, taps: Floats) -> Floats:
        """One output of a convolution, sum_k W[:, :, k] taps[:, k] + b: `taps` (B, K, in), oldest first -> (B, out)."""
        if name not in self._side_by_side:
            weight = self[f"{name}.weight"]
            self._side_by_side[name] = weight.transpose(0, 2, 1).reshape(len(weight), -1)
        return product(self._side_by_side[name], taps.reshape(len(taps), -1)) + self.get(f"{name}.bias", 0.0)


def product(matrix: Floats, x: Floats) -> Floats:
    """`matrix` [out, in] times each row of `x` (B, in), row by row, so that no stream's bits depend on its company."""
    return np.matmul(matrix, x[..., None])[..., 0]


def relu(x: Floats) -> Floats:
    return np.maximum(x, 0.0)


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp(-x)), written so that nothing overflows."""
    return 0.5 + 0.5 * np.tanh(0.5 * x)


def one_hot(levels: NDArray[np.int32], q_levels: int) -> Floats:
    """Levels of any shape -> (..., q_levels); a negative level, an empty place, is all zeros."""
    return (levels[..., None] == np.arange(q_levels)).astype(np.float64)
