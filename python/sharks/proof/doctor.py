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
    return found


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
