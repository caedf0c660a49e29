"""The judge: both models in numpy float64, one step as the papers write it.

Slow, and meant to be read. Every other runner (torch, the C++ engine on any device) is compared with this one, stage by
stage; so nothing here is clever, and nothing is shared with the parties it judges.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..spec import Spec, WaveNetSpec
from .player import Player
from .samplernn import SampleRNN
from .wavenet import WaveNet, condition_vectors
from .weights import Weights

__all__ = ["Player", "condition_vectors", "make"]


def make(spec: Spec, tensors: dict[str, np.ndarray], streams: int, condition: ArrayLike | None = None) -> Player:
    """A player of `streams` independent streams, at rest: call `reset`, then `force` or `run`.

    `tensors` holds exactly what `spec.tensors` names; anything else is a `PackError`. `condition` is None, or for a
    globally conditioned WaveNet one class per stream, int (B,), or one vector per stream, float (B, G).
    """
    weights = Weights(spec, tensors)
    if isinstance(spec, WaveNetSpec):
        return Player(spec, WaveNet(spec, weights, condition_vectors(spec, weights, condition, streams)), streams)
    condition_vectors(spec, weights, condition, streams)
    return Player(spec, SampleRNN(spec, weights), streams)
