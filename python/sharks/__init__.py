"""sharks: train raw-audio neural networks on your own music, and play them fast.

    import sharks

    data = sharks.prepare("songs", "data", preset="dadabots-2tier")
    run = sharks.train(data, "run", preset="dadabots-2tier", hours=8)
    sharks.generate(run.best, seconds=30, n=8, out="clips")
    sharks.curate("clips", "songs-made")

Public names are resolved when first used, so that `import sharks` is quick and never pulls torch. They are listed once,
in `__init__.pyi`: type checkers and editors read it as it is.
"""

import importlib
import pathlib
import typing

__version__ = "0.1.0"


def _homes(stub: str) -> dict[str, str]:
    """Public name -> the module it lives in, by the lines `from .module import name as name` of a stub."""
    words = [line.split() for line in stub.splitlines() if line.startswith("from .")]
    return {name: module for _, module, _, name, _, _ in words}


_HOMES = _homes(pathlib.Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
_FACES = ("engine", "spec")  # modules that the documents name: there after `import sharks` alone
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> typing.Any:
    if name in _FACES:
        return importlib.import_module(f".{name}", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module 'sharks' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_HOMES[name], __name__), name)
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
