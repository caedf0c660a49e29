"""The first product over windows of levels, as a sum of looked-up rows.

Every level at every place of a window contributes one fixed vector. There are only Q of them per place, so the product
is done once per vector, not once per sample, and a window is a sum of `taps` rows.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def window_product(levels: Tensor, weight: Tensor, vectors: Tensor | None) -> Tensor:
    """Product of every window of `levels` int [B, T + taps - 1] with `weight` [D, C, taps] (oldest first): [B, T, D].

    `vectors` [Q, C] is what a level stands for, None for one-hot. A level of -1 is an empty place and adds nothing.
    """
    D, C, taps = weight.shape
    rows = weight.permute(2, 1, 0)  # [taps, C, D]
    if vectors is not None:
        rows = vectors @ rows
    rows = F.pad(rows, (0, 0, 1, 0))  # level -1 is row 0
    Q = rows.shape[1]
    places = levels.unfold(1, taps, 1) + (torch.arange(taps, device=levels.device) * Q + 1)
    return F.embedding_bag(places.reshape(-1, taps), rows.reshape(taps * Q, D), mode="sum").view(*places.shape[:2], D)
