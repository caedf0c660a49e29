"""What works on this machine, found out without failing on what does not."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import typing

OPTIONAL = {"torch": "train", "tensorboard": "train"}  # package -> the extra that brings it


def examine(folder: str = ".") -> dict[str, typing.Any]:
    """Name -> finding, plain values. `folder` is where there should be space."""
    from .. import __version__
    from .fitting import fitting, said
    from .machine import this_machine

    machine = this_machine()
    found: dict[str, typing.Any] = {
        "sharks": __version__,
        "python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "engine": _engine(),
        "cuda": _cuda(),
        "decoder": _decoder(),
    }
    for package, extra in OPTIONAL.items():
        found[package] = _version(package) or f"not installed; pip install 'sharks-audio[{extra}]' brings it"
    found["disk"] = f"{shutil.disk_usage(folder).free / 1e9:.1f} GB free"
    found["machine"] = str(machine)
    found["preset"] = said(fitting(machine), machine)[0].partition("; preset ")[2]
    found["verdict"], found["next"] = _verdict(_version("torch") is not None)
    return found


def plays() -> bool:
    """Whether songs can be read and clips be played here at all."""
    return not _broken()


def _broken() -> list[str]:
    """What sharks cannot do without, and is not here."""
    return [
        *(["the engine"] if "not built" in _engine() else []),
        *(["libsndfile"] if "missing" in _decoder() else []),
    ]


def _verdict(trains: bool) -> tuple[str, str]:
    """What all this comes to, and the command to give next."""
    if broken := _broken():
        return f"not ready: {' and '.join(broken)} cannot be loaded", "pip install --force-reinstall sharks-audio"
    if not trains:
        return "ready to play; to train on your own music it needs torch", "sharks demo"
    return "ready: it can train and play", "sharks make FOLDER -o PROJECT"


def _engine() -> str:
    try:
        from .. import _core
    except ImportError as error:
        return f"not built ({error}); only device='reference' plays"
    return f"{_core.isa()} (this build has {', '.join(_core.isas())})"


def _cuda() -> str:
    try:
        from .. import _core
    except ImportError:
        return "not built"
    return _core.cuda_status() or f"ready: {_core.cuda_device()}"


def _decoder() -> str:
    try:
        import soundfile
    except (ImportError, OSError) as error:
        return f"missing ({error})"
    return f"libsndfile {soundfile.__libsndfile_version__}: {', '.join(sorted(soundfile.available_formats()))}"


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
