"""The models in torch, for training: all time steps at once, state in and out. A pack is played without them."""

from __future__ import annotations

from ..spec import SampleRNNSpec, Spec
from .initialise import initialise
from .nll import BITS
from .samplernn import SampleRNN
from .wavenet import WaveNet

__all__ = ["BITS", "SampleRNN", "WaveNet", "build", "initialise"]


def build(spec: Spec, weight_norm: bool = False) -> SampleRNN | WaveNet:
    """The model of a spec; all its weights are zero until `initialise` or `.load(tensors)`."""
    return SampleRNN(spec, weight_norm) if isinstance(spec, SampleRNNSpec) else WaveNet(spec, weight_norm)
