"""Is a clip worth listening to? Numbers about it, and the usual ways in which raw-audio models fail, by name.

The limits below were set on 8-second windows of dense metal at 16 kHz (see tests/sound/test_health.py): each lies
between what music does there and what the failure does, and the comments say where. What a clip becomes on its way,
collapse.py hears.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import typing
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import arguments
from .bands import SILENCE_DB, Frames, frames_of
from .bounds import LEAST_RATE, MOST_RATE
from .collapse import NOISY, Lapse, lapses, told_apart
from .shapes import as_sound

MOST_SILENT = 0.3  # of the windows of 100 ms; music with long pauses reaches 0.15
MOST_DC = 0.03  # of full scale; music stays within 0.017, failed models were heard at 0.04 to 0.24
MOST_CLIPPED = 0.005  # of the samples at full scale; mastered music 0.0001
STEADY_DB = 1.8  # change over time; stationary noise of any colour 1.4, a stuck tone 0 to 0.1, music from 2.5
WHISTLING = 0.5  # of the frames led by one and the same narrow tone; music 0.33 at most
LOOPING = 0.8  # likeness to itself one period later; one riff over and over 0.92 to 1, music 0.65 at most

LEAST_SECONDS = 4.0  # a shorter clip is not judged by how it goes on: change, whistle, loop
TELLING_SECONDS = 1.0  # of less sound no ear tells hiss from a drum: what its samples are is the surer fault

_FULL_SCALE = 0.999
_TONE_SHARE = 0.3  # of a frame's energy in three neighbouring bins makes a narrow tone


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
    problems: tuple[str, ...]  # empty when nothing is wrong; the most telling first
    lapses: tuple[Lapse, ...] = ()  # the stretches that are no music

    @property
    def verdict(self) -> str:
        """ "ok", or the most telling problem with its number."""
        return self.problems[0] if self.problems else "ok"

    @property
    def collapse(self) -> float | None:
        """The second at which it stops being music and does not come back; None where it goes on to its end."""
        return self.lapses[-1].start if self.lapses and self.lapses[-1].stop == self.seconds else None

    def to_dict(self) -> dict[str, typing.Any]:
        """Plain JSON values, the verdict included; "lapses" only where there are any."""
        table = dataclasses.asdict(self) | {"problems": list(self.problems), "verdict": self.verdict}
        if not table["lapses"]:
            del table["lapses"]
        return table


def health(samples: ArrayLike, rate: int) -> Health:
    """Examine float samples (n,) at `rate` Hz; (channels, n) is mixed down first.

    The whole is judged, and every stretch of it: a clip that turns into hum, noise, silence or a short loop after some
    seconds has a `collapse`, and `lapses` that say from where to where.
    NaN and infinite samples are a problem by themselves, and count as zero elsewhere. Runs hundreds of times faster
    than real time. `UsageError`: integers, more than 64 channels, more channels than samples, a rate that is none.

    >>> sharks.health([0.0] * 16000, 16000).verdict
    'silent: 100% lies below -50 dBFS'
    """
    sound = as_sound("samples", samples).astype(np.float32)
    mono = sound.mean(axis=0) if sound.ndim == 2 else sound
    rate = arguments.rate("rate", rate, LEAST_RATE, MOST_RATE)
    finite = np.isfinite(mono)
    problems = [] if finite.all() else [f"not finite: {np.count_nonzero(~finite)} samples are NaN or infinite"]
    mono = np.where(finite, mono, 0)
    silent = _silent_windows(mono, rate)
    power = float(np.mean(mono**2, dtype=np.float64)) if mono.size else 0.0
    frames = frames_of(mono, rate)
    found: dict[str, typing.Any] = {
        "seconds": mono.size / rate,
        "rms_db": 10 * math.log10(power + 1e-12),
        "peak": float(np.abs(mono).max(initial=0)),
        "dc": float(mono.mean(dtype=np.float64)) if mono.size else 0.0,
        "silent_fraction": float(silent.mean()) if silent.size else 1.0,
        "silent_seconds": sum(len(list(run)) // 10 for quiet, run in itertools.groupby(silent.tolist()) if quiet),
        "clipped_fraction": float(np.mean(np.abs(mono) >= _FULL_SCALE)) if mono.size else 0.0,
        **_spectrum(frames),
    }
    lapsed = lapses(mono, rate, frames)
    return Health(**found, problems=(*problems, *_problems(found, lapsed)), lapses=lapsed)


def _problems(found: dict[str, typing.Any], lapsed: tuple[Lapse, ...]) -> list[str]:
    """What is wrong, the most telling first: from when on, then how it sounds, then what its samples are."""
    if not found["seconds"]:
        return ["empty: it holds no samples"]
    silent, clipped = found["silent_fraction"], found["clipped_fraction"]
    parts = [_told(lapse, found["seconds"]) for lapse in lapsed if lapse.stop - lapse.start < found["seconds"]]
    hushed = [f"silent: {silent:.0%} lies below {SILENCE_DB:.0f} dBFS"] * (silent > MOST_SILENT)
    heard = _heard(found, [] if parts else lapsed) if silent < 1 else []  # else there is no spectrum to judge
    samples = [f"clipped: {clipped:.1%} lies at full scale"] * (clipped > MOST_CLIPPED)
    samples += [f"dc: its mean is {found['dc']:+.3f}, wanted 0"] * (abs(found["dc"]) > MOST_DC)
    return [*parts, *hushed, *(heard + samples if found["seconds"] >= TELLING_SECONDS else samples + heard)]


def _heard(found: dict[str, typing.Any], lapsed: typing.Sequence[Lapse]) -> list[str]:
    """The sentences for how it sounds from beginning to end; `lapsed` says what it is all that time."""
    long, flatness = found["seconds"] >= LEAST_SECONDS, found["flatness"]
    whistle, loop, change = found["whistle"], found["loop"], found["change_db"]
    flat, alike, moves = told_apart(flatness, NOISY), told_apart(loop, LOOPING), told_apart(change, STEADY_DB, 1)
    problems = []
    if flatness > NOISY:
        problems.append(f"noise: its spectral flatness is {flat[0]}, music stays below {NOISY}")
    if long and whistle > WHISTLING:
        problems.append(f"whistle: one tone leads {whistle:.0%} of the time")
    if long and loop > LOOPING:
        problems.append(f"loop: it repeats itself with a likeness of {alike[0]}, music stays below {alike[1]}")
    named = {problem.split(":")[0] for problem in problems}
    problems += [lapse.sentence for lapse in lapsed if lapse.kind not in named]
    if long and change < STEADY_DB:
        problems.append(
            f"steady: it changes by {moves[0]} dB, as noise or a stuck tone do; music by {moves[1]} or more"
        )
    return problems


def _told(lapse: Lapse, seconds: float) -> str:
    """A lapse as a problem of a clip of so many seconds."""
    until = "on" if lapse.stop == seconds else f"to {lapse.stop:.1f} s"
    return f"{lapse.kind}: from {lapse.start:.1f} s {until} {lapse.why}"


def _silent_windows(mono: NDArray[np.float32], rate: int) -> NDArray[np.bool_]:
    """bool per whole window of 100 ms (or for all of a shorter clip): its RMS about its mean is below -50 dBFS."""
    window = min(rate // 10, max(mono.size, 1))
    blocks = mono[: mono.size // window * window].reshape(-1, window)
    quiet: NDArray[np.bool_] = blocks.std(axis=1) < 10 ** (SILENCE_DB / 20)
    return quiet


def _spectrum(frames: Frames) -> dict[str, float]:
    """The measures that need a spectrum."""
    heard = frames.heard
    if not heard.any():
        return {"flatness": 0.0, "centroid": 0.0, "change_db": 0.0, "whistle": 0.0, "loop": 0.0}
    return {
        "flatness": float(np.median(frames.flatness[heard])),
        "centroid": float(np.mean(frames.centroid[heard])),
        "change_db": frames.change(),
        "whistle": _whistle(frames.tone[heard], frames.share[heard]),
        "loop": _loop(frames.levels()),
    }


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
