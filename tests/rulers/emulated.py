"""The CUDA engine on a CPU: the same sources, compiled by the host's compiler, built when a test first asks for it.

A test that calls `core` may compile the engine; give it the mark `programs.BUILDS`.
"""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
import types

from programs import built

try:
    from sharks import _core
except ImportError:
    _core = None


@functools.cache
def core() -> types.ModuleType:
    """`sharks._core` with the emulated GPU as its device "cuda"; the package's own, where that is such a build."""
    if _core and "emulated" in _core.cuda_device():
        return _core
    folder = built("_core")
    (file,) = folder.glob("_core*.so")
    loader = importlib.machinery.ExtensionFileLoader("emulated._core", str(file))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module
