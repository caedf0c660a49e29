"""A song brought to the loudness that was asked for, and its peaks under a ceiling."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .limiter import limited
from .loudness import integrated, true_peak

CEILING = -1.0  # dB of true peak
MOST_LIMITING = 8.0  # dB: what would be turned down further would sound pressed
NEAR = 0.1  # LU: near enough
TRIES = 5  # limiting makes quieter, so the gain before it is corrected by what was lost


def levelled(samples: NDArray[np.float32], rate: int, target: float) -> tuple[NDArray[np.float32], float, float]:
    """Samples (channels, n) at `target` LUFS, the gain in dB that brought them there, and the most it took of limiting.

    Quieter than asked for where the true peak would stand more than 8 dB above the ceiling. Silence stays as it is.
    """
    loudness, room = integrated(samples, rate), CEILING - true_peak(samples, rate)
    gain = target - loudness if math.isfinite(loudness) else 0.0
    for _ in range(TRIES):
        gain = min(gain, room + MOST_LIMITING)
        song, limiting = limited(samples * np.float32(10 ** (gain / 20)), rate, CEILING)
        missing = target - integrated(song, rate)
        if not math.isfinite(missing) or abs(missing) <= NEAR or (missing > 0 and gain >= room + MOST_LIMITING):
            break
        gain += missing
    return song, gain, limiting
