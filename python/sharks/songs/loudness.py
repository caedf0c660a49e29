"""How loud music is to an ear: integrated loudness (ITU-R BS.1770-4, EBU R 128) and true peak, in numpy.

The standard prints its two filters for 48 kHz only. Music of a lower rate is weighed by just these, at its
frequencies, as if it had been resampled; derived for that rate, the shelf would be bent near its highest frequencies
(by 0.1 LU at 16 kHz). For higher rates they are derived from the analogue filters behind the printed numbers (fitted
by B. De Man, "Evaluation of Implementations of the EBU R128 Loudness Measurement", 2018). They run in the frequency
domain, over blocks whose ends overlap by more than the filters ring. Of music below 8 kHz hardly anything is left to
weigh: the number says little there.
"""

from __future__ import annotations

import functools
import math

import numpy as np

GATE = -70.0  # LUFS: what is quieter is no programme at all
RELATIVE_GATE = -10.0  # LU under the mean of what passed the first gate
STEPS = 4  # a gating block lasts 0.4 s, and begins every 0.1 s
BLOCK_SECONDS = 30
RING_SECONDS = 1  # the 38 Hz high-pass has decayed by more than 200 dB
OVERSAMPLING = 4
PRINTED = 48000  # Hz: of the standard's filters


def integrated(samples: np.ndarray, rate: int) -> float:
    """Integrated loudness in LUFS of `samples` (channels, n), at least 0.4 s; -inf when nothing passes the gates.

    Every channel weighs 1: mono, or left and right.
    """
    steps = _step_powers(np.atleast_2d(samples), rate)
    blocks = np.convolve(steps, np.ones(STEPS) / STEPS, mode="valid") if len(steps) >= STEPS else steps[:0]
    heard = blocks[blocks > _power(GATE)]
    if not len(heard):
        return -math.inf
    return _lufs(heard[heard > heard.mean() * 10 ** (RELATIVE_GATE / 10)].mean())


def true_peak(samples: np.ndarray, rate: int) -> float:
    """The highest level in dBFS that the waveform reaches, between samples too; -inf for silence."""
    import soxr

    peak = 0.0
    for channel in np.atleast_2d(samples):
        between = soxr.resample(channel, rate, OVERSAMPLING * rate, quality="HQ")
        peak = max(peak, float(np.abs(channel).max(initial=0)), float(np.abs(between).max(initial=0)))
    return 20 * math.log10(peak) if peak else -math.inf


def _step_powers(samples: np.ndarray, rate: int) -> np.ndarray:
    """The mean square of the weighted signal, summed over channels, per whole 0.1 s."""
    step = rate // 10
    block, ring = BLOCK_SECONDS * 10 * step, RING_SECONDS * rate
    length = 2 * ring + block
    response = _k_weighting(rate, length)
    powers = []
    for start in range(0, samples.shape[1] // step * step, block):
        stop = min(start + block, samples.shape[1] // step * step)
        lead = min(start, ring)
        spectrum = np.fft.rfft(samples[:, start - lead : stop], length)
        weighted = np.fft.irfft(spectrum * response, length)[:, lead : lead + stop - start]
        powers.append(np.square(weighted).reshape(len(samples), -1, step).mean(axis=2).sum(axis=0))
    return np.concatenate(powers) if powers else np.zeros(0)


@functools.lru_cache(maxsize=4)
def _k_weighting(rate: int, length: int) -> np.ndarray:
    """The filters' response at the frequencies of an rfft of `length`: the head's shelf, then the high-pass."""
    of = max(rate, PRINTED)
    z = np.exp(-2j * np.pi * np.arange(length // 2 + 1) / length * rate / of)
    response = np.ones(len(z), complex)
    for b, a in (_shelf(of), _high_pass(of)):
        response *= (b[0] + b[1] * z + b[2] * z**2) / (a[0] + a[1] * z + a[2] * z**2)
    return response


Biquad = tuple[tuple[float, float, float], tuple[float, float, float]]


def _shelf(rate: int) -> Biquad:
    gain, q, k = 10 ** (3.999843853973347 / 20), 0.7071752369554196, math.tan(math.pi * 1681.974450955533 / rate)
    middle = gain**0.4996667741545416
    a0 = 1 + k / q + k * k
    b = (gain + middle * k / q + k * k, 2 * (k * k - gain), gain - middle * k / q + k * k)
    return (b[0] / a0, b[1] / a0, b[2] / a0), (1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0)


def _high_pass(rate: int) -> Biquad:
    q, k = 0.5003270373238773, math.tan(math.pi * 38.13547087602444 / rate)
    a0 = 1 + k / q + k * k
    return (1.0, -2.0, 1.0), (1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0)


def _lufs(power: float) -> float:
    return -0.691 + 10 * math.log10(power)


def _power(lufs: float) -> float:
    return float(10 ** ((lufs + 0.691) / 10))
