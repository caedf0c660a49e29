"""sharks: train raw-audio neural networks on your own music, and play them fast.

Public names are resolved when first used, so that `import sharks` is quick and never pulls torch.
"""

import importlib
import sys
import types
import typing

_HOMES = {
    "Error": "spec",
    "SpecError": "spec",
    "SampleRNNSpec": "spec",
    "WaveNetSpec": "spec",
    "UsageError": "errors",
    "PackError": "errors",
    "AudioError": "errors",
    "ResourceError": "errors",
    "Notice": "errors",
    "preset": "presets",
    "presets": "presets",
    "recipe": "presets",
    "Pack": "pack",
    "load": "pack",
    "import_checkpoint": "importers",
    "random_pack": "pack",
    "check": "check",
    "Audio": "played",
    "generate": "generate",
    "stream": "generate",
    "logits": "generate",
    "extend": "extend",
    "prepare": "prepare",
    "train": "train",
    "curate": "curate",
    "health": "health",
}

__all__ = sorted(_HOMES)
__version__ = "0.1.0"


def __getattr__(name: str) -> typing.Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sharks' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


class _Package(types.ModuleType):
    """Several verbs share their module's name; importing the module must not hide the verb behind it."""

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, types.ModuleType) and _HOMES.get(name) == name:
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
