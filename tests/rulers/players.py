"""Everything that plays a model step by step: name -> make(spec, tensors, streams, condition=None).

The compiled engine is listed where it has been built, a GPU where one can play. The emulated GPU is compiled when it is
first asked for.
"""

from __future__ import annotations

import numpy as np
import pytest

import emulated
import programs
from sharks.families import registry as reference
from sharks.families.spec import SampleRNNSpec, Spec, to_dict
from sharks.families.wavenet.reference import condition_vectors
from sharks.levels.quantize import codec, tier_input_table

try:
    from sharks import _core
except ImportError:
    _core = None


def engine_model(spec: Spec, tensors: dict[str, np.ndarray], *, core=_core, **kind: str):
    """The compiled engine's model; `kind`: isa, device, dtype, plan. Its arrays must be contiguous, of the exact types
    of the protocol."""
    tables = {"decode": codec(spec).decode_table()}
    if isinstance(spec, SampleRNNSpec):
        tables["tier_input"] = tier_input_table(spec)
    tensors = {name: np.ascontiguousarray(value, np.float32) for name, value in tensors.items()}
    return core.Model(to_dict(spec), tensors, tables, **kind)


def engine(spec: Spec, tensors: dict[str, np.ndarray], streams: int, condition=None, threads: int = 1, **kind):
    """A player of the compiled engine, on the CPU unless `kind` says otherwise."""
    player = engine_model(spec, tensors, **kind).player(streams, threads)
    vectors = condition_vectors(spec, tensors, condition, streams)
    if vectors is not None:
        player.set_condition(np.ascontiguousarray(vectors, np.float32))
    return player


def emulated_gpu(*model, plan: str = "first-light", **kind):
    """A player of the CUDA engine, played by a CPU: by first light, for plans whose blocks wait are slow there."""
    return engine(*model, core=emulated.core(), device="cuda", plan=plan, **kind)


def gpu(*model, **kind):
    """A player of the CUDA engine on a GPU."""
    return engine(*model, device="cuda", **kind)


PLAYERS = {"reference": reference.make} | ({"cpu": engine} if _core else {})
GPU = {"cuda": gpu} if _core and not _core.cuda_status() and "emulated" not in _core.cuda_device() else {}
EVERY = [
    *(pytest.param(make, id=name) for name, make in PLAYERS.items()),
    pytest.param(emulated_gpu, id="emulated", marks=programs.BUILDS),
    *(pytest.param(make, id=name, marks=pytest.mark.cuda) for name, make in GPU.items()),
]
