"""sharks: train raw-audio neural networks on your own music, and play them fast.

Public names are resolved when first used, so that `import sharks` is quick and never pulls torch.
"""

import importlib
import typing

_HOMES = {
    "Error": "errors",
    "SpecError": "errors",
    "SampleRNNSpec": "spec",
    "WaveNetSpec": "spec",
    "UsageError": "errors",
    "PackError": "errors",
    "AudioError": "errors",
    "ResourceError": "errors",
    "Notice": "errors",
    "preset": "recipes.presets",
    "presets": "recipes.presets",
    "recipe": "recipes.presets",
    "Pack": "packs.pack",
    "load": "packs.pack",
    "import_checkpoint": "importers",
    "random_pack": "packs.pack",
    "check": "proof.check",
    "Audio": "play.audio",
    "generate": "play.generate",
    "stream": "play.generate",
    "logits": "play.generate",
    "extend": "play.extend",
    "prepare": "dataset.prepare",
    "train": "training",
    "curate": "songs",
    "health": "sound.health",
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
