"""The computer that sharks runs on, as far as training minds: known within a moment, and without torch."""

from __future__ import annotations

import ctypes
import functools
import importlib.metadata
import os
import sys
from dataclasses import dataclass

_USEFUL = 8  # cores: the small batches of models for a CPU keep no more of them busy


@dataclass(frozen=True)
class Machine:
    """What there is to train on."""

    cores: int  # that this process may use
    memory_bytes: int  # in all; 0 where nobody can say
    gpu: str = ""  # the name of one that torch can use

    def __str__(self) -> str:
        """`2 cores, 24 GB, no GPU`"""
        memory = [f"{self.memory_bytes / 2**30:.0f} GB"] if self.memory_bytes else []
        cores = f"{self.cores} core{'s' if self.cores > 1 else ''}"
        return ", ".join([cores, *memory, self.gpu or "no GPU"])


def this_machine(device: str = "auto") -> Machine:
    """This computer; with `device="cpu"`, as if it had no GPU."""
    return Machine(_cores(), _memory(), "" if device == "cpu" else _gpu())


@functools.cache
def multiply_adds_per_second() -> float | None:
    """Of the cores that a training keeps busy, measured now, in hundredths of a second; None without the engine."""
    try:
        from .limits import multiply_rate

        return multiply_rate("float32", min(_USEFUL, _cores()))
    except ImportError:
        return None


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # another system
        return 0


@functools.cache
def _gpu() -> str:
    """The first GPU that NVIDIA's driver knows, where torch is a build that can use one: no torch is loaded to ask."""
    try:
        if importlib.metadata.version("torch").endswith("+cpu"):
            return ""
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except (importlib.metadata.PackageNotFoundError, OSError):
        return ""
    device, name = ctypes.c_int(), ctypes.create_string_buffer(256)
    failed = driver.cuInit(0) or driver.cuDeviceGet(ctypes.byref(device), 0)
    failed = failed or driver.cuDeviceGetName(name, len(name), device)
    return "" if failed else name.value.decode(errors="replace")
