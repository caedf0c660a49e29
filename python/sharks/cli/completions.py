"""What a shell offers behind an option: found by names alone, so that it is there at once."""

from __future__ import annotations

import importlib.resources
import pathlib

DEVICES = ("auto", "cpu", "gpu", "cuda", "reference")  # as engine/devices.py has them, whose room loads numpy


def presets(incomplete: str) -> list[str]:
    """The presets that come with sharks."""
    folder = importlib.resources.files(__package__.rpartition(".")[0]) / "recipes" / "presets"
    names = (file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml"))
    return sorted(name for name in names if name.startswith(incomplete))


def devices(incomplete: str) -> list[str]:
    return [name for name in DEVICES if name.startswith(incomplete)]


def packs(incomplete: str) -> list[str]:
    """The model in the box, runs in the folder where they are put, and packs and runs below what is typed so far."""
    folder, _, begun = incomplete.rpartition("/")
    here = pathlib.Path(folder or ".")
    found = ["box"] if not folder else []
    found += [str(run) for run in sorted(pathlib.Path("runs").glob("*")) if (run / "best.safetensors").exists()]
    for path in sorted(here.glob(f"{begun}*")):
        if path.suffix == ".safetensors" or (path / "best.safetensors").exists() or path.is_dir():
            found.append(str(path))
    return [name for name in dict.fromkeys(found) if name.startswith(incomplete)]
