"""A look-ahead limiter: what would pass the ceiling is turned down just there, and so smoothly that nobody hears it.

In decibels, at every sample: how far the waveform, between samples too, stands above the ceiling; let go of at a
constant rate; then the most of that within half the look-ahead on either side; then the mean over the same stretch.
Each value of that mean is over numbers of which none is smaller than what its own sample needs, so nothing passes.
(The usual design of mastering limiters, as in U. Zölzer, "DAFX", 2nd ed., 4.2, and P. Hämäläinen, "Smoothing of the
control signal without clipped output in digital peak limiters", 2002.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .loudness import OVERSAMPLING, true_peak

LOOK_AHEAD = 0.005  # seconds in all: shorter would be heard as a click
RELEASE = 60.0  # dB per second: a dB in 17 ms, slow enough for a bass note, too quick to be heard as pumping


def limited(samples: NDArray[np.float32], rate: int, ceiling: float) -> tuple[NDArray[np.float32], float]:
    """`samples` (channels, n) with a true peak of at most `ceiling` dBFS, and the most dB they were turned down by.

    All channels are turned down alike, so that nothing moves in the stereo field.
    """
    over = np.maximum(20 * np.log10(np.maximum(_peaks(samples, rate), 1e-9)) - ceiling, 0.0)
    if not over.any():
        return samples, 0.0
    reduction = _smoothed(_held(over, RELEASE / rate), max(1, round(LOOK_AHEAD * rate / 2)))
    quieter = (samples * 10 ** (-reduction / 20)).astype(np.float32)
    still = max(0.0, true_peak(quieter, rate) - ceiling)  # hundredths of a dB: the gain itself moves between samples
    return quieter * np.float32(10 ** (-still / 20)), float(reduction.max()) + still


def _peaks(samples: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """The highest amplitude of any channel within a sample's distance of each sample."""
    import soxr

    n = samples.shape[1]
    highest = np.abs(samples).max(axis=0).astype(np.float64)
    for channel in samples:
        between = np.abs(soxr.resample(channel, rate, OVERSAMPLING * rate, quality="HQ"))
        after = np.zeros(n * OVERSAMPLING)
        after[: min(len(between), len(after))] = between[: len(after)]
        after = after.reshape(n, OVERSAMPLING).max(axis=1)  # from each sample to the next
        highest = np.maximum(highest, after)
        highest[1:] = np.maximum(highest[1:], after[:-1])
    return highest


def _held(over: NDArray[np.float64], release: float) -> NDArray[np.float64]:
    """What is let go of by `release` per sample, and taken up at once."""
    falling = release * np.arange(len(over))
    return np.maximum(np.maximum.accumulate(over + falling) - falling, 0.0)


def _smoothed(needed: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """The mean over `half` samples on either side of the most over as many; nowhere less than what is needed."""
    padded = np.pad(_most_around(np.pad(needed, half, mode="edge"), half), half, mode="edge")
    sums = np.concatenate([[0.0], np.cumsum(padded)])
    window = 2 * half + 1
    means = (sums[window:] - sums[:-window]) / window
    return np.maximum(means[half : half + len(needed)], 0.0)


def _most_around(values: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """The maximum over `half` values on either side: by halves of blocks (van Herk 1992), whatever the width."""
    window, n = 2 * half + 1, len(values)
    padded = np.pad(values, (half, half + -(n + 2 * half) % window), constant_values=0.0)
    blocks = padded.reshape(-1, window)
    ahead = np.maximum.accumulate(blocks, axis=1).reshape(-1)
    back = np.maximum.accumulate(blocks[:, ::-1], axis=1)[:, ::-1].reshape(-1)
    return np.maximum(back[:n], ahead[window - 1 : window - 1 + n])
