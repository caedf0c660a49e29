"""Is a clip worth listening to? Numbers about it, and the usual ways in which raw-audio models fail, by name.

The limits below were set on 8-second windows of dense metal at 16 kHz (see tests/sound/test_health.py): each lies
between what music does there and what the failure does, and the comments say where.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import typing
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import UsageError
from .shapes import as_sound

SILENCE_DB = -50.0  # a window of 100 ms whose RMS about its own mean is below is silent
MOST_SILENT = 0.3  # of the windows; music with long pauses reaches 0.15
MOST_DC = 0.03  # of full scale; music stays within 0.017, failed models were heard at 0.04 to 0.24
MOST_CLIPPED = 0.005  # of the samples at full scale; mastered music 0.0001
NOISY = 0.22  # median spectral flatness; white noise 0.56, pink 0.26, the densest music 0.13
STEADY_DB = 1.8  # change over time; stationary noise of any colour 1.4, a stuck tone 0 to 0.1, music from 2.5
WHISTLING = 0.5  # of the frames led by one and the same narrow tone; music 0.33 at most
LOOPING = 0.8  # likeness to itself one period later; one riff over and over 0.92 to 1, music 0.65 at most

LEAST_SECONDS = 4.0  # a shorter clip is not judged by how it goes on: change, whistle, loop

_FULL_SCALE = 0.999
_TONE_SHARE = 0.3  # of a frame's energy in three neighbouring bins makes a narrow tone
_LOWEST_TONE = 300.0  # Hz; below, a bass may well lead all the time
_BANDS = 24
_CHUNK = 512  # frames transformed at once, which bounds the memory


@dataclass(frozen=True)
class Health:
    """What `health` found. Levels are in dBFS, fractions in 0..1, `centroid` in Hz."""

    seconds: float
    rms_db: float  # at least -120
    peak: float
    dc: float
    silent_fraction: float
    silent_seconds: int  # whole seconds inside runs of silence
    clipped_fraction: float
    flatness: float  # median over sounding frames: 0 a tone, 0.56 white noise
    centroid: float
    change_db: float  # how much the bands of the spectrum vary over time
    whistle: float  # share of the frames led by one and the same narrow tone
    loop: float  # likeness to itself one period later
    problems: tuple[str, ...]  # empty when nothing is wrong; the gravest first

    @property
    def verdict(self) -> str:
        """ "ok", or the gravest problem with its number."""
        return self.problems[0] if self.problems else "ok"

    def to_dict(self) -> dict[str, float | int | str | list[str]]:
        """Plain JSON values, the verdict included."""
        return dataclasses.asdict(self) | {"problems": list(self.problems), "verdict": self.verdict}


def health(samples: ArrayLike, rate: int) -> Health:
    """Examine float samples (n,) at `rate` Hz; (channels, n) is mixed down first.

    NaN and infinite samples are a problem by themselves, and count as zero elsewhere. Runs hundreds of times faster
    than real time. `UsageError`: integers, more than 64 channels, more channels than samples, a rate below 1000 Hz.

    >>> sharks.health([0.0] * 16000, 16000).verdict
    'silent: 100% lies below -50 dBFS'
    """
    sound = as_sound("samples", samples).astype(np.float32)
    mono = sound.mean(axis=0) if sound.ndim == 2 else sound
    if not rate >= 1000:
        raise UsageError(f"rate is {rate}; wanted samples per second, 1000 or more")
    finite = np.isfinite(mono)
    problems = [] if finite.all() else [f"not finite: {np.count_nonzero(~finite)} samples are NaN or infinite"]
    mono = np.where(finite, mono, 0)
    silent = _silent_windows(mono, rate)
    power = float(np.mean(mono**2, dtype=np.float64)) if mono.size else 0.0
    found: dict[str, typing.Any] = {
        "seconds": mono.size / rate,
        "rms_db": 10 * math.log10(power + 1e-12),
        "peak": float(np.abs(mono).max(initial=0)),
        "dc": float(mono.mean(dtype=np.float64)) if mono.size else 0.0,
        "silent_fraction": float(silent.mean()) if silent.size else 1.0,
        "silent_seconds": sum(len(list(run)) // 10 for quiet, run in itertools.groupby(silent.tolist()) if quiet),
        "clipped_fraction": float(np.mean(np.abs(mono) >= _FULL_SCALE)) if mono.size else 0.0,
        **_spectrum(mono, rate),
    }
    return Health(**found, problems=(*problems, *_problems(found)))


def _problems(found: dict[str, typing.Any]) -> list[str]:
    """The sentences for numbers beyond their limits, gravest first."""
    if not found["seconds"]:
        return ["empty: it holds no samples"]
    silent, clipped = found["silent_fraction"], found["clipped_fraction"]
    rules = [
        (silent > MOST_SILENT, f"silent: {silent:.0%} lies below {SILENCE_DB:.0f} dBFS"),
        (clipped > MOST_CLIPPED, f"clipped: {clipped:.1%} lies at full scale"),
        (abs(found["dc"]) > MOST_DC, f"dc: its mean is {found['dc']:+.3f}, wanted 0"),
    ]
    if silent < 1:  # else there is no spectrum to judge
        long = found["seconds"] >= LEAST_SECONDS
        flatness, change = found["flatness"], found["change_db"]
        rules += [
            (flatness > NOISY, f"noise: its spectral flatness is {flatness:.2f}, music stays below {NOISY}"),
            (long and found["whistle"] > WHISTLING, f"whistle: one tone leads {found['whistle']:.0%} of the time"),
            (long and found["loop"] > LOOPING, f"loop: it repeats itself with a likeness of {found['loop']:.2f}"),
            (long and change < STEADY_DB, f"steady: it changes by {change:.1f} dB, as noise or a stuck tone do"),
        ]
    return [sentence for broken, sentence in rules if broken]


def _silent_windows(mono: NDArray[np.float32], rate: int) -> NDArray[np.bool_]:
    """bool per whole window of 100 ms (or for all of a shorter clip): its RMS about its mean is below -50 dBFS."""
    window = min(rate // 10, max(mono.size, 1))
    blocks = mono[: mono.size // window * window].reshape(-1, window)
    quiet: NDArray[np.bool_] = blocks.std(axis=1) < 10 ** (SILENCE_DB / 20)
    return quiet


def _spectrum(mono: NDArray[np.float32], rate: int) -> dict[str, float]:
    """The measures that need a spectrum, from frames of about 64 ms, four to a frame's length."""
    window = 64 * max(1, round(rate / 1000))
    hertz = rate / window  # per bin
    if mono.size < window:
        mono = np.pad(mono, (0, window - mono.size))
    frames = np.lib.stride_tricks.sliding_window_view(mono, window)[:: window // 4]
    shape = np.hanning(window).astype(np.float32)
    edges = _band_edges(rate, window)
    floor = (1e-4 * window / 4) ** 2  # of power: a tone of -80 dBFS
    flatness, centroid, tone, share, sounding, levels = [], [], [], [], [], []
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
        sounding.append(chunk.std(axis=1) >= 10 ** (SILENCE_DB / 20))
        band = np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1) / np.diff(edges)
        levels.append(10 * np.log10(band + floor))
    heard, level = np.concatenate(sounding), np.concatenate(levels)
    if not heard.any():
        return {"flatness": 0.0, "centroid": 0.0, "change_db": 0.0, "whistle": 0.0, "loop": 0.0}
    return {
        "flatness": float(np.median(np.concatenate(flatness)[heard])),
        "centroid": float(np.mean(np.concatenate(centroid)[heard])),
        "change_db": float(np.median(level[heard].std(axis=0))),
        "whistle": _whistle(np.concatenate(tone)[heard], np.concatenate(share)[heard]),
        "loop": _loop(level),
    }


def _band_edges(rate: int, window: int) -> np.ndarray:
    """Bins that part 24 bands of equal width in mel from 60 Hz to 95 % of half the rate, at most 8 kHz."""
    mels = np.linspace(math.log10(1 + 60 / 700), math.log10(1 + min(0.475 * rate, 8000) / 700), _BANDS + 1)
    return np.unique(np.round(700 * (10**mels - 1) / (rate / window)).astype(int))


def _whistle(tone: np.ndarray, share: np.ndarray) -> float:
    """The share of frames in which the clip's leading tone, one bin up or down, holds 30 % of the energy."""
    leader = np.bincount(tone, weights=share).argmax()
    return float(np.mean((np.abs(tone - leader) <= 1) & (share > _TONE_SHARE)))


def _loop(level: np.ndarray) -> float:
    """The greatest correlation of the band levels (frames, bands) with themselves, later by up to half the clip.

    Neighbouring frames are alike in any sound: the search begins where the correlation has once fallen below 0.3.
    """
    level = level - level.mean(axis=1, keepdims=True)  # a riff that swells and fades is still one riff
    level = level - level.mean(axis=0)
    count = len(level)
    size = 1 << (2 * count - 1).bit_length()
    products = np.fft.irfft((np.abs(np.fft.rfft(level, size, axis=0)) ** 2).sum(axis=1), size)
    lags = np.arange(count // 2 + 1)
    energy = np.concatenate([[0.0], np.cumsum((level**2).sum(axis=1))])
    likeness = products[lags] / np.sqrt((energy[count - lags] * (energy[count] - energy[lags])) + 1e-9)
    fallen = np.flatnonzero(likeness < 0.3)
    return float(max(0.0, likeness[fallen[0] :].max())) if fallen.size else 0.0
