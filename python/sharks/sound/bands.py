"""A sound as frames of about 64 ms: how loud each of 24 bands is, how tonal, how bright. What `health` listens to."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SILENCE_DB = -50.0  # a stretch whose RMS about its own mean is below is silent

_LOWEST_TONE = 300.0  # Hz; below, a bass may well lead all the time
_BANDS = 24
_CHUNK = 512  # frames transformed at once, which bounds the memory


@dataclass(frozen=True)
class Frames:
    """Frames of one sound, four to a frame's length; every array has one entry, or row, per frame."""

    per_second: float
    power: NDArray[np.floating]  # (frames, bands): mean power of the bins of each band
    floor: float  # of power: a tone of -80 dBFS, below which nothing is told apart
    flatness: NDArray[np.floating]  # 0 a tone, 0.56 white noise
    centroid: NDArray[np.floating]  # Hz
    tone: NDArray[np.intp]  # the bin of the strongest narrow tone
    share: NDArray[np.floating]  # of the frame's energy that this tone holds
    heard: NDArray[np.bool_]  # above silence

    def levels(self) -> NDArray[np.floating]:
        """Of each band in dB, (frames, bands)."""
        levels: NDArray[np.floating] = 10 * np.log10(self.power + self.floor)
        return levels

    def change(self) -> float:
        """How much the bands vary over time, in dB: the median over the bands, of the frames that are heard."""
        return float(np.median(self.levels()[self.heard].std(axis=0)))

    def shapes(self, together: int) -> NDArray[np.float32]:
        """Levels about their own mean, each of so many frames together: a sound's colour, however loud it is."""
        power = moving_mean(self.power, together)
        levels = 10 * np.log10(power + self.floor)
        shapes: NDArray[np.float32] = (levels - levels.mean(axis=1, keepdims=True)).astype(np.float32)
        return shapes


def frames_of(mono: NDArray[np.float32], rate: int) -> Frames:
    """Frames of a sound (n,); one that is shorter than a frame is padded with silence."""
    window = 64 * max(1, round(rate / 1000))
    hertz = rate / window  # per bin
    if mono.size < window:
        mono = np.pad(mono, (0, window - mono.size))
    frames = np.lib.stride_tricks.sliding_window_view(mono, window)[:: window // 4]
    shape = np.hanning(window).astype(np.float32)
    edges = _band_edges(rate, window)
    floor = (1e-4 * window / 4) ** 2
    flatness, centroid, tone, share, heard, bands = [], [], [], [], [], []
    for start in range(0, len(frames), _CHUNK):
        chunk = frames[start : start + _CHUNK]
        power = np.abs(np.fft.rfft((chunk - chunk.mean(axis=1, keepdims=True)) * shape)) ** 2
        total = power.sum(axis=1) + 1e-20
        audible = power[:, 2:] + 1e-9 * floor
        flatness.append(np.exp(np.log(audible).mean(axis=1)) / audible.mean(axis=1))
        centroid.append(power @ (np.arange(power.shape[1]) * hertz) / total)
        three = power[:, :-2] + power[:, 1:-1] + power[:, 2:]
        three[:, : int(_LOWEST_TONE / hertz)] = 0
        tone.append(three.argmax(axis=1))
        share.append(three.max(axis=1) / total)
        heard.append(chunk.std(axis=1) >= 10 ** (SILENCE_DB / 20))
        bands.append(np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1) / np.diff(edges))
    return Frames(
        rate / (window // 4),
        np.concatenate(bands),
        floor,
        *(np.concatenate(found) for found in (flatness, centroid, tone, share, heard)),
    )


def moving_mean(values: np.ndarray, count: int) -> np.ndarray:
    """The mean of every `count` neighbours along the first axis, float64; `count` - 1 entries fewer."""
    sums = np.cumsum(values, axis=0, dtype=np.float64)
    sums = np.concatenate([np.zeros_like(sums[:1]), sums])
    return (sums[count:] - sums[:-count]) / count


def _band_edges(rate: int, window: int) -> np.ndarray:
    """Bins that part 24 bands of equal width in mel from 60 Hz to 95 % of half the rate, at most 8 kHz."""
    mels = np.linspace(math.log10(1 + 60 / 700), math.log10(1 + min(0.475 * rate, 8000) / 700), _BANDS + 1)
    return np.unique(np.round(700 * (10**mels - 1) / (rate / window)).astype(int))
