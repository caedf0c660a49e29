"""torch, and where it computes."""

from __future__ import annotations

import contextlib
import os
import types
import typing
import warnings
from collections.abc import Iterator

from ...engine.devices import named
from ...errors import ResourceError

if typing.TYPE_CHECKING:
    import torch

DEVICES = ("auto", "cpu", "cuda")
NO_TORCH = "training needs torch; install it with `pip install 'sharks-audio[train]'`"


def import_torch() -> types.ModuleType:
    """torch, imported as training wants it."""
    # Idle OpenMP threads spin before they sleep. When anything else wants the same cores, every small product then
    # waits for a thread that waits for a core, and training is ten times slower; without spinning it loses nothing.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        import torch
    except ImportError:
        raise ResourceError(NO_TORCH) from None
    return torch


@contextlib.contextmanager
def fast(device: torch.device) -> Iterator[None]:
    """On a GPU products may round their factors to TF32: it is several times faster, and training does not notice."""
    import torch

    before = torch.get_float32_matmul_precision()
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
    try:
        with warnings.catch_warnings():
            # Weights that are folded at every step are never one block of memory; cuDNN copies them, and says so.
            warnings.filterwarnings("ignore", message="RNN module weights are not part of single contiguous chunk")
            yield
    finally:
        torch.set_float32_matmul_precision(before)


def device_of(name: str) -> torch.device:
    import torch

    name = named(name, DEVICES)
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise ResourceError("device is cuda, but torch finds no CUDA device here; use device cpu")
    return torch.device(name)
