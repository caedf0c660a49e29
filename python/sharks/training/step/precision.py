"""In which dtype products are taken: bfloat16 where the device has units for it, else float32.

What a model is stays float32: its weights, their gradients, the moments, every sum over samples, and validation.
"""

from __future__ import annotations

import torch


def resolved(precision: str, device: torch.device) -> str:
    """ "float32" or "bfloat16" of a recipe's word, of which "auto" is the faster."""
    if precision != "auto":
        return precision
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.get_device_capability(device) >= (8, 0) else "float32"
    tiles = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)  # other CPUs only emulate it
    return "bfloat16" if tiles() else "float32"


def dtype(precision: str) -> torch.dtype:
    return torch.bfloat16 if precision == "bfloat16" else torch.float32
