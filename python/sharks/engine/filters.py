"""Filters for voices: the compiled one, or numpy's where the reference plays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..features import all_pole as reference

Floats = NDArray[np.float64]
AllPole = Callable[[NDArray[np.float32], Floats, Floats, Floats], tuple[NDArray[np.float32], Floats]]


def all_pole(device: str) -> AllPole:
    """The filter of `features.all_pole`, as a device plays it: the same on all, but for the last digit."""
    if device == "reference":
        return reference.all_pole
    from .. import _core

    return _core.all_pole
