"""The families by name: who reads a spec's values, who plays it as the reference, who trains it."""

from __future__ import annotations

import typing

import numpy as np
from numpy.typing import ArrayLike

from ..errors import SpecError
from .numpy_parts.player import Player
from .numpy_parts.weights import Weights
from .samplernn.reference import SampleRNN
from .spec import SampleRNNSpec, Spec, WaveNetSpec, replace
from .wavenet.reference import WaveNet, condition_vectors

if typing.TYPE_CHECKING:
    from .samplernn.model import SampleRNN as SampleRNNModel
    from .wavenet.model import WaveNet as WaveNetModel

FAMILIES: dict[str, type] = {kind.family: kind for kind in (SampleRNNSpec, WaveNetSpec)}


def from_dict(values: dict[str, typing.Any]) -> Spec:
    """The spec that `to_dict` wrote. Unknown keys, missing families and wrong types are `SpecError`."""
    values = dict(values)
    family = values.pop("family", None)
    if family not in FAMILIES:
        raise SpecError(f"family is {family!r}; wanted one of {', '.join(FAMILIES)}")
    return replace(FAMILIES[family](), **values)


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


def build(spec: Spec, weight_norm: bool = False) -> SampleRNNModel | WaveNetModel:
    """The model of a spec; all its weights are zero until `initialise` or `.load(tensors)`."""
    from .samplernn.model import SampleRNN  # here, so that packs are played without torch
    from .wavenet.model import WaveNet

    return SampleRNN(spec, weight_norm) if isinstance(spec, SampleRNNSpec) else WaveNet(spec, weight_norm)
