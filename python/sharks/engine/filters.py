"""The filter of voices, all-pole and changing from segment to segment: the compiled one, and in numpy, its judge."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
AllPole = Callable[[NDArray[np.float32], Floats, Floats, Floats], tuple[NDArray[np.float32], Floats]]


def filter_of(device: str) -> AllPole:
    """`all_pole` as a device plays it: the same on all, but for the last digit."""
    if device == "reference":
        return all_pole
    from .. import _core

    return _core.all_pole


def all_pole(
    excitation: NDArray[np.float32], predictors: Floats, gains: Floats, past: Floats
) -> tuple[NDArray[np.float32], Floats]:
    """y[t] = g e[t] + sum_i a[i] y[t - 1 - i]: the sound float32 (B, T), and the filter's past after it (B, order).

    `excitation` float32 (B, T), in as many segments as `predictors` (B, S, order) and `gains` (B, S) have; `past`
    (B, order) are the outputs before the first, the newest first. Sums are taken oldest first.
    """
    streams, samples = excitation.shape
    order, length = past.shape[1], samples // max(1, predictors.shape[1])
    sound = np.empty((streams, order + samples))
    sound[:, :order] = past[:, ::-1]
    for t in range(samples):
        segment = t // length
        total = gains[:, segment] * excitation[:, t]
        for i in range(order - 1, -1, -1):
            total += predictors[:, segment, i] * sound[:, order + t - 1 - i]
        sound[:, order + t] = total
    return sound[:, order:].astype(np.float32), np.ascontiguousarray(sound[:, ::-1][:, :order])
