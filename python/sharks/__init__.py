"""sharks: train raw-audio neural networks on your own music, and play them fast.

Public names are resolved when first used, so that `import sharks` is quick and never pulls torch.
"""

import importlib
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
    "preset": "presets",
    "presets": "presets",
    "recipe": "presets",
    "Pack": "pack",
    "load": "pack",
    "random_pack": "pack",
    "check": "pack",
    "Audio": "generate",
    "generate": "generate",
    "stream": "generate",
    "logits": "generate",
    "extend": "generate",
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
    home = importlib.import_module(f".{_HOMES[name]}", __name__)
    # A verb and its module may share a name: the attribute of the package is always the verb.
    value = globals()[name] = getattr(home, name)
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
