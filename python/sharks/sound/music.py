"""Figures that say whether a sound is music: a beat, a form, tones, and how far its sound is from other music's.

They are measured on the sound alone, whatever made it. None of them is music by itself: a loop of two seconds has beat
and form, and copies of a song have all four. So they are read together with `nearest`, which finds passages again.

    beat      how far the onsets repeat themselves within a second: the greatest autocorrelation of the onset envelope
              at lags of 0.25 to 1 s, in windows of 8 s. White noise has 0.1, songs with drums 0.3 to 0.5
    form      how far spectra return after 1.5 to 12 s, in windows of 24 s: riffs, verses
    tone      how far narrow peaks stand out of the spectrum, in decibels: noise, however filtered, has 9.8
    distance  between the log-mel statistics of two sounds, second by second (Frechet's, of two normal distributions)
    nearest   how far the passages of one sound are from the most similar ones of others, in decibels
"""

from __future__ import annotations

import typing
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..features.mel import MelSpec, hann, mel

Sound = NDArray[np.float32]  # (samples,)
Floats = NDArray[np.float64]

BEAT_SECONDS, BEAT_LAGS = 8.0, (0.25, 1.0)
FORM_SECONDS, FORM_LAGS = 24.0, (1.5, 12.0)
PASSAGE = 2.0  # seconds
_DEEP = 30.0  # dB under a passage's peak are heard
_FRAMES = 62.5  # log-mel frames per second
_FLOOR = 1e-4
_SLOW = 4  # frames that are one moment of the form
_TONE = 4096  # samples of a transform in which tones are narrow
_AROUND = 31  # of its frequencies are what a peak stands out of
_PEAKS = 99.5  # percentile
_DECIBELS = 20 / np.log(10)


class Figures(typing.NamedTuple):
    """Of some sounds together; NaN where they are too short for a window."""

    seconds: float
    beat: float
    form: float
    tone: float


def figures(sounds: Iterable[Sound], rate: int) -> Figures:
    """Beat, form and tone of sounds, float (samples,) at `rate` Hz, each window of each of them counting alike.

    >>> import sharks.sound.music
    >>> audio = sharks.generate("run", seconds=0.5, n=2, seed=7)
    >>> sharks.sound.music.figures(audio.samples[:, 0], audio.sample_rate).seconds
    1.0
    """
    beats, forms, peaks, seconds = [], [], [], 0.0
    for sound in sounds:
        frames = spectra(sound, rate)
        beats += [_beat(w) for w in _windows(onsets(frames), BEAT_SECONDS * _FRAMES)]
        forms += [_form(w) for w in _windows(frames, FORM_SECONDS * _FRAMES)]
        peaks.append(_prominences(sound))
        seconds += len(sound) / rate
    tones = np.concatenate(peaks) if peaks else np.zeros(0)
    tone = float(np.percentile(tones, _PEAKS)) if tones.size else np.nan
    return Figures(seconds, _mean(beats), _mean(forms), tone)


def beat(sound: Sound, rate: int) -> float:
    """The beat of a whole sound, of whatever length: 0 where it is too short to repeat itself."""
    onset = onsets(spectra(np.asarray(sound, np.float32), rate))
    return _beat(onset) if len(onset) > 2 * _lags(BEAT_LAGS, _FRAMES)[-1] else 0.0


def spectra(sound: Sound, rate: int, floor: float = _FLOOR) -> NDArray[np.float32]:
    """The log-mel frames that all figures but tone are taken from: float32 (frames, 80), 62.5 a second.

    `floor`: the amplitude of a sine below which all is silence.
    """
    hop = round(rate / _FRAMES)
    if not len(sound) or hop < 8:
        raise UsageError(f"the sound has {len(sound)} samples at {rate} Hz; wanted sound at 1000 Hz or more")
    window = 4 * hop
    return mel(
        sound, MelSpec(rate, 80, window, hop, 0.0, rate / 2, weights="mean", edges="zeros", floor=floor * window / 4)
    )


def onsets(frames: NDArray[np.float32]) -> Floats:
    """How much louder all bands become from frame to frame, (frames - 1,)."""
    return np.asarray(np.maximum(np.diff(frames.astype(np.float64), axis=0), 0).mean(1))


def distance(one: Sequence[Sound], other: Sequence[Sound], rate: int) -> float:
    """Between two groups of sounds; NaN where one has less than a few seconds."""
    (mean, spread), (other_mean, other_spread) = _statistics(one, rate), _statistics(other, rate)
    if not (np.isfinite(spread).all() and np.isfinite(other_spread).all()):
        return float("nan")
    values, vectors = np.linalg.eigh(spread)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    common = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ other_spread @ root), 0)).sum()
    apart = ((mean - other_mean) ** 2).sum() + np.trace(spread) + np.trace(other_spread) - 2 * common
    return max(0.0, float(apart))


def nearest(sounds: Sequence[Sound], others: Sequence[Sound], rate: int, seconds: float = PASSAGE) -> Floats:
    """For each passage of `sounds`, half of it after half, the distance to the most similar one of `others`: (n,).

    Root mean square over 20 bands and 31 frames a second, in decibels, whatever the loudness of both. What lies 30 dB
    below a passage's peak counts as if it lay there, and silence is no passage. Infinite where the others have none.
    """
    length = round(seconds * _FRAMES / 2)
    mine = _passages(sounds, rate, length, max(1, length // 2))
    best = np.full(len(mine), np.inf)
    for other in others:
        theirs = _passages([other], rate, length, 1, shifts=2)
        if len(theirs):
            found = (mine**2).sum(1)[:, None] + (theirs**2).sum(1) - 2 * mine @ theirs.T
            best = np.minimum(best, found.min(1, initial=np.inf))
    return np.sqrt(np.maximum(best, 0) / (length * 20)) * _DECIBELS


def _passages(sounds: Sequence[Sound], rate: int, length: int, hop: int, shifts: int = 1) -> Floats:
    """Stretches of so many moments as rows of 20 bands a moment, each as loud as any other: (n, length * 20).

    A moment is two frames; with two `shifts` it does not matter which two.
    """
    found = [np.zeros((0, length * 20))]
    for sound in sounds:
        frames = spectra(sound, rate, floor=_FLOOR / 100).astype(np.float64)
        for some in (frames[shift:] for shift in range(shifts)):
            moments = some[: len(some) // 2 * 2].reshape(-1, 2, 20, 4).mean((1, 3))
            if len(moments) >= length:
                whole = np.lib.stride_tricks.sliding_window_view(moments, (length, 20))[::hop, 0]
                rows = whole.reshape(len(whole), -1)
                found.append(rows[rows.max(1) > _silence(rate)])
    every = np.concatenate(found)
    heard = np.maximum(every, every.max(1, keepdims=True, initial=-np.inf) - _DEEP / _DECIBELS)
    return np.asarray(heard - heard.mean(1, keepdims=True))


def _silence(rate: int) -> float:
    """A level that no band of a passage reaches where nothing is to be heard: -60 dBFS, as a sine."""
    return float(np.log(1e-3 * round(rate / _FRAMES)))


def _windows(values: NDArray[typing.Any], length: float, hop: int | None = None) -> list[NDArray[typing.Any]]:
    whole = round(length)
    return [values[start : start + whole] for start in range(0, len(values) - whole + 1, hop or whole)]


def _beat(onset: Floats) -> float:
    return max(_likeness(onset[:, None], lag) for lag in _lags(BEAT_LAGS, _FRAMES))


def _form(frames: NDArray[np.float32]) -> float:
    slow = frames[: len(frames) // _SLOW * _SLOW].reshape(-1, _SLOW, frames.shape[1]).mean(1).astype(np.float64)
    moments = slow - slow.mean(0)
    sizes = np.maximum(np.linalg.norm(moments, axis=1, keepdims=True), 1e-9)
    alike = [float((a * b).sum(1).mean()) for a, b in _pairs(moments / sizes, _lags(FORM_LAGS, _FRAMES / _SLOW))]
    return max(alike)


def _lags(seconds: tuple[float, float], rate: float) -> range:
    return range(round(seconds[0] * rate), round(seconds[1] * rate) + 1)


def _pairs(rows: Floats, lags: range) -> list[tuple[Floats, Floats]]:
    return [(rows[:-lag], rows[lag:]) for lag in lags if lag < len(rows)]


def _likeness(rows: Floats, lag: int) -> float:
    """The autocorrelation at a lag."""
    centred = rows - rows.mean(0)
    power = float((centred**2).sum())
    return float((centred[:-lag] * centred[lag:]).sum()) / power if power > 0 else 0.0


def _prominences(sound: Sound) -> Floats:
    """How far each frequency stands out of those around it, in decibels."""
    if len(sound) < _TONE:
        return np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(sound, _TONE)[:: _TONE // 2]
    loud = 20 * np.log10(np.abs(np.fft.rfft(frames * hann(_TONE), axis=1))[:, 1:] + 1e-7)
    kernel = np.ones(_AROUND)
    count = np.convolve(np.ones(loud.shape[1]), kernel, "same")
    around = np.stack([np.convolve(row, kernel, "same") for row in loud]) / count
    return np.asarray((loud - around).reshape(-1))


def _statistics(sounds: Sequence[Sound], rate: int) -> tuple[Floats, Floats]:
    """Mean and covariance of the bands' levels, second by second."""
    seconds = [w.mean(0) for sound in sounds for w in _windows(spectra(sound, rate), _FRAMES)]
    if len(seconds) < 3:
        return np.full(80, np.nan), np.full((80, 80), np.nan)
    rows = np.stack(seconds).astype(np.float64)
    return rows.mean(0), np.cov(rows.T)


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
