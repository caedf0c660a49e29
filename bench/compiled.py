"""The strongest baseline: the cached steps of eager.py for torch.compile, with frozen weights."""

from __future__ import annotations

import torch
from compiled_samplernn import CompiledSampleRNN
from compiled_wavenet import CompiledWaveNet
from frozen import FrozenStep, warm

from sharks.spec import SampleRNNSpec, Spec, WaveNetSpec

STEPS = {WaveNetSpec: CompiledWaveNet, SampleRNNSpec: CompiledSampleRNN}  # what torch's best step is, by family


def compiled_step(spec: Spec, tensors: dict, streams: int, dtype: torch.dtype = torch.float32) -> FrozenStep:
    """The step of this spec, compiled and at its first sample.

    Raises whatever the compiler raises where it fails both with its C++ wrapper and without.
    """
    w = {name: torch.tensor(array, dtype=dtype) for name, array in tensors.items()}
    make = STEPS[type(spec)]
    try:
        return warm(make(spec, w, streams), cpp_wrapper=True)
    except Exception:  # there is no telling what a compiler raises
        return warm(make(spec, w, streams), cpp_wrapper=False)
