"""Everything that plays a model step by step: name -> make(spec, tensors, streams, condition=None).

The compiled engine is listed where it has been built, a GPU where one can play. The emulated GPU is compiled when it is
first asked for.
"""

from __future__ import annotations

import numpy as np
import pytest

import emulated
import programs
from sharks.families.registry import reference_player
from sharks.spec import Spec, to_dict

try:
    from sharks import _core
except ImportError:
    _core = None


def engine_model(spec: Spec, tensors: dict[str, np.ndarray], *, core=_core, **kind: str):
    """The compiled engine's model; `kind`: isa, device, dtype, plan. Its arrays must be contiguous, of the exact types
    of the protocol."""
    tables = {name.removeprefix("codec."): table for name, table in spec.tables().items()}
    tensors = {name: np.ascontiguousarray(value, np.float32) for name, value in tensors.items()}
    return core.Model(to_dict(spec), tensors, tables, **kind)


def engine(spec: Spec, tensors: dict[str, np.ndarray], streams: int, condition=None, threads: int = 1, **kind):
    """A player of the compiled engine, on the CPU unless `kind` says otherwise."""
    player = engine_model(spec, tensors, **kind).player(streams, threads)
    vectors = spec.condition.vectors(tensors, condition, streams)
    if vectors is not None:
        player.set_condition(np.ascontiguousarray(vectors, np.float32))
    return player


def emulated_gpu(*model, plan: str = "first-light", **kind):
    """A player of the CUDA engine, played by a CPU: by first light, for plans whose blocks wait are slow there."""
    return engine(*model, core=emulated.core(), device="cuda", plan=plan, **kind)


def gpu(*model, **kind):
    """A player of the CUDA engine on a GPU."""
    return engine(*model, device="cuda", **kind)


PLAYERS = {"reference": reference_player} | ({"cpu": engine} if _core else {})
GPU = {"cuda": gpu} if _core and not _core.cuda_status() and "emulated" not in _core.cuda_device() else {}
EVERY = [
    *(pytest.param(make, id=name) for name, make in PLAYERS.items()),
    pytest.param(emulated_gpu, id="emulated", marks=programs.BUILDS),
    *(pytest.param(make, id=name, marks=pytest.mark.cuda) for name, make in GPU.items()),
]
