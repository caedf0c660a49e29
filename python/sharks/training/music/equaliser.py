"""Songs through an equaliser drawn at random, so that a model learns to listen to a sound, not to know one by heart.

The songs of an album were mixed alike, and a few of them have a few sounds. A model that has heard nothing else expects
their spectrum, and is lost in the next song; one that hears every chunk through another equaliser has to follow what
it hears. The curve is a straight line in octaves between normally distributed gains at fixed pitches, as a
minimum-phase filter, which is what equalisers are.
"""

from __future__ import annotations

import numpy as np

TAPS = 128  # of the filter: 8 ms at 16 kHz, in which the lowest pitches come out gentler than drawn
_PITCHES = np.array([60, 120, 240, 480, 800, 1300, 2000, 3000, 4000, 5000, 6000, 7000, 8000]) / 16000  # of the rate
_SIZE = 512  # of the transform in which the filter is designed
_MUSIC = 1 / np.maximum(np.arange(_SIZE // 2 + 1) / _SIZE, _PITCHES[0])  # power falls with pitch, as in most music
_MUSIC /= _MUSIC.sum()


def drawn(deviation: float, seed: int, unit: int) -> np.ndarray:
    """The filter [TAPS] for a unit of the training music: its gains deviate by so many decibels.

    Music stays about as loud as it was. The same for the same seed and unit.
    """
    taps = minimum_phase(np.random.default_rng([seed, unit]).normal(0.0, deviation, len(_PITCHES)))
    return taps / np.sqrt((np.abs(np.fft.rfft(taps, _SIZE)) ** 2 * _MUSIC).sum())


def minimum_phase(gains: np.ndarray) -> np.ndarray:
    """The causal filter [TAPS] of least delay with `gains` in dB, one per pitch (Oppenheim and Schafer: cepstrum)."""
    frequencies = np.maximum(np.arange(_SIZE // 2 + 1) / _SIZE, _PITCHES[0] / 2)
    curve = np.interp(np.log2(frequencies), np.log2(_PITCHES), gains) * np.log(10) / 20
    cepstrum = np.fft.irfft(curve)
    cepstrum[1 : _SIZE // 2] *= 2  # the half before time 0 is folded over to the half after it
    cepstrum[_SIZE // 2 + 1 :] = 0
    return np.fft.irfft(np.exp(np.fft.rfft(cepstrum)))[:TAPS]


def heard(samples: np.ndarray, filter: np.ndarray) -> np.ndarray:
    """`samples` int16 [TAPS - 1 + n] through a filter: int16 [n], limited to what int16 can hold."""
    size = 1 << (len(samples) + TAPS).bit_length()
    through = np.fft.irfft(np.fft.rfft(samples.astype(np.float64), size) * np.fft.rfft(filter, size), size)
    return np.clip(np.rint(through[TAPS - 1 : len(samples)]), -32768, 32767).astype(np.int16)
