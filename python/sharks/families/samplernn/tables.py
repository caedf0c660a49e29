"""What a frame tier sees of a level: a number, whatever the law."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...levels.quantize import Codec


def tier_input_table(tier_input: str, codec: Codec) -> NDArray[np.float32]:
    """What a frame tier sees of each level of a codec, float32 (q_levels,), in [-2, 2].

    "linear" is 2 (l / (Q/2) - 1), linear in the level even for mu-law; "decoded" is twice the amplitude.
    """
    if tier_input == "decoded":
        return 2 * codec.decode_table()
    return (2 * (np.arange(codec.q_levels) / (codec.q_levels / 2) - 1)).astype(np.float32)
