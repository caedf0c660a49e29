"""What the training music is like, for the pack to say: `curate` prefers the clips that are most like it."""

from __future__ import annotations

import numpy as np

from ...dataset.dataset import Dataset
from ...sound.character import STRETCH, Description, describe

STRETCHES = 32  # heard at most, evenly spread over the music


def description(dataset: Dataset) -> Description:
    """Of stretches of 8 s of the training split; nothing where it is shorter."""
    length = round(STRETCH * dataset.sample_rate)
    last = len(dataset.train) - length
    if last < 0:
        return {}
    starts = np.linspace(0, last, min(STRETCHES, 1 + last // length)).astype(int)
    return describe(
        (dataset.train[start : start + length] / np.float32(32768) for start in starts), dataset.sample_rate
    )
